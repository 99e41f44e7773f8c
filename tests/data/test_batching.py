import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textrnn.data.batching import LENGTH_STEP, BatchPlan, bucket_lengths
from textrnn.errors import ConfigError

LENGTHS = st.lists(st.integers(0, 120) | st.integers(0, 2000), min_size=1, max_size=60)


def plan_of(lengths, **settings) -> BatchPlan:
    """A plan for texts of these lengths; text i is made of the id i + 1."""
    texts = [np.full(length, i + 1, np.int32) for i, length in enumerate(lengths)]
    return BatchPlan(texts, **{"batch_tokens": 256, **settings})


def dealt(batches) -> list[int]:
    """The texts of the batches, in order, without fillers."""
    rows = np.concatenate([batch.rows for batch in batches])
    return rows[rows >= 0].tolist()


def padding(lengths, buckets) -> int:
    """The padding of texts each padded to the least bucket that holds it."""
    return sum(min(b for b in buckets if b >= length) - length for length in lengths)


# The padded lengths


def test_the_padded_lengths_cost_the_least_possible_padding(rng):
    for _ in range(60):
        lengths = rng.integers(1, 9, size=rng.integers(1, 12)) * LENGTH_STEP
        shapes = int(rng.integers(1, 5))
        buckets = bucket_lengths(lengths, shapes=shapes)
        distinct = sorted(set(lengths.tolist()))
        choices = [
            choice
            for size in range(1, min(shapes, len(distinct)) + 1)
            for choice in itertools.combinations(distinct, size)
            if choice[-1] == distinct[-1]
        ]
        assert len(buckets) <= shapes
        assert padding(lengths, buckets) == min(padding(lengths, c) for c in choices)


@given(LENGTHS, st.integers(1, 30))
def test_the_padded_lengths_hold_every_text(lengths, shapes):
    buckets = bucket_lengths(np.array(lengths), shapes=shapes)
    assert 1 <= len(buckets) <= shapes
    assert buckets == sorted(set(buckets))
    assert all(bucket > 0 and bucket % LENGTH_STEP == 0 for bucket in buckets)
    assert max(lengths) <= buckets[-1] < max(max(lengths), 1) + LENGTH_STEP


def test_shapes_to_spare_leave_only_the_rounding():
    assert bucket_lengths(np.array([1, 16, 17, 40]), shapes=9) == [16, 32, 48]


def test_few_shapes_go_where_the_texts_are():
    lengths = np.array([16] * 2 + [32] * 100 + [160] * 3)
    assert bucket_lengths(lengths, shapes=2) == [32, 160]
    assert bucket_lengths(lengths, shapes=1) == [160]


# The batches


@given(
    lengths=LENGTHS,
    batch_tokens=st.integers(1, 3000),
    batch_texts=st.integers(0, 9),
    max_length=st.just(0) | st.integers(1, 500),
    shapes=st.integers(1, 6),
    seed=st.none() | st.integers(0, 9),
)
def test_a_pass_holds_every_text_once_in_few_shapes_within_the_budget(
    lengths, batch_tokens, batch_texts, max_length, shapes, seed
):
    plan = plan_of(
        lengths,
        batch_tokens=batch_tokens,
        batch_texts=batch_texts,
        max_length=max_length,
        shapes=shapes,
    )
    batches = plan.batches(seed=seed)
    assert sorted(dealt(batches)) == list(range(len(lengths)))
    assert len({(len(batch.rows), batch.length) for batch in batches}) <= shapes
    for batch in batches:
        ids = plan.ids(batch)
        assert ids.shape == (len(batch.rows), batch.length)
        assert len(batch.rows) == 1 or ids.size <= batch_tokens
        assert len(batch.rows) <= (batch_texts or len(lengths))
        assert (batch.rows >= 0).any()
        for row, padded in zip(batch.rows, ids, strict=True):
            text = plan.texts[row][: max_length or None] if row >= 0 else padded[:0]
            assert padded.tolist() == text.tolist() + [0] * (batch.length - len(text))


