"""Segments whose activations are computed again, against the written-out loop."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from cases import MASKS, STEPS, each_family, few
from kernel_cases import (
    assert_relatively_close,
    cell_and_inputs,
    results_and_gradients,
    through,
    time_major,
)

from textrnn.layers.cells import States
from textrnn.layers.recurrence import recur_in_segments


@each_family
@pytest.mark.parametrize("reverse", few([True, False]))
def test_segments_computed_again_give_the_same(
    cell_name: str, reverse: bool, rng: np.random.Generator
) -> None:
    assert_segments_give_the_same(cell_name, 2, reverse=reverse, rng=rng)


@pytest.mark.thorough
@pytest.mark.parametrize("segment_steps", [STEPS, STEPS + 2])
def test_a_segment_may_be_all_steps_or_longer(segment_steps: int, rng: np.random.Generator) -> None:
    assert_segments_give_the_same("gru", segment_steps, reverse=True, rng=rng)


def assert_segments_give_the_same(
    cell_name: str, segment_steps: int, *, reverse: bool, rng: np.random.Generator
) -> None:
    cell, inputs, states = cell_and_inputs(cell_name, rng)
    mask = time_major(MASKS["partial"])

    def segments(inputs: tf.Tensor, states: States) -> Any:
        def run(inputs: tf.Tensor, states: States, mask: tf.Tensor | None) -> Any:
            return through(cell, mask, reverse=reverse)(inputs, states)

        return recur_in_segments(
            run,
            inputs,
            states=states,
            mask=mask,
            reverse=reverse,
            segment_steps=segment_steps,
        )

    plain = through(cell, mask, kernel="unroll", reverse=reverse)
    expected = results_and_gradients(plain, cell, inputs, states)
    compute = functools.partial(results_and_gradients, segments, cell)
    assert_relatively_close(tf.function(compute)(inputs, states), expected, 1e-10)
