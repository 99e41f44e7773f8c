"""Several classifiers on the same texts: how good, how sure, how dear, and what is only chance."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from textrnn.errors import DataError
from textrnn.inference import run_folder
from textrnn.inference.calibration import reliability
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.label_space import LabelSpace

__all__ = [
    "Answers",
    "Comparison",
    "Interval",
    "LengthAccuracy",
    "Pair",
    "RunFigures",
    "accuracy_by_length",
    "ask",
    "compare",
    "holm",
    "macro_f1_interval",
    "mcnemar",
    "wilson",
]

CONFIDENCE = 0.95
LENGTH_BUCKETS = 5
RESAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """A figure with the bounds of its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LengthAccuracy:
    """The accuracy on the texts of one bucket of lengths.

    Attributes:
        shortest: The shortest text's length in tokens.
        longest: The longest's.
        texts: How many there are.
        accuracy: Of them.
    """

    shortest: int
    longest: int
    texts: int
    accuracy: Interval


@dataclass(frozen=True)
class Answers:
    """What one classifier answered, and at what cost.

    Attributes:
        name: The run's name.
        probabilities: `[N, C]`.
        weights: How many numbers the model has learned.
        file_bytes: Of its weights and its tokenizer on disk.
        tokens_per_second: Of prediction, as measured.
    """

    name: str
    probabilities: np.ndarray
    weights: int
    file_bytes: int
    tokens_per_second: float


@dataclass(frozen=True)
class RunFigures:
    """One classifier's line in the comparison.

    Attributes:
        name: The run's name.
        accuracy: The share of texts answered rightly (multi-label: with all labels right).
        macro_f1: The mean of the labels' F1.
        log_loss: In nats a text; for multi-label, a decision.
        calibration_error: ECE, 15 bins.
        weights: How many numbers the model has learned.
        file_bytes: Of its weights and its tokenizer on disk.
        tokens_per_second: Of prediction.
        by_length: The accuracy in each bucket of lengths, which are the same for all runs.
    """

    name: str
    accuracy: Interval
    macro_f1: Interval
    log_loss: float
    calibration_error: float
    weights: int
    file_bytes: int
    tokens_per_second: float
    by_length: tuple[LengthAccuracy, ...]


@dataclass(frozen=True)
class Pair:
    """Whether two classifiers differ by more than chance.

    Attributes:
        first: The one run's name.
        second: The other's.
        only_first: Texts that only the first answered rightly.
        only_second: Texts that only the second answered rightly.
        p_value: By McNemar's exact test.
        adjusted: The same, corrected for the number of pairs by Holm's method.
    """

    first: str
    second: str
    only_first: int
    only_second: int
    p_value: float
    adjusted: float


