import math

import numpy as np
import pytest

from textrnn.analysis.statistics import accuracy_by_length, holm, mcnemar, wilson


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
