"""Parts of a batch."""

from __future__ import annotations

import importlib

import pytest
import tensorflow as tf

from textrnn.layers.recurrence import batch_parts, cut_batch


def sizes(batch: tf.Tensor, parts: int) -> list[int]:
    return [int(tf.shape(part)[0]) for (part,) in cut_batch([batch], parts=parts)]


def test_the_sizes_of_parts_differ_by_one_row_at_most() -> None:
    assert sizes(tf.zeros([7, 2]), 3) == [2, 2, 3]
    assert sizes(tf.zeros([7, 2]), 1) == [7]


def test_a_batch_of_known_size_has_no_empty_part() -> None:
    assert sizes(tf.zeros([2, 2]), 5) == [1, 1]
    assert sizes(tf.zeros([0, 2]), 5) == [0]


def test_a_batch_of_unknown_size_can_have_an_empty_part() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def rows(batch: tf.Tensor) -> list[tf.Tensor]:
        return [tf.shape(part)[0] for (part,) in cut_batch([batch], parts=3)]

    assert [int(count) for count in rows(tf.zeros([2, 2]))] == [0, 1, 1]


def test_what_is_missing_is_missing_in_every_part() -> None:
    first, second = cut_batch([tf.zeros([2, 2]), None], parts=2)
    assert (first[1], second[1]) == (None, None)


def test_eager_execution_needs_no_parts() -> None:
    assert batch_parts(directions=1) == 1


@pytest.mark.parametrize(("directions", "parts"), [(1, 4), (2, 2), (8, 1)])
def test_the_cores_are_shared_by_the_directions(
    directions: int, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The folder has a function of the same name.
    module = importlib.import_module("textrnn.layers.recurrence.batch_parts")
    monkeypatch.setattr(module, "count_cores", lambda: 4)
    with tf.Graph().as_default():
        assert batch_parts(directions=directions) == parts
