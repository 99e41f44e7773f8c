"""Holding rows out."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.data.hold_out import hold_out
from textrnn.errors import DataError

LABELS = st.lists(st.sampled_from("abcd").map(lambda label: (label,)), min_size=5, max_size=60)


@examples(60)
@given(labels=LABELS, fraction=st.floats(0.01, 0.5), seed=st.integers(0, 2**31 - 1))
def test_parts_are_a_partition_that_keeps_every_label(labels, fraction, seed):
    parts = hold_out(labels, fraction=fraction, seed=seed)
    remaining, held_out = parts.remaining.tolist(), parts.held_out.tolist()
    assert sorted(remaining + held_out) == list(range(len(labels)))
    assert remaining == sorted(remaining)
    assert held_out == sorted(held_out) != []
    assert {labels[row] for row in remaining} == set(labels)
    again = hold_out(labels, fraction=fraction, seed=seed)
    assert again.held_out.tolist() == held_out


def test_each_label_has_its_share():
    labels = [("a",)] * 80 + [("b",)] * 20
    parts = hold_out(labels, fraction=0.1, seed=3)
    assert Counter(labels[row] for row in parts.held_out) == {("a",): 8, ("b",): 2}
    assert parts.stratified


def test_seed_changes_the_rows():
    labels = [("a",)] * 50 + [("b",)] * 50
    held_out = [hold_out(labels, fraction=0.1, seed=seed).held_out for seed in (0, 1)]
    assert held_out[0].tolist() != held_out[1].tolist()


def test_more_labels_than_rows_to_hold_are_not_stratified():
    labels = [("a",)] * 4 + [("b",)] * 4 + [("c",)] * 4
    parts = hold_out(labels, fraction=0.1, seed=0)
    assert not parts.stratified
    assert {labels[row] for row in parts.remaining} == set(labels)


def test_multi_label_rows_are_drawn_at_random():
    labels = [("a", "b"), (), ("a",), ("b",), ()] * 4
    parts = hold_out(labels, fraction=0.2, seed=0, stratify=False)
    assert len(parts.held_out) == 4
    assert not parts.stratified


@pytest.mark.parametrize("labels", [[], [()], [("a",), ("b",)]])
def test_too_few_rows_are_a_data_error(labels):
    with pytest.raises(DataError, match="expected more rows than labels"):
        hold_out(labels, fraction=0.1, seed=0)


def test_the_latest_rows_are_held_out():
    times = [5.0, 1.0, 4.0, 2.0, 3.0]
    parts = hold_out([("a",)] * 5, fraction=0.4, seed=0, times=times)
    assert (parts.remaining.tolist(), parts.held_out.tolist()) == ([1, 3, 4], [0, 2])


def test_rows_of_one_time_stay_together():
    parts = hold_out([("a",)] * 4, fraction=0.25, seed=0, times=[1.0, 2.0, 2.0, 2.0])
    assert (parts.remaining.tolist(), parts.held_out.tolist()) == ([0], [1, 2, 3])
    parts = hold_out([("a",)] * 4, fraction=0.5, seed=0, times=[1.0, 1.0, 1.0, 2.0])
    assert (parts.remaining.tolist(), parts.held_out.tolist()) == ([0, 1, 2], [3])


def test_a_single_time_is_a_data_error():
    with pytest.raises(DataError, match="expected texts of different times"):
        hold_out([("a",)] * 4, fraction=0.5, seed=0, times=[1.0] * 4)
