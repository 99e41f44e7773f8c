"""Probable label errors, ranked by cleanlab from the probabilities of a model.

A label is suspicious if a model that has not learned from the text finds it improbable. Confident
learning decides which labels are probably wrong (Northcutt et al. 2021, "Confident Learning:
Estimating Uncertainty in Dataset Labels").
"""

from __future__ import annotations

import contextlib
import importlib.util
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.analysis.data_check.checked_split import CheckedSplit
from textrnn.analysis.data_check.findings import Finding
from textrnn.errors import ConfigError
from textrnn.messages.wording import counted
from textrnn.models.label_space import LabelSpace

__all__ = ["LabelErrors", "SuspectLabel", "check_cleanlab", "rank_labels"]

LEAST_ROWS = 100
"""The ranked list has at least this number of rows, or all rows of smaller data."""

LISTED_SHARE = 0.1
"""The least share of the rows in the ranked list."""


@dataclass(frozen=True)
class SuspectLabel:
    """A text whose label may be wrong.

    Attributes:
        place: The place of the text in its split.
        given: The labels of the text.
        suggested: The labels that the model gives to the text.
        quality: Between 0 and 1; cleanlab's score of the given labels. The lowest are probably
            wrong.
        is_probable: Whether confident learning takes the labels for wrong.
    """

    place: int
    given: tuple[str, ...]
    suggested: tuple[str, ...]
    quality: float
    is_probable: bool


@dataclass(frozen=True)
class LabelErrors:
    """The labels of a split, ranked from the most to the least suspicious.

    Attributes:
        split: The split.
        source: Where the probabilities come from, such as `5 folds of a linear model`.
        ranked: The most suspicious labels: all probable errors, and at least a tenth of the rows.
        texts: The number of texts that were ranked.
        agreement: The share of the ranked texts to which the model gives their labels.
        left_out: The places of the texts that could not be ranked.
        caution: One sentence on what the ranking cannot show; "" if there is nothing.
    """

    split: CheckedSplit
    source: str
    ranked: tuple[SuspectLabel, ...]
    texts: int
    agreement: float
    left_out: tuple[int, ...] = ()
    caution: str = ""

    @property
    def probable(self) -> int:
        """The number of probable label errors."""
        return sum(suspect.is_probable for suspect in self.ranked)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yields one row per ranked label, as plain values, the most suspicious first."""
        for suspect in self.ranked:
            yield {
                "row": self.split.rows[suspect.place],
                "origin": self.split.origins[suspect.place],
                "given_label": ", ".join(suspect.given),
                "suggested_label": ", ".join(suspect.suggested),
                "quality": round(suspect.quality, 6),
                "probable_error": suspect.is_probable,
                "text": self.split.texts[suspect.place],
            }

    def findings(self) -> Iterator[Finding]:
        """Yields the number of probable label errors, and what the ranking cannot show."""
        split = self.split
        if self.caution:
            yield Finding("ranking_caution", "warning", split.name, self.caution)
        if self.left_out:
            yield Finding(
                "unranked_labels",
                "info",
                split.name,
                f"The labels of {counted(len(self.left_out), 'text')} could not be ranked: too "
                "few texts have them, or the run does not know them.",
                rows=split.numbers(self.left_out),
                count=len(self.left_out),
            )
        if self.probable:
            noun = counted(self.probable, "label is", "labels are")
            yield Finding(
                "label_errors",
                "warning",
                split.name,
                f"{noun} probably wrong ({self.probable / self.texts:.1%} of {self.texts:,}), by "
                f"{self.source}, which agrees with {self.agreement:.1%} of the labels.",
                "Read them from the top of the ranked list, and correct what is wrong: the lower "
                "the agreement, the more of them are right.",
                rows=split.numbers(s.place for s in self.ranked if s.is_probable),
                count=self.probable,
            )


def check_cleanlab() -> None:
    """Raises ConfigError if cleanlab is not installed."""
    if importlib.util.find_spec("cleanlab") is None:
        raise ConfigError(
            "label errors are ranked by cleanlab, which is not installed; "
            "pip install 'textrnn[check]'."
        )


def rank_labels(
    labels: Sequence[tuple[str, ...]], probabilities: np.ndarray, *, label_space: LabelSpace
) -> tuple[list[SuspectLabel], float]:
    """Ranks labels from the most to the least suspicious.

    Args:
        labels: The labels of N texts.
        probabilities: `[N, C]`, of a model that has not learned from the texts.
        label_space: The C labels.

    Returns:
        The most suspicious labels: all probable errors, and at least a tenth of the texts; and the
        share of the texts to which the model gives their labels.

    Raises:
        ConfigError: cleanlab is not installed.
    """
    check_cleanlab()
    targets = label_space.targets(labels) > 0
    if label_space.multi_label:
        quality, probable = _rank_multi_label(targets, probabilities)
    else:
        quality, probable = _rank_single_label(targets.argmax(axis=1), probabilities)
    order = np.argsort(quality, kind="stable")
    least = max(LEAST_ROWS, round(LISTED_SHARE * len(order)))
    decided = label_space.decide(probabilities)
    suspects = [
        SuspectLabel(
            place=int(place),
            given=labels[place],
            suggested=tuple(
                name for name, has in zip(label_space.labels, decided[place], strict=True) if has
            ),
            quality=float(quality[place]),
            is_probable=bool(probable[place]),
        )
        for rank, place in enumerate(order)
        if rank < least or probable[place]
    ]
    return suspects, float((decided == targets).all(axis=1).mean())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides cleanlab's warnings about small classes, which the check names in its own words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _rank_single_label(
    given: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the quality `[N]` of each label, and whether `[N]` it is probably wrong."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    normal = probabilities / probabilities.sum(axis=1, keepdims=True)
    with _quiet():
        quality = get_label_quality_scores(given, normal)
        probable = find_label_issues(given, normal, n_jobs=1)
    return np.asarray(quality), np.asarray(probable, bool)


def _rank_multi_label(
    targets: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the quality `[N]` of the labels of each text, and whether `[N]` one is wrong."""
    from cleanlab.multilabel_classification import get_label_quality_scores
    from cleanlab.multilabel_classification.filter import find_label_issues

    given = [np.flatnonzero(row).tolist() for row in targets]
    with _quiet():
        quality = get_label_quality_scores(given, probabilities)
        probable = find_label_issues(given, probabilities, n_jobs=1)
    return np.asarray(quality), np.asarray(probable, bool)
