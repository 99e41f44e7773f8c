import math

import numpy as np
import pytest

from textrnn.analysis.statistics import (
    accuracy_by_length,
    accuracy_of,
    bootstrap,
    caution,
    holm,
    mcnemar,
    wilson,
)


def test_wilson_by_hand():
    interval = wilson(8, 10)
    z, n, p = 1.959963984540054, 10, 0.8
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert interval.value == 0.8
    assert interval.low == pytest.approx(centre - half, rel=1e-9)
    assert interval.high == pytest.approx(centre + half, rel=1e-9)


def test_mcnemar_by_hand():
    # 1 of 6 heads or fewer, and as many tails: 2 (1 + 6) / 64.
    assert mcnemar(1, 5) == pytest.approx(2 * 7 / 64)
    assert mcnemar(5, 1) == pytest.approx(2 * 7 / 64)
    assert mcnemar(3, 3) == 1.0
    assert mcnemar(0, 0) == 1.0


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_lengths_fall_into_buckets_of_as_many_texts():
    lengths = np.array([5, 1, 2, 3, 4, 6, 7, 8, 9, 10])
    bins = accuracy_by_length(lengths > 2, lengths)
    assert [(b.shortest, b.longest, b.texts) for b in bins] == [
        *((1, 2, 2), (3, 4, 2), (5, 6, 2), (7, 8, 2), (9, 10, 2))
    ]
    assert [bucket.accuracy.value for bucket in bins] == [0.0, 1.0, 1.0, 1.0, 1.0]


def test_texts_of_one_length_share_a_bucket():
    (bucket,) = accuracy_by_length(np.array([True, False, True]), np.array([4, 4, 4]))
    assert (bucket.shortest, bucket.longest, bucket.texts) == (4, 4, 3)
    assert bucket.accuracy == wilson(2, 3)


def test_the_accuracy_of_figures_has_an_interval():
    assert accuracy_of({"texts": 10, "accuracy": 0.8}) == wilson(8, 10)


@pytest.mark.parametrize(
    ("texts", "supports", "message"),
    [
        (200, {"a": 100, "b": 100}, ""),
        (40, {"a": 20, "b": 20}, "caution: 40 validation texts: these figures"),
        (200, {"a": 191, "b": 9}, "200 validation texts, 1 class with fewer than 10 (b): "),
        (200, {str(i): 1 for i in range(200)}, "200 classes with fewer than 10 (0, 1, 2, 3, 4 and"),
    ],
)
def test_few_texts_deserve_a_caution(texts, supports, message):
    figures = {"texts": texts, "per_class": {n: {"support": s} for n, s in supports.items()}}
    sentence = caution(figures, name="validation")
    assert message in sentence
    assert bool(message) == bool(sentence)


def test_the_bootstrap_of_single_texts_agrees_with_the_formula(rng):
    targets = np.eye(2)[rng.integers(2, size=400)]
    right = rng.random(400) < 0.8
    predicted = np.where(right[:, None], targets, 1 - targets) > 0
    accuracy, macro_f1 = bootstrap(predicted, targets)
    formula = wilson(int(right.sum()), 400)
    assert accuracy.value == formula.value
    assert accuracy.low == pytest.approx(formula.low, abs=0.01)
    assert accuracy.high == pytest.approx(formula.high, abs=0.01)
    assert macro_f1.low < macro_f1.value < macro_f1.high


def test_texts_of_a_group_tell_less_than_single_texts(rng):
    targets = np.repeat(np.eye(2)[rng.integers(2, size=40)], 10, axis=0)
    right = np.repeat(rng.random(40) < 0.8, 10)
    predicted = np.where(right[:, None], targets, 1 - targets) > 0
    groups = np.repeat(np.arange(40), 10).tolist()
    single, grouped = bootstrap(predicted, targets), bootstrap(predicted, targets, groups=groups)
    for one, other in zip(single, grouped, strict=True):
        assert one.value == pytest.approx(other.value)
        assert other.high - other.low > 2 * (one.high - one.low)
