"""Compares the answers of several classifiers to the same texts: quality, cost and significance."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.analysis.statistics import (
    Interval,
    LengthAccuracy,
    accuracy_by_length,
    bootstrap,
    holm,
    mcnemar,
    wilson,
)
from textrnn.errors import DataError
from textrnn.inference import run_folder
from textrnn.inference.calibration import reliability
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.decision_rule import DecisionRule

__all__ = [
    "Answers",
    "Comparison",
    "Pair",
    "RunFigures",
    "ask",
    "compare_answers",
    "macro_f1_interval",
    "mean_answers",
]


@dataclass(frozen=True)
class Answers:
    """The answers of one classifier, and their cost.

    Attributes:
        name: The name of the run.
        probabilities: `[N, C]`.
        weights: The number of weights of the model.
        file_bytes: The size of its weights and its tokenizer on disk; None if it has no run folder.
        tokens_per_second: The measured speed of prediction.
        rule: What the classifier answers, given the probabilities.
    """

    name: str
    probabilities: np.ndarray
    weights: int
    file_bytes: int | None
    tokens_per_second: float
    rule: DecisionRule = field(default_factory=DecisionRule)


@dataclass(frozen=True)
class RunFigures:
    """The figures of one classifier in the comparison.

    Attributes:
        name: The name of the run.
        accuracy: The share of the texts that are answered correctly; in a multi-label run, the
            share of the texts whose labels are all correct.
        macro_f1: The mean F1 of the labels.
        log_loss: In nats per text; in a multi-label run, per decision.
        calibration_error: The expected calibration error (ECE) over 15 bins.
        weights: The number of weights of the model.
        file_bytes: The size of its weights and its tokenizer on disk; None if it has no run folder.
        tokens_per_second: The measured speed of prediction.
        by_length: The accuracy in each bucket of lengths. All runs have the same buckets.
    """

    name: str
    accuracy: Interval
    macro_f1: Interval
    log_loss: float
    calibration_error: float
    weights: int
    file_bytes: int | None
    tokens_per_second: float
    by_length: tuple[LengthAccuracy, ...]


@dataclass(frozen=True)
class Pair:
    """The test of whether two classifiers differ by more than chance.

    Attributes:
        first: The name of the first run.
        second: The name of the second run.
        only_first: The number of texts that only the first run answers correctly.
        only_second: The number of texts that only the second run answers correctly.
        p_value: The p-value of McNemar's exact test.
        adjusted: The p-value corrected for the number of pairs by Holm's method.
    """

    first: str
    second: str
    only_first: int
    only_second: int
    p_value: float
    adjusted: float


@dataclass(frozen=True)
class Comparison:
    """Several classifiers on the same texts.

    Attributes:
        texts: The number of texts.
        runs: The figures of each run, in the order given.
        pairs: One test per pair of runs.
    """

    texts: int
    runs: tuple[RunFigures, ...]
    pairs: tuple[Pair, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return asdict(self)


def ask(
    classifier: TrainedClassifier,
    texts: Sequence[np.ndarray],
    *,
    name: str,
    folder: str | Path | None = None,
    on_batch: Callable[[int], None] | None = None,
) -> Answers:
    """Has a classifier answer texts, and measures its speed.

    The measured time includes neither the encoding of the texts nor the tracing of the graph.

    Args:
        classifier: A trained classifier.
        texts: The token ids `[T]` of each text, from its own tokenizer.
        name: The name of the classifier.
        folder: The run folder of the classifier, if it has one.
        on_batch: Receives the number of texts of each batch that is done.
    """
    classifier.score_ids(texts[:1])
    before = classifier.read_tokens - classifier.cut_tokens
    begin = time.monotonic()
    probabilities = classifier.score_ids(texts, on_batch=on_batch)
    seconds = time.monotonic() - begin
    tokens = classifier.read_tokens - classifier.cut_tokens - before
    return Answers(
        name,
        probabilities,
        weights=int(classifier.model.count_params()),
        file_bytes=None if folder is None else _size(Path(folder)),
        tokens_per_second=tokens / max(seconds, 1e-9),
        rule=classifier.rule,
    )


def mean_answers(answers: Sequence[Answers], *, name: str) -> Answers:
    """Returns the mean of the answers of several classifiers, and the sum of their costs.

    Args:
        answers: The answers of each classifier, for labels in the same order.
        name: The name of the mean.

    Raises:
        ConfigError: Their decisions have different objectives.
    """
    sizes = [one.file_bytes for one in answers if one.file_bytes is not None]
    return Answers(
        name,
        np.mean([one.probabilities for one in answers], axis=0),
        weights=sum(one.weights for one in answers),
        file_bytes=sum(sizes) if len(sizes) == len(answers) else None,
        tokens_per_second=1.0 / sum(1.0 / max(one.tokens_per_second, 1e-9) for one in answers),
        rule=DecisionRule.mean([one.rule for one in answers]),
    )


def _size(folder: Path) -> int:
    return sum(
        (folder / name).stat().st_size for name in (run_folder.WEIGHTS, run_folder.TOKENIZER)
    )


def compare_answers(
    answers: Sequence[Answers],
    targets: np.ndarray,
    *,
    lengths: np.ndarray,
    label_space: LabelSpace,
    seed: int = 0,
) -> Comparison:
    """Compares classifiers that have answered the same texts.

    Args:
        answers: The answers of each classifier.
        targets: `[N, C]` of 0 and 1.
        lengths: `[N]`, the lengths of the texts in tokens.
        label_space: The labels, in the order of the probabilities; each classifier decides by the
            rule of its answers.
        seed: The seed of the resampling for macro F1.

    Raises:
        DataError: There is no text.
    """
    if not len(targets):
        raise DataError("expected at least one labelled text to compare on, got none.")
    spaces = [replace(label_space, rule=a.rule) for a in answers]
    right = [
        space.right_answers(a.probabilities, targets)
        for a, space in zip(answers, spaces, strict=True)
    ]
    runs = tuple(
        RunFigures(
            name=run.name,
            accuracy=wilson(int(run_right.sum()), len(run_right)),
            macro_f1=macro_f1_interval(run.probabilities, targets, label_space=space, seed=seed),
            log_loss=float(label_space.log_loss(run.probabilities, targets).mean()),
            calibration_error=reliability(
                run.probabilities, targets, label_space=label_space
            ).error,
            weights=run.weights,
            file_bytes=run.file_bytes,
            tokens_per_second=run.tokens_per_second,
            by_length=accuracy_by_length(run_right, lengths),
        )
        for run, run_right, space in zip(answers, right, spaces, strict=True)
    )
    return Comparison(len(targets), runs, _pairs([run.name for run in answers], right))


def _pairs(names: Sequence[str], right: Sequence[np.ndarray]) -> tuple[Pair, ...]:
    """Returns the test of each pair of runs.

    Args:
        names: The names of the runs.
        right: For each run `[N]` of bool, whether it answers each text correctly.
    """
    places = list(itertools.combinations(range(len(names)), 2))
    counts = [
        (int((right[i] & ~right[j]).sum()), int((right[j] & ~right[i]).sum())) for i, j in places
    ]
    p_values = [mcnemar(*both) for both in counts]
    return tuple(
        Pair(names[i], names[j], *both, p_value=p, adjusted=adjusted)
        for (i, j), both, p, adjusted in zip(places, counts, p_values, holm(p_values), strict=True)
    )


def macro_f1_interval(
    probabilities: np.ndarray, targets: np.ndarray, *, label_space: LabelSpace, seed: int = 0
) -> Interval:
    """Returns the mean F1 of the labels with its percentile bootstrap interval.

    See `textrnn.analysis.statistics.bootstrap`.
    """
    _, macro_f1 = bootstrap(label_space.decide(probabilities), targets, seed=seed)
    return macro_f1
