"""The linear recurrence h_t = a_t h_{t-1} + u_t, parallel in time.

Two neighbouring steps are one step of the same form, `h_2 = (a_2 a_1) h_0 + (a_2 u_1 + u_2)`. So a
sequence of T steps becomes one of T/2 pairs, then of T/4, until one step is left. On the way back
each level computes the states inside its pairs from the states between them:

    pair up     a'_i = a_{2i+1} a_{2i}              u'_i = a_{2i+1} u_{2i} + u_{2i+1}
    spread      h_{2i+1} = h'_i                     h_{2i} = a_{2i} h'_{i-1} + u_{2i}

(Blelloch 1990, "Prefix Sums and Their Applications"). There are log2(T) levels of a few operations
each, on whole tensors `[T/2^k, B, H]`, and no loop. A level with an odd number of steps gets one
more that changes nothing (decay 1, update 0).

With h'_t the gradient of the loss in h_t, which includes what comes from later steps, the gradient
is a linear recurrence too, in the other direction:

    h'_t = d_t + a_{t+1} h'_{t+1}          d_t the gradient in the output at t
    a'_t = h'_t h_{t-1}                    u'_t = h'_t

(Martin & Cundy 2018, "Parallelizing Linear Recurrent Neural Nets Over Sequence Length"). Nothing
divides by a product of decays, so a long sequence, whose product vanishes, does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from textrnn.layers.cells import States
from textrnn.layers.recurrence.bptt import first_order_only
from textrnn.layers.recurrence.coefficients import coefficients, where_input
from textrnn.layers.recurrence.recurrence import Recurrence
from textrnn.layers.recurrence.time_order import Length

__all__ = ["UNKNOWN_LEVELS", "linear_scan", "scan"]

UNKNOWN_LEVELS = 20
"""The number of levels where the number of steps is unknown: enough for a million steps."""


def scan(recurrence: Recurrence) -> tuple[tf.Tensor, States]:
    """Applies a linear cell along time, all steps in log2(T) levels of whole tensors.

    It computes more than a loop over the steps, in far fewer operations, which suits wide devices.
    The graph has no loop, so XLA compiles it for every T.

    Args:
        recurrence: The recurrence, of a `LinearRNNCell`.

    Returns:
        The outputs `[T, B, H]` and the state after the last step, as `unroll` does.

    Raises:
        LookupError: By TensorFlow, if a second derivative is computed; the unroll kernel has it.
    """
    (state,) = recurrence.states
    decay, update = coefficients(recurrence, recurrence.gates)  # [T, B, H]
    kernel = _Scan(recurrence.mask, recurrence.reverse)
    outputs, final = tf.custom_gradient(kernel.compute)(decay, update, state)
    return outputs, (final,)


def linear_scan(
    decay: tf.Tensor, update: tf.Tensor, *, state: tf.Tensor, reverse: bool
) -> tf.Tensor:
    """Computes `h_t = decay_t * h_{t-1} + update_t` for all t.

    Args:
        decay: `[T, B, H]`.
        update: `[T, B, H]`.
        state: The state before the first step, `[B, H]`.
        reverse: Whether time runs from T-1 to 0.

    Returns:
        The states after each step, `[T, B, H]`, at the places of their inputs.
    """
    steps = decay.shape[0]
    levels = UNKNOWN_LEVELS if steps is None else (steps - 1).bit_length()
    return _level(decay, update, state[tf.newaxis], reverse=reverse, levels=levels)


def _level(
    decay: tf.Tensor, update: tf.Tensor, state: tf.Tensor, *, reverse: bool, levels: int
) -> tf.Tensor:
    """Computes the states `[T, B, H]` of one level; `state` is `[1, B, H]`."""
    if levels == 0:
        return decay * state + update
    a_1, a_2 = _pairs(decay, neutral=1.0, reverse=reverse)  # [ceil(T/2), B, H]
    u_1, u_2 = _pairs(update, neutral=0.0, reverse=reverse)
    after = _level(a_2 * a_1, a_2 * u_1 + u_2, state, reverse=reverse, levels=levels - 1)
    between = a_1 * _states_before(after, state, reverse=reverse) + u_1
    pairs = tf.stack([after, between] if reverse else [between, after], axis=1)
    states = tf.reshape(pairs, [-1, *_inner_shape(pairs, 2)])
    surplus = _surplus(update)
    if isinstance(surplus, tf.Tensor) or surplus:
        states = states[surplus:] if reverse else states[: _length(update)]
    return tf.ensure_shape(states, update.shape)


def _states_before(states: tf.Tensor, state: tf.Tensor, *, reverse: bool) -> tf.Tensor:
    """The states before each step, from those after each step and the initial one `[1, B, H]`."""
    return tf.concat([states[1:], state] if reverse else [state, states[:-1]], axis=0)


def _pairs(values: tf.Tensor, *, neutral: float, reverse: bool) -> list[tf.Tensor]:
    """Separates the first and the second steps of pairs, in the order of reading.

    An odd number of steps gets one more, of the neutral value, after the last step that is read.
    """
    surplus = _surplus(values)
    if isinstance(surplus, tf.Tensor) or surplus:
        paddings = [[surplus, 0] if reverse else [0, surplus], [0, 0], [0, 0]]
        values = tf.pad(values, paddings, constant_values=neutral)
    shape = [-1, 2, *_inner_shape(values, 1)]
    pairs: list[tf.Tensor] = tf.unstack(tf.reshape(values, shape), num=2, axis=1)
    return pairs[::-1] if reverse else pairs


def _length(values: tf.Tensor) -> Length:
    """The number of steps, an integer where it is known."""
    return tf.shape(values)[0] if values.shape[0] is None else values.shape[0]


def _surplus(values: tf.Tensor) -> Length:
    """1 if the number of steps is odd, else 0."""
    return _length(values) % 2


def _inner_shape(values: tf.Tensor, axis: int) -> list[Length]:
    """The sizes from an axis on, integers where they are known."""
    sizes = list(values.shape[axis:])
    if None in sizes:
        sizes = tf.unstack(tf.shape(values)[axis:], num=len(sizes))
    return sizes


@dataclass(frozen=True)
class _Scan:
    """A scan with a mask, as one function with a custom gradient.

    Attributes:
        mask: `[T, B]` of bool, or None.
        reverse: Whether time runs from T-1 to 0.
    """

    mask: tf.Tensor | None
    reverse: bool

    def compute(self, decay: tf.Tensor, update: tf.Tensor, state: tf.Tensor) -> Any:
        """Computes outputs and the final state.

        Args:
            decay: `[T, B, H]`.
            update: `[T, B, H]`.
            state: `[B, H]`.

        Returns:
            The outputs and the final state in one tuple, and the function of their gradients.
        """
        decay = where_input(self.mask, decay, 1.0)
        states = linear_scan(
            decay, where_input(self.mask, update, 0.0), state=state, reverse=self.reverse
        )

        def gradient(d_outputs: tf.Tensor, d_final: tf.Tensor) -> tuple[tf.Tensor, ...]:
            # Each step's gradient is reached through the decay of the step after it.
            one = tf.ones_like(decay[:1])
            d_states = linear_scan(
                tf.concat([one, decay[:-1]] if self.reverse else [decay[1:], one], axis=0),
                d_outputs,
                state=d_final,
                reverse=not self.reverse,
            )
            d_update = where_input(self.mask, d_states, 0.0)
            before = _states_before(states, state[tf.newaxis], reverse=self.reverse)
            first = -1 if self.reverse else 0
            gradients = (d_update * before, d_update, decay[first] * d_states[first])
            return tuple(first_order_only(d) for d in gradients)

        return (states, states[0 if self.reverse else -1]), gradient
