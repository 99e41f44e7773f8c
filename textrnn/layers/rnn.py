"""The Keras layer over a recurrence."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.cells import (
    GRUCell,
    LinearRNNCell,
    LSTMCell,
    NonlinearRNNCell,
    RNNCell,
    SimpleRNNCell,
    States,
)
from textrnn.layers.recurrence import batch_parts, choose_kernel, cut_batch, recur
from textrnn.layers.recurrence.recompute import recur_in_segments

__all__ = ["RNN"]


@keras.saving.register_keras_serializable(package="textrnn")
class RNN(keras.layers.Layer):
    """Applies one cell step after step, with the same weights at each.

    The call is `layer(sequence [B, T, E], initial_state=None, mask=None, training=False)`. T may be
    unknown. Steps where `mask` `[B, T]` is False leave state and output as they were. The layer
    computes in the cell's dtype policy: give `dtype` to the cell.

    Args:
        cell: The `RNNCell` to apply.
        return_sequences: Whether to return each step's output `[B, T, H]`, not the last `[B, H]`.
        return_state: Whether to return the final states too, as a list behind the output.
        go_backwards: Whether to read from the last step to the first. As in Keras, the returned
            sequence is then in the order of reading.
        window: w, how many inputs a step sees: its own and the w-1 before it in the direction of
            reading, zeros before the first, as in the convolution of Bradbury et al. 2016,
            "Quasi-Recurrent Neural Networks". 1: the plain cell. The cell's kernel is then
            `[w*E, G*H]`, the step's own input first.
        kernel: How the recurrence is computed: `unroll`, `chunked`, `scan`, or `auto`, the fastest
            that the cell allows; see `textrnn.layers.recurrence.choose_kernel`. All give the same
            numbers.
        chunk_steps: How many steps one iteration of the loop writes out. None: the kernel's own.
        recompute: S, for long sequences in little memory: what the steps compute on the way is
            held for S of them at a time and computed again for the gradient; see
            `textrnn.layers.recurrence.recompute`. 0: all is held.
        parts: Into how many parts the batch is cut, which a CPU's cores compute side by side.
            None: as many as suit the machine.

    Raises:
        ConfigError: `cell` is no `RNNCell`, an integer is out of bounds, `kernel` does not suit
            the cell, `dtype` is not the cell's, or the initial state has not as many tensors as
            the cell has states.
    """

    def __init__(
        self,
        cell: RNNCell,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        window: int = 1,
        kernel: str = "auto",
        chunk_steps: int | None = None,
        recompute: int = 0,
        parts: int | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(cell, RNNCell):
            raise ConfigError(
                f"`cell` must be a textrnn cell such as LSTMCell(64), got {cell!r}; "
                "keras.layers.RNN takes Keras' own cells."
            )
        super().__init__(**{"dtype": cell.dtype_policy, **kwargs})
        if self.dtype_policy.name != cell.dtype_policy.name:
            raise ConfigError(
                f"`dtype` must be the cell's, {cell.dtype_policy.name}, got "
                f"{self.dtype_policy.name}; give it to the cell."
            )
        _check_integer("window", window, least=1)
        _check_integer("chunk_steps", 1 if chunk_steps is None else chunk_steps, least=1)
        _check_integer("recompute", recompute, least=0)
        _check_integer("parts", 1 if parts is None else parts, least=1)
        choose_kernel(cell, kernel)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.window = window
        self.kernel = kernel
        self.chunk_steps = chunk_steps
        self.recompute = recompute
        self.parts = parts
        self.supports_masking = True

    def build(self, sequence_shape: tuple[int | None, ...]) -> None:
        """Makes the cell's weights for sequences `[B, T, E]`."""
        if len(sequence_shape) != 3 or sequence_shape[-1] is None:
            raise ConfigError(
                f"expected a sequence [batch, time, units] of known units, got {sequence_shape}."
            )
        # A cell that another layer uses too, or that was loaded with its weights, is built already.
        if not self.cell.built:
            self.cell.build((*sequence_shape[:-1], self.window * sequence_shape[-1]))

    def recur(
        self,
        sequence: tf.Tensor,
        *,
        initial_state: Any = None,
        mask: tf.Tensor | None = None,
        training: bool = False,
        directions: int = 1,
        before: tf.Tensor | None = None,
        dropout_mask: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, States]:
        """The recurrence itself.

        Args:
            sequence: `[B, T, E]`.
            initial_state: As in the call.
            mask: As in the call.
            training: As in the call.
            directions: How many recurrences run side by side, this one included.
            before: `[B, w-1, E]`, the inputs before the first one, for the `window` of a recurrence
                that goes on; zeros if None.
            dropout_mask: `[B, H]`, of a recurrence that goes on; in training one is drawn if None.

        Returns:
            The output `[B, T, H]` of each step at its input's place, whichever the direction, and
            the final states, each `[B, H]`.
        """
        batch_size = tf.shape(sequence)[0]
        if initial_state is None:
            initial_state = self.cell.get_initial_state(batch_size)
        states = tuple(tf.nest.flatten(initial_state))
        if len(states) != self.cell.state_count:
            raise ConfigError(
                f"`initial_state` must hold {self.cell.state_count} tensors for "
                f"{type(self.cell).__name__}, got {len(states)}."
            )
        states = tuple(
            tf.ensure_shape(tf.cast(state, self.cell.state_dtype), [sequence.shape[0], size])
            for state, size in zip(states, self.cell.state_size, strict=True)
        )
        if dropout_mask is None:
            dropout_mask = self.cell.dropout_mask(batch_size, training=training)
        # The plain loop is what other programs convert; it is never cut.
        plain = choose_kernel(self.cell, self.kernel).name == "unroll"
        parts = 1 if plain else self.parts or batch_parts(directions=directions)
        batch = [sequence, mask, dropout_mask, before, *states]
        results = [
            self._recur_part(part, row_mask, dropped, earlier, tuple(starts), training=training)
            for part, row_mask, dropped, earlier, *starts in cut_batch(batch, parts=parts)
        ]
        if len(results) == 1:
            return results[0]
        outputs = tf.concat([part for part, _ in results], axis=0)
        finals = zip(*(part for _, part in results), strict=True)
        return (
            tf.ensure_shape(outputs, [*sequence.shape[:2], self.cell.output_size]),
            tuple(
                tf.ensure_shape(tf.concat(final, axis=0), state.shape)
                for final, state in zip(finals, states, strict=True)
            ),
        )

    def _recur_part(
        self,
        sequence: tf.Tensor,
        mask: tf.Tensor | None,
        dropout_mask: tf.Tensor | None,
        before: tf.Tensor | None,
        states: States,
        *,
        training: bool,
    ) -> tuple[tf.Tensor, States]:
        """The recurrence of some rows of the batch."""

        def run(
            inputs: tf.Tensor, states: States, mask: tf.Tensor | None
        ) -> tuple[tf.Tensor, States]:
            return recur(
                self.cell,
                self.cell.project(inputs),  # [T, B, G*H]
                states,
                mask,
                reverse=self.go_backwards,
                dropout_mask=dropout_mask,
                kernel=self.kernel,
                chunk_steps=self.chunk_steps,
                keep=training or bool(self.recompute),
            )

        inputs = self.windowed(sequence, mask, before)  # [T, B, w*E]
        mask = None if mask is None else tf.transpose(mask)
        if self.recompute:
            outputs, states = recur_in_segments(
                run,
                inputs,
                states,
                mask,
                reverse=self.go_backwards,
                segment_steps=self.recompute,
            )
        else:
            outputs, states = run(inputs, states, mask)
        return tf.cast(tf.transpose(outputs, [1, 0, 2]), self.compute_dtype), states

    def call(
        self,
        sequence: tf.Tensor,
        initial_state: Any = None,
        mask: tf.Tensor | None = None,
        training: bool = False,
        sequence_mask: tf.Tensor | None = None,
    ) -> Any:
        """See the class.

        `sequence_mask` is the name by which Keras hands on the mask that goes with `sequence` when
        there are initial states too; `mask` comes first.
        """
        if mask is None:
            mask = sequence_mask
        outputs, states = self.recur(
            sequence, initial_state=initial_state, mask=mask, training=training
        )
        if not self.return_sequences:
            output = self.last(outputs, states)
        else:
            output = tf.reverse(outputs, axis=[1]) if self.go_backwards else outputs
        return [output, *states] if self.return_state else output

    def last(self, outputs: tf.Tensor, states: States) -> tf.Tensor:
        """The output `[B, H]` of the last step, of the outputs in order of time."""
        if isinstance(self.cell, (LinearRNNCell, NonlinearRNNCell)):
            # It is the first state, and the outputs need not be brought into batch-major form.
            return tf.cast(states[0], self.compute_dtype)
        return outputs[:, 0 if self.go_backwards else -1]

    def start(self, batch_size: Any, input_units: int) -> States:
        """What `advance` starts with, for sequences `[B, T, E]` of which nothing was read yet.

        The initial states, and behind them, with a `window`, the inputs before: `[B, w-1, E]`.
        """
        states = tuple(self.cell.get_initial_state(batch_size))
        if self.window == 1:
            return states
        return (*states, tf.zeros([batch_size, self.window - 1, input_units], self.compute_dtype))

    def advance(
        self,
        memory: States,
        sequence: tf.Tensor,
        mask: tf.Tensor | None,
        *,
        training: bool = False,
        dropout_mask: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, States]:
        """Reads the next piece of sequences that may have no end.

        Args:
            memory: What `start` or the piece before gave.
            sequence: `[B, T, E]`.
            mask: `[B, T]` of bool, in each row True up to its last input and False from there on.
                A piece whose memory is not needed may have padding at its beginning too. None:
                there is input everywhere.
            training: Whether the gradient will be asked for.
            dropout_mask: `[B, H]`, the same for all pieces.

        Returns:
            The output `[B, T, H]` of each step, and the memory after the piece.

        Raises:
            ConfigError: The layer reads backwards, so that it needs the end first.
        """
        if self.go_backwards:
            raise ConfigError("a layer that reads backwards needs the whole sequence at once.")
        states = memory[: self.cell.state_count]
        before = memory[-1] if self.window > 1 else None
        outputs, states = self.recur(
            sequence,
            initial_state=states,
            mask=mask,
            before=before,
            training=training,
            dropout_mask=dropout_mask,
        )
        if before is None:
            return outputs, states
        inputs = tf.concat([before, tf.cast(sequence, before.dtype)], axis=1)
        if mask is None:
            return outputs, (*states, inputs[:, -(self.window - 1) :])
        lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True)  # [B, 1]
        places = lengths + tf.range(self.window - 1)  # [B, w-1]
        return outputs, (*states, tf.gather(inputs, places, batch_dims=1))

    def windowed(
        self,
        sequence: tf.Tensor,
        mask: tf.Tensor | None = None,
        before: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Each step's input beside those before it, time first: `[T, B, w*E]`; see `recur`."""
        if mask is not None and self.window > 1:
            sequence = tf.where(mask[:, :, tf.newaxis], sequence, 0)
        sequence = tf.transpose(sequence, [1, 0, 2])
        if self.window == 1:
            return sequence
        shape = tf.shape(sequence)
        earlier = self.window - 1
        if before is None:
            padding = [0, earlier] if self.go_backwards else [earlier, 0]
            padded = tf.pad(sequence, [padding, [0, 0], [0, 0]])
        else:
            padded = tf.concat([tf.transpose(before, [1, 0, 2]), sequence], axis=0)
        starts = range(self.window) if self.go_backwards else range(earlier, -1, -1)
        # Not by [start:stop], whose gradient is ten times as slow on a CPU as this one's.
        shifted = [tf.slice(padded, [start, 0, 0], shape) for start in starts]
        return tf.ensure_shape(
            tf.concat(shifted, axis=-1),
            [*sequence.shape[:2], self.window * sequence.shape[-1]],
        )

    def compute_mask(self, _: Any, previous: Any = None) -> Any:
        """The mask of the output: the input's where sequences are returned, else none."""
        mask = previous[0] if isinstance(previous, (list, tuple)) else previous
        if not self.return_sequences:
            mask = None
        elif mask is not None and self.go_backwards:
            mask = keras.ops.flip(mask, axis=1)
        return [mask] + [None] * self.cell.state_count if self.return_state else mask

    def to_keras(self) -> keras.layers.Layer:
        """The `keras.layers` layer with the same weights and results, made for `[B, T, E]`.

        On a GPU that layer runs cuDNN's kernel, for masks that are right-padded and leave no row
        empty; where a mask is False its sequences differ from this layer's.

        Raises:
            ConfigError: Keras has no such layer, or this one is not built.
        """
        kinds = {
            SimpleRNNCell: keras.layers.SimpleRNN,
            GRUCell: keras.layers.GRU,
            LSTMCell: keras.layers.LSTM,
        }
        kind = kinds.get(type(self.cell))
        if kind is None or self.window != 1:
            raise ConfigError(
                "keras.layers has SimpleRNN, GRU and LSTM, all with `window` 1; got "
                f"{type(self.cell).__name__} with {self.window}."
            )
        if not self.cell.built:
            raise ConfigError("the layer has no weights yet; call it or build it first.")
        layer = kind(
            self.cell.units,
            return_sequences=self.return_sequences,
            return_state=self.return_state,
            go_backwards=self.go_backwards,
            recurrent_dropout=self.cell.recurrent_dropout,
            dtype=self.dtype_policy,
        )
        layer.build((None, None, self.cell.kernel.shape[0]))
        layer.set_weights(self.cell.get_weights())
        return layer

    def get_config(self) -> dict[str, Any]:
        """Everything that `from_config` needs to make the layer again, without its weights."""
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "window": self.window,
            "kernel": self.kernel,
            "chunk_steps": self.chunk_steps,
            "recompute": self.recompute,
            "parts": self.parts,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RNN:
        """Makes the layer that `get_config` describes."""
        cell = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**{**config, "cell": cell})


def _check_integer(name: str, value: Any, *, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        kind = "a positive integer" if least else "an integer of at least 0"
        raise ConfigError(f"`{name}` must be {kind}, got {value!r}.")
