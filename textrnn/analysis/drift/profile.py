"""What is remembered of the texts that a run was trained on: frequencies, lengths, confidences.

A profile has no text and no order of words. A run stores it, so that new texts can be compared
without the training data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.analysis.drift.word_shift import ChanceDistances, divergence, token_counts
from textrnn.models.label_space import LabelSpace
from textrnn.text.tokenizer import Tokenizer

__all__ = ["PROFILE", "AnswerProfile", "Profile", "TextProfile", "quantiles"]

PROFILE = "profile"
"""The key of the profile in the data of a run."""

FORMAT = 1

MOST_QUANTILES = 501


def quantiles(values: np.ndarray) -> np.ndarray:
    """Returns at most `MOST_QUANTILES` values that have the distribution of all `[N]` values."""
    ordered = np.sort(np.asarray(values, np.float64))
    if len(ordered) <= MOST_QUANTILES:
        return ordered
    places = np.linspace(0, len(ordered) - 1, MOST_QUANTILES)
    return np.asarray(ordered[np.round(places).astype(int)])


@dataclass(frozen=True)
class TextProfile:
    """The words and lengths of training texts.

    Attributes:
        texts: The number of texts.
        counts: `[V]`, the number of occurrences of each token.
        lengths: Quantiles of the number of characters of a text. (New texts have more tokens per
            word, because the tokenizer was made from the training texts.)
        chance: The distances that chance makes.
        held_out: The divergence of the validation texts beyond chance. It is above 0 even for a
            random part of the data, because the tokenizer was made from the training texts.
        held_out_deviation: The standard deviation of that divergence by chance.
    """

    texts: int
    counts: np.ndarray
    lengths: np.ndarray
    chance: ChanceDistances
    held_out: float
    held_out_deviation: float

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        ids: Sequence[np.ndarray],
        *,
        held_out: Sequence[np.ndarray],
        vocab_size: int,
        seed: int = 0,
    ) -> TextProfile:
        """Makes the profile of some texts.

        Args:
            texts: The training texts.
            ids: The token ids of each of them.
            held_out: The token ids of the validation texts.
            vocab_size: The number of tokens, V.
            seed: The seed of the samples for `chance`.
        """
        counts = token_counts(ids, vocab_size=vocab_size)
        others = token_counts(held_out, vocab_size=vocab_size)
        chance = ChanceDistances.measure(ids, vocab_size=vocab_size, seed=seed)
        mean, deviation = chance.expected(int(others.sum()), int(counts.sum()))
        return cls(
            texts=len(texts),
            counts=counts,
            lengths=quantiles(np.array([len(text) for text in texts])),
            chance=chance,
            held_out=max(divergence(others, counts) - mean, 0.0),
            held_out_deviation=deviation,
        )


@dataclass(frozen=True)
class AnswerProfile:
    """The answers of a run to texts.

    Attributes:
        texts: The number of texts.
        labels: `[C]`, how many texts are answered with each label.
        confidences: Quantiles of the confidence of an answer.
        unknown_mean: The mean share of the tokens of a text that are unknown pieces.
        unknown_deviation: The standard deviation of that share.
    """

    texts: int
    labels: np.ndarray
    confidences: np.ndarray
    unknown_mean: float
    unknown_deviation: float

    @classmethod
    def of(
        cls, probabilities: np.ndarray, ids: Sequence[np.ndarray], *, label_space: LabelSpace
    ) -> AnswerProfile:
        """Makes the profile of the answers to some texts.

        The confidence of an answer is the probability of the label; of a text that may have any
        number of labels, it is the mean probability of the decisions.

        Args:
            probabilities: `[N, C]`.
            ids: The token ids of each of the N texts.
            label_space: The C labels.
        """
        p = np.asarray(probabilities, np.float64)
        sure = np.maximum(p, 1.0 - p).mean(axis=1) if label_space.multi_label else p.max(axis=1)
        unknown = np.array([np.mean(np.asarray(t) == Tokenizer.UNK) if len(t) else 0 for t in ids])
        return cls(
            texts=len(ids),
            labels=label_space.decide(p).sum(axis=0),
            confidences=quantiles(sure),
            unknown_mean=float(unknown.mean()),
            unknown_deviation=float(unknown.std(ddof=1)) if len(unknown) > 1 else 0.0,
        )


@dataclass(frozen=True)
class Profile:
    """What drift is measured against.

    Attributes:
        training: The texts that the weights were fitted to.
        validation: The answers to validation texts, which the run has not learned from.
    """

    training: TextProfile
    validation: AnswerProfile

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON; long rows of numbers are strings."""
        training, validation, chance = self.training, self.validation, self.training.chance
        return {
            "format": FORMAT,
            "training": {
                "texts": training.texts,
                "counts": _written(training.counts),
                "lengths": _written(training.lengths),
                "held_out": training.held_out,
                "held_out_deviation": training.held_out_deviation,
                "chance": {
                    "tokens": _written(chance.tokens),
                    "means": _written(chance.means),
                    "deviations": _written(chance.deviations),
                },
            },
            "validation": {
                "texts": validation.texts,
                "labels": _written(validation.labels),
                "confidences": _written(validation.confidences),
                "unknown_mean": validation.unknown_mean,
                "unknown_deviation": validation.unknown_deviation,
            },
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Profile | None:
        """Reads what `to_dict` returns; None if another version wrote it."""
        if values.get("format") != FORMAT:
            return None
        training, validation = values["training"], values["validation"]
        chance = training["chance"]
        return cls(
            TextProfile(
                texts=training["texts"],
                counts=_read(training["counts"]).astype(np.int64),
                lengths=_read(training["lengths"]),
                chance=ChanceDistances(
                    tuple(_read(chance["tokens"]).tolist()),
                    tuple(_read(chance["means"]).tolist()),
                    tuple(_read(chance["deviations"]).tolist()),
                ),
                held_out=training["held_out"],
                held_out_deviation=training["held_out_deviation"],
            ),
            AnswerProfile(
                texts=validation["texts"],
                labels=_read(validation["labels"]).astype(np.int64),
                confidences=_read(validation["confidences"]),
                unknown_mean=validation["unknown_mean"],
                unknown_deviation=validation["unknown_deviation"],
            ),
        )


def _written(values: np.ndarray | Sequence[float]) -> str:
    return " ".join(f"{value:.6g}" if value % 1 else f"{value:.0f}" for value in np.asarray(values))


def _read(text: str) -> np.ndarray:
    return np.array([float(value) for value in text.split()])