@dataclass(frozen=True)
class Comparison:
    """All classifiers on the same texts.

    Attributes:
        texts: How many texts.
        runs: In the order given.
        pairs: Each with each.
    """

    texts: int
    runs: tuple[RunFigures, ...]
    pairs: tuple[Pair, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def ask(
    classifier: TrainedClassifier,
    texts: Sequence[np.ndarray],
    *,
    name: str,
    folder: str | Path,
    on_batch: Callable[[int], None] | None = None,
) -> Answers:
    """Has a classifier answer, and takes the time, in which no text is encoded and no graph traced.

    Args:
        classifier: A trained one.
        texts: Token ids, by its own tokenizer.
        name: What to call it.
        folder: Its run folder.
        on_batch: Told after each batch how many texts it held.
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
        file_bytes=sum(
            (Path(folder) / file).stat().st_size
            for file in (run_folder.WEIGHTS, run_folder.TOKENIZER)
        ),
        tokens_per_second=tokens / max(seconds, 1e-9),
    )


def compare(
    answers: Sequence[Answers],
    targets: np.ndarray,
    lengths: np.ndarray,
    *,
    label_space: LabelSpace,
    seed: int = 0,
) -> Comparison:
    """Puts classifiers side by side that have answered the same texts.

    Args:
        answers: Of each.
        targets: `[N, C]` of 0 and 1.
        lengths: `[N]`, the texts' lengths in tokens.
        label_space: The labels, in the order of the probabilities.
        seed: Of the resampling for macro F1.

    Raises:
        DataError: There is no text.
    """
    if not len(targets):
        raise DataError("expected at least one labelled text to compare on, got none.")
    right = [label_space.right_answers(a.probabilities, targets) for a in answers]
    runs = tuple(
        RunFigures(
            name=one.name,
            accuracy=wilson(int(own.sum()), len(own)),
            macro_f1=macro_f1_interval(
                one.probabilities, targets, label_space=label_space, seed=seed
            ),
            log_loss=float(label_space.log_loss(one.probabilities, targets).mean()),
            calibration_error=reliability(
                one.probabilities, targets, label_space=label_space
            ).error,
            weights=one.weights,
            file_bytes=one.file_bytes,
            tokens_per_second=one.tokens_per_second,
            by_length=accuracy_by_length(own, lengths),
        )
        for one, own in zip(answers, right, strict=True)
    )
    places = list(itertools.combinations(range(len(answers)), 2))
    counts = [
        (int((right[i] & ~right[j]).sum()), int((right[j] & ~right[i]).sum())) for i, j in places
    ]
    p_values = [mcnemar(*both) for both in counts]
    pairs = tuple(
        Pair(answers[i].name, answers[j].name, *both, p_value=p, adjusted=adjusted)
        for (i, j), both, p, adjusted in zip(places, counts, p_values, holm(p_values), strict=True)
    )
    return Comparison(len(targets), runs, pairs)


def wilson(successes: int, trials: int) -> Interval:
    """A share with Wilson's score interval.

    With z the normal quantile, p = k/n: `(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`
    (Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference").
    """
    found = stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(successes / trials, float(found.low), float(found.high))


def mcnemar(only_first: int, only_second: int) -> float:
    """The p-value of McNemar's exact test that two classifiers are right equally often.

    Of the texts that only one of two has right, each falls to either with probability 1/2 if they
    are equally good: a two-sided binomial test (McNemar 1947, "Note on the Sampling Error of the
    Difference Between Correlated Proportions or Percentages"). 1 if there is no such text.
    """
    discordant = only_first + only_second
    return float(stats.binomtest(only_first, discordant).pvalue) if discordant else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of m tests, corrected: `max over j <= i of min(1, (m - j + 1) p_(j))`.

    Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".
    """
    order = np.argsort(p_values, kind="stable")
    adjusted, highest = [0.0] * len(order), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def macro_f1_interval(
    probabilities: np.ndarray, targets: np.ndarray, *, label_space: LabelSpace, seed: int = 0
) -> Interval:
    """The mean of the labels' F1 with its percentile bootstrap interval.

    1,000 samples of the texts, drawn with replacement (Efron 1979, "Bootstrap Methods"). Texts of
    the same labels and the same answer are alike, so what is drawn is how many there are of each
    kind. A label that is neither given nor predicted has an F1 of 0.
    """
    predicted = label_space.decide(probabilities)
    kinds, counts = np.unique(
        np.concatenate([targets > 0, predicted], axis=1), axis=0, return_counts=True
    )
    given, answered = np.split(kinds.astype(np.float64), 2, axis=1)  # [K, C]

    def macro_f1(drawn: np.ndarray) -> np.ndarray:  # [..., K] -> [...]
        both = drawn @ (given * answered)
        either = drawn @ (given + answered)
        return np.asarray((2.0 * both / np.maximum(either, 1.0)).mean(axis=-1))

    rng, total = np.random.default_rng(seed), int(counts.sum())
    samples = [
        macro_f1(rng.multinomial(total, counts / total, size=100)) for _ in range(RESAMPLES // 100)
    ]
    tail = (1.0 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(samples), [tail, 1.0 - tail])
    return Interval(float(macro_f1(counts)), float(low), float(high))


def accuracy_by_length(right: np.ndarray, lengths: np.ndarray) -> tuple[LengthAccuracy, ...]:
    """The accuracy in five buckets with about as many texts each, short texts first.

    Texts of one length share a bucket, so that there may be fewer buckets.

    Args:
        right: `[N]` of bool.
        lengths: `[N]`.
    """
    lengths = np.asarray(lengths)
    shares = np.linspace(0.0, 1.0, LENGTH_BUCKETS + 1)[1:-1]
    edges = np.unique(np.quantile(lengths, shares, method="lower"))
    bucket = np.searchsorted(edges, lengths, side="left")
    found = []
    for place in np.unique(bucket):
        own = bucket == place
        found.append(
            LengthAccuracy(
                shortest=int(lengths[own].min()),
                longest=int(lengths[own].max()),
                texts=int(own.sum()),
                accuracy=wilson(int(right[own].sum()), int(own.sum())),
            )
        )
    return tuple(found)
