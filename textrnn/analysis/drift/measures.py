"""The measures of drift, each with a size and a p-value.

With many texts the least difference is significant, and with few texts any difference may be
chance. So a measure is drift only if it is significant after Holm's correction for the number of
measures, and at least as large as its threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from textrnn.analysis.drift.profile import AnswerProfile, TextProfile
from textrnn.analysis.drift.word_shift import DRAWS, divergence
from textrnn.analysis.statistics import holm

__all__ = [
    "LEVEL",
    "Measure",
    "confidence_shift",
    "label_shift",
    "length_shift",
    "likelihood_shift",
    "unknown_shift",
    "with_verdicts",
    "word_shift",
]

LEVEL = 0.01
"""The level of significance of all measures together."""

WORDS, DISTRIBUTION, LABELS, UNKNOWN = 0.02, 0.1, 0.1, 0.02
"""The thresholds: bits; largest distances of distribution functions; total variation; shares."""

_SHUFFLES = 200
_LEAST_EXPECTED = 5.0
"""The least expected count of a cell of a chi-square test; smaller cells are merged."""


@dataclass(frozen=True)
class Measure:
    """One way in which new texts may differ.

    >>> Measure("lengths", 0.3, 0.1, p_value=0.001, detail="").is_drift
    False

    Attributes:
        name: What is compared.
        size: How large the difference is, beyond what chance makes.
        threshold: The size from which on a difference matters.
        p_value: The probability of such a difference by chance; corrected by `with_verdicts`.
        detail: What the size is, in words, with the values that are compared.
        is_drift: Whether the difference is significant and large enough; see `with_verdicts`.
    """

    name: str
    size: float
    threshold: float
    p_value: float
    detail: str
    is_drift: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return asdict(self)


def with_verdicts(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """Returns the measures with corrected p-values and verdicts."""
    corrected = holm([measure.p_value for measure in measures])
    return tuple(
        replace(m, p_value=p, is_drift=bool(p < LEVEL and m.size >= m.threshold))
        for m, p in zip(measures, corrected, strict=True)
    )


def word_shift(training: TextProfile, counts: np.ndarray) -> Measure:
    """Compares the frequencies of tokens.

    The size is the Jensen-Shannon divergence from the training texts, less that of chance and less
    that of the validation texts.

    Args:
        training: The training texts.
        counts: `[V]`, the number of each token in the new texts.
    """
    distance = divergence(counts, training.counts)
    mean, deviation = training.chance.expected(int(counts.sum()), int(training.counts.sum()))
    usual = mean + training.held_out
    spread = max(float(np.hypot(deviation, training.held_out_deviation)), 1e-9)
    # The mean and the deviation are themselves estimated from a few samples.
    score = (distance - usual) / spread / np.sqrt(1.0 + 1.0 / DRAWS)
    return Measure(
        "words",
        distance - usual,
        WORDS,
        float(stats.t.sf(score, DRAWS - 1)),
        f"Jensen-Shannon divergence {distance:.4f} bits; {usual:.4f} is usual",
    )


def length_shift(training: TextProfile, lengths: np.ndarray) -> Measure:
    """Compares the numbers `[N]` of characters of the texts by Kolmogorov and Smirnov's test."""
    return _distributions(
        "lengths", before=training.lengths, now=lengths, unit="characters", shown="{:.0f}"
    )


def confidence_shift(validation: AnswerProfile, answers: AnswerProfile) -> Measure:
    """Compares the confidences of the answers by Kolmogorov and Smirnov's test."""
    return _distributions(
        "confidence",
        before=validation.confidences,
        now=answers.confidences,
        unit="",
        shown="{:.3f}",
    )


def likelihood_shift(validation: np.ndarray, new: np.ndarray) -> Measure:
    """Compares the bits per token by a language model, by Kolmogorov and Smirnov's test."""
    return _distributions(
        "likelihood", before=validation, now=new, unit="bits per token", shown="{:.2f}"
    )


def _distributions(
    name: str, *, before: np.ndarray, now: np.ndarray, unit: str, shown: str
) -> Measure:
    result = stats.ks_2samp(before, now, method="asymp")
    medians = [shown.format(np.median(values)) for values in (now, before)]
    detail = f"largest distance {result.statistic:.3f}; median {medians[0]}"
    detail += f" {unit}, {medians[1]} before" if unit else f", {medians[1]} before"
    return Measure(name, float(result.statistic), DISTRIBUTION, float(result.pvalue), detail)


def label_shift(
    validation: AnswerProfile, answers: AnswerProfile, *, labels: Sequence[str]
) -> Measure:
    """Compares the predicted labels by a chi-square test.

    The size is the total variation distance of the shares of the labels, less the mean distance of
    two random samples of these sizes.

    Args:
        validation: The answers to the validation texts.
        answers: The answers to the new texts.
        labels: The names of the labels.
    """
    before, now = validation.labels, answers.labels
    shares = [counts / max(counts.sum(), 1) for counts in (before, now)]
    distance = 0.5 * float(np.abs(shares[1] - shares[0]).sum())
    size = distance - _chance_variation(before, now)
    largest = int(np.argmax(np.abs(shares[1] - shares[0])))
    detail = (
        f"total variation {distance:.3f}, {max(size, 0.0):.3f} beyond chance; the most: "
        f"{labels[largest]!r} {shares[0][largest]:.1%} to {shares[1][largest]:.1%}"
    )
    return Measure("predicted labels", size, LABELS, _chi_square(before, now), detail)


def _chance_variation(before: np.ndarray, now: np.ndarray) -> float:
    """Returns the mean total variation of random samples of the same sizes from both together."""
    pooled, drawn = before + now, int(now.sum())
    if not drawn or drawn == pooled.sum():
        return 0.0
    rng = np.random.default_rng(0)
    samples = rng.multivariate_hypergeometric(pooled, drawn, size=_SHUFFLES, method="marginals")
    rest = pooled - samples
    shares = samples / drawn - rest / rest.sum(axis=1, keepdims=True)
    return float(0.5 * np.abs(shares).sum(axis=1).mean())


def _chi_square(before: np.ndarray, now: np.ndarray) -> float:
    """Returns the p-value of a test that both counts `[C]` have the same shares."""
    table = np.array([before, now], float)
    if not table.sum(axis=1).all():
        return 1.0
    expected = stats.contingency.expected_freq(table).min(axis=0)
    rare = expected < _LEAST_EXPECTED
    table = np.concatenate([table[:, ~rare], table[:, rare].sum(axis=1, keepdims=True)], axis=1)
    table = table[:, table.sum(axis=0) > 0]
    return 1.0 if table.shape[1] < 2 else float(stats.chi2_contingency(table).pvalue)


def unknown_shift(validation: AnswerProfile, answers: AnswerProfile) -> Measure:
    """Compares the shares of unknown pieces by Welch's test; only more of them are drift."""
    means = validation.unknown_mean, answers.unknown_mean
    deviations = validation.unknown_deviation, answers.unknown_deviation
    p_value = 1.0
    if any(deviations) and min(validation.texts, answers.texts) > 1:
        p_value = float(
            stats.ttest_ind_from_stats(
                *(means[1], deviations[1], answers.texts),
                *(means[0], deviations[0], validation.texts),
                equal_var=False,
                alternative="greater",
            ).pvalue
        )
    detail = f"{means[1]:.2%} of the tokens; {means[0]:.2%} before"
    return Measure("unknown pieces", means[1] - means[0], UNKNOWN, p_value, detail)
