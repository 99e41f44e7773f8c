"""The inputs of a recurrent layer and their parts."""

from __future__ import annotations

import tensorflow as tf
from cases import assert_close

from textrnn.layers.inputs import RNNInputs

SEQUENCE = tf.reshape(tf.range(12.0), [3, 2, 2])


def test_an_initial_state_may_be_a_tensor_or_a_nest() -> None:
    h, c = tf.zeros([3, 1]), tf.ones([3, 1])
    assert RNNInputs.from_call(SEQUENCE, None, None).states is None
    assert RNNInputs.from_call(SEQUENCE, None, h).states == (h,)
    assert RNNInputs.from_call(SEQUENCE, None, [h, [c]]).states == (h, c)


def test_each_part_has_its_rows_of_everything() -> None:
    mask = tf.constant([[True, True], [True, False], [False, False]])
    states = (tf.constant([[1.0], [2.0], [3.0]]), tf.constant([[4.0], [5.0], [6.0]]))
    first, second = RNNInputs(SEQUENCE, mask, states, dropout_mask=states[1]).cut(2)
    assert_close(first.sequence, SEQUENCE[:1])
    assert_close(second.sequence, SEQUENCE[1:])
    assert_close(second.mask, mask[1:])
    assert_close(second.states, [state[1:] for state in states])
    assert_close(second.dropout_mask, states[1][1:])
    assert first.before is None
