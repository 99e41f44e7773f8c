"""The earlier inputs that a step sees in addition to its own."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.testing import assert_array_equal

from textrnn.layers.window import Window

SEQUENCE = tf.constant([[[1.0], [2.0], [3.0]]])


def joined(window: Window, **settings: tf.Tensor) -> np.ndarray:
    return window.join(SEQUENCE, **settings).numpy()[:, 0]


def test_a_step_sees_its_own_input_and_those_before_it() -> None:
    assert_array_equal(joined(Window(1)), [[1.0], [2.0], [3.0]])
    assert_array_equal(joined(Window(2)), [[1.0, 0.0], [2.0, 1.0], [3.0, 2.0]])
    assert_array_equal(joined(Window(2, reverse=True)), [[1.0, 2.0], [2.0, 3.0], [3.0, 0.0]])


def test_masked_inputs_count_as_zeros() -> None:
    mask = tf.constant([[True, False, True]])
    assert_array_equal(joined(Window(2), mask=mask), [[1.0, 0.0], [0.0, 1.0], [3.0, 0.0]])


def test_the_inputs_before_the_first_step_can_be_given() -> None:
    before = tf.constant([[[8.0], [9.0]]])
    assert_array_equal(
        joined(Window(3), before=before), [[1.0, 9.0, 8.0], [2.0, 1.0, 9.0], [3.0, 2.0, 1.0]]
    )


def test_a_piece_leaves_its_last_inputs() -> None:
    window, before = Window(3), tf.constant([[[8.0], [9.0]]])
    assert_array_equal(window.advance(before, SEQUENCE, None), [[[2.0], [3.0]]])
    mask = tf.constant([[True, False, False]])
    assert_array_equal(window.advance(before, SEQUENCE, mask), [[[9.0], [1.0]]])
