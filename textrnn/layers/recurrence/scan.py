"""The linear recurrence h_t = a_t h_{t-1} + u_t, parallel in time.

Two neighbouring steps are one step of the same form, `h_2 = (a_2 a_1) h_0 + (a_2 u_1 + u_2)`. So a
sequence of T steps becomes one of T/2 pairs, then of T/4, until one step is left. On the way back
each level computes the states inside its pairs from the states between them:

    pair up     a'_i = a_{2i+1} a_{2i}              u'_i = a_{2i+1} u_{2i} + u_{2i+1}
    spread      h_{2i+1} = h'_i                     h_{2i} = a_{2i} h'_{i-1} + u_{2i}

(Blelloch 1990, "Prefix Sums and Their Applications"). There are log2(T) levels of a few operations
each, on whole tensors `[T/2^k, B, H]`, and no loop. The last of an odd number of steps is in no
pair; its state follows from the one before it.

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
    levels = UNKNOWN_LEVELS if steps is None else steps.bit_length() - 1
    if reverse:
        decay, update = tf.reverse(decay, [0]), tf.reverse(update, [0])
    static = None not in update.shape[1:]
    shape = [-1, *update.shape[1:]] if static else tf.concat([[-1], tf.shape(update)[1:]], axis=0)
    states = _level(decay, update, state[tf.newaxis], levels=levels, shape=shape)
    return tf.reverse(states, [0]) if reverse else states


def _level(
    decay: tf.Tensor,
    update: tf.Tensor,
    state: tf.Tensor,
    *,
    levels: int,
    shape: list[int] | tf.Tensor,
) -> tf.Tensor:
    """Computes the states of one level, read forwards.

    Args:
        decay: `[T, B, H]`.
        update: `[T, B, H]`.
        state: The state before the first step, `[1, B, H]`.
        levels: The number of levels below this one.
        shape: `[-1, B, H]`.

    Returns:
        The states after each step, `[T, B, H]`.
    """
    if levels == 0:  # At most one step is left.
        return decay * state + update
    (a_1, a_2), (u_1, u_2) = (_pairs(values, shape) for values in (decay, update))
    after_pairs = _level(a_2 * a_1, a_2 * u_1 + u_2, state, levels=levels - 1, shape=shape)
    steps = decay.shape[0]
    if steps is not None and steps % 2 == 0:
        between = a_1 * _states_before(after_pairs, state, reverse=False) + u_1
        return _alternate(between, after_pairs, shape)
    # The last step has none beside it, or that is not known: one more is computed and left out.
    before = tf.concat([state, after_pairs], axis=0)
    firsts = _one_longer(decay)[::2] * before + _one_longer(update)[::2]
    states = tf.slice(
        _alternate(firsts, _one_longer(after_pairs), shape), [0, 0, 0], tf.shape(update)
    )
    return tf.ensure_shape(states, update.shape)


def _pairs(values: tf.Tensor, shape: list[int] | tf.Tensor) -> list[tf.Tensor]:
    """Takes the first and the second step of each pair, `[T/2, B, H]`; `shape` is `[-1, B, H]`.

    The last of an odd number of steps is left out.
    """
    steps = values.shape[0]
    if steps is None or steps % 2 or isinstance(shape, tf.Tensor):
        return [values[:-1:2], values[1::2]]
    pairs: list[tf.Tensor] = tf.unstack(tf.reshape(values, [-1, 2, *shape[1:]]), axis=1)
    return pairs


def _states_before(states: tf.Tensor, state: tf.Tensor, *, reverse: bool) -> tf.Tensor:
    """The states before each step, from those after each step and the initial one `[1, B, H]`."""
    return tf.concat([states[1:], state] if reverse else [state, states[:-1]], axis=0)


def _one_longer(values: tf.Tensor) -> tf.Tensor:
    """Appends one step of zeros."""
    return tf.pad(values, [[0, 1], [0, 0], [0, 0]])


def _alternate(firsts: tf.Tensor, seconds: tf.Tensor, shape: list[int] | tf.Tensor) -> tf.Tensor:
    """Takes steps `[N, B, H]` from both in turn: `[2N, B, H]`; `shape` is `[-1, B, H]`."""
    return tf.reshape(tf.stack([firsts, seconds], axis=1), shape)


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