def test_only_the_last_batch_is_filled_up():
    batches = plan_of([16] * 5 + [32] * 9, batch_tokens=128).batches()
    fillers = [int((batch.rows < 0).sum()) for batch in batches]
    # 16: 8 rows, 5 texts go up; 32: 4 rows for 14 texts.
    assert fillers == [0, 0, 0, 2]


def test_a_text_longer_than_the_budget_stands_alone():
    batches = plan_of([100, 5, 100, 5], batch_tokens=32).batches()
    assert [len(batch.rows) for batch in batches] == [2, 1, 1]
    assert [batch.length for batch in batches] == [16, 112, 112]


def test_batch_texts_bounds_the_rows():
    batches = plan_of([3] * 10, batch_tokens=10_000, batch_texts=4).batches()
    assert [len(batch.rows) for batch in batches] == [4, 4, 4]


def test_a_batch_is_no_larger_than_the_data():
    (batch,) = plan_of([3], batch_tokens=10_000).batches()
    assert batch.rows.tolist() == [0]


def test_without_a_seed_the_texts_stay_in_order():
    plan = plan_of([40, 3, 20, 3, 20, 3], batch_tokens=48)
    assert dealt(plan.batches()) == [1, 3, 5, 2, 4, 0]
    assert dealt(plan.batches()) == dealt(plan.batches())


def test_the_order_follows_from_the_seed_alone():
    lengths = [1 + i % 50 for i in range(200)]
    orders = [
        dealt(plan_of(lengths).batches(seed=seed)) for seed in ([0, 0], [0, 0], [0, 1], [1, 0])
    ]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2] != orders[3] != orders[0]


def test_shuffling_mixes_the_batches_and_the_texts_within():
    plan = plan_of([10] * 64 + [100] * 64, batch_tokens=160)
    batches = plan.batches(seed=0)
    lengths = [batch.length for batch in batches]
    assert lengths != sorted(lengths)
    assert any(np.diff(batch.rows).min(initial=1) < 0 for batch in batches)


# The longest length


def test_what_is_cut_is_counted():
    plan = plan_of([10, 0, 25, 4], max_length=8)
    assert (plan.total_tokens, plan.cut_tokens) == (39, 2 + 17)
    assert plan.lengths.tolist() == [8, 0, 8, 4]


def test_without_a_limit_nothing_is_cut():
    assert plan_of([10, 5000]).cut_tokens == 0


def test_a_cut_text_keeps_its_beginning():
    plan = BatchPlan([np.arange(1, 30)], batch_tokens=64, max_length=3)
    (batch,) = plan.batches()
    assert plan.ids(batch)[0].tolist() == [1, 2, 3] + [0] * 13


# Corners


def test_empty_texts_are_texts():
    plan = plan_of([0, 0, 0], batch_tokens=32)
    assert sorted(dealt(plan.batches())) == [0, 1, 2]
    assert not any(plan.ids(batch).any() for batch in plan.batches())
    assert plan.padding_share() == 1.0


def test_no_text_is_an_error():
    with pytest.raises(ConfigError, match="expected at least one text to batch, got none"):
        plan_of([])


@pytest.mark.parametrize("batch_texts", [0, 32])
def test_reviews_are_padded_by_less_than_a_tenth(rng, batch_texts):
    lengths = np.minimum(rng.lognormal(np.log(296) - 0.75**2 / 2, 0.75, size=25_000), 3600)
    lengths = np.maximum(lengths, 8).astype(int)
    assert abs(lengths.mean() - 296) < 10
    assert lengths.max() > 3000
    plan = BatchPlan(
        [np.empty(length, np.int32) for length in lengths],
        batch_tokens=8192,
        batch_texts=batch_texts,
    )
    assert plan.padding_share() < 0.1
    sizes = {(len(batch.rows), batch.length) for batch in plan.batches(seed=0)}
    assert len(sizes) <= 24
    assert max(rows * length for rows, length in sizes) <= 8192


def test_the_padding_share_is_that_of_the_computed_tokens():
    plan = plan_of([16, 16, 8], batch_tokens=64, batch_texts=2)
    # Two batches of 2 x 16, one row of them a filler.
    assert plan.padding_share() == pytest.approx(1 - 40 / 64)
