"""The Keras layer over a recurrence."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.cells import (
    GRUCell,
    LSTMCell,
    RNNCell,
    SimpleRNNCell,
    States,
)
from textrnn.layers.inputs import RNNInputs
from textrnn.layers.recurrence import (
    Computation,
    CudnnDirection,
    Kernel,
    Recurrence,
    batch_parts,
    choose_kernel,
    cudnn,
    on_host,
    recur,
    recur_in_segments,
)
from textrnn.layers.recurrence.computation import check_integer
from textrnn.layers.window import Window

__all__ = ["RNN"]


@keras.saving.register_keras_serializable(package="textrnn")
class RNN(keras.layers.Layer):
    """Applies one cell step after step, with the same weights at every step.

    >>> layer = RNN(GRUCell(3), return_sequences=True)
    >>> layer(tf.zeros([2, 7, 5]), mask=tf.sequence_mask([7, 4])).shape
    TensorShape([2, 7, 3])

    The call is `layer(sequence [B, T, E], initial_state=None, mask=None, training=False)`. T may be
    unknown. Steps where `mask` `[B, T]` is False leave state and output as they were. The layer
    computes in the cell's dtype policy: give `dtype` to the cell.

    Args:
        cell: The `RNNCell` to apply.
        return_sequences: Whether to return the output of every step, `[B, T, H]`; else the layer
            returns the last output, `[B, H]`.
        return_state: Whether to return the list `[output, *final states]` and not the output alone.
        go_backwards: Whether to read from the last step to the first. As in Keras, the returned
            sequence is then in the order of reading.
        window: w, the number of inputs that a step sees: its own and the w-1 before it in the
            direction of reading, with zeros before the first, as in the convolution of Bradbury et
            al. 2016, "Quasi-Recurrent Neural Networks". The cell's kernel is `[w*E, G*H]`, the
            step's own input first.
        kernel: How the recurrence is computed: `unroll`, `chunked`, `scan`, `cudnn`, or `auto`, the
            fastest kernel that the cell allows; see `textrnn.layers.recurrence.choose_kernel`. All
            kernels give the same numbers.
        chunk_steps: The number of steps that one iteration of the loop writes out. None: the
            kernel's default.
        recompute: S, for long sequences in little memory: the layer holds the activations of S
            steps at a time, and the gradient computes them again; see
            `textrnn.layers.recurrence.recompute`. 0: the layer holds all activations.
        batch_parts: The number of parts of the batch that a CPU's cores compute side by side. None:
            as many as suit the machine.

    Raises:
        ConfigError: `cell` is no `RNNCell`, an integer is out of bounds, `kernel` does not suit
            the cell, `dtype` is not the cell's, or the number of tensors in the initial state is
            not the cell's number of states.
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
        batch_parts: int | None = None,
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
        check_integer("window", window, least=1)
        self.computation = Computation(kernel, chunk_steps, recompute, batch_parts)
        choose_kernel(cell, kernel)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.window = window
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
        self, inputs: RNNInputs, *, training: bool = False, directions: int = 1
    ) -> tuple[tf.Tensor, States]:
        """Computes the recurrence itself.

        Args:
            inputs: The sequence, and what goes with it.
            training: As in the call.
            directions: The number of recurrences that run side by side, this one included.

        Returns:
            The output `[B, T, H]` of each step at the place of its input, whatever the direction,
            and the final states, each `[B, H]`.
        """
        inputs = self.complete(inputs, training=training)
        # Other programs convert the plain loop of the unroll kernel, so it is never cut.
        plain = self.kernel(inputs).name == "unroll"
        parts = 1 if plain else self.computation.batch_parts or batch_parts(directions=directions)
        results = [self._recur_part(part, training=training) for part in inputs.cut(parts)]
        if len(results) == 1:
            return results[0]
        outputs = tf.concat([outputs for outputs, _ in results], axis=0)
        finals = zip(*(states for _, states in results), strict=True)
        return (
            tf.ensure_shape(outputs, [*inputs.sequence.shape[:2], self.cell.output_size]),
            tuple(
                tf.ensure_shape(tf.concat(final, axis=0), state.shape)
                for final, state in zip(finals, inputs.states or (), strict=True)
            ),
        )

    def kernel(self, inputs: RNNInputs) -> Kernel:
        """Returns the kernel that reads some inputs."""
        dropout = inputs.dropout_mask is not None
        return choose_kernel(self.cell, self.computation.kernel, dropout=dropout)

    def complete(self, inputs: RNNInputs, *, training: bool) -> RNNInputs:
        """Adds initial states and the recurrent dropout mask where they are missing."""
        batch_size, cell = tf.shape(inputs.sequence)[0], self.cell
        states = inputs.states
        if states is None:
            states = tuple(cell.get_initial_state(batch_size))
        if len(states) != cell.state_count:
            raise ConfigError(
                f"`initial_state` must hold {cell.state_count} tensors for "
                f"{type(cell).__name__}, got {len(states)}."
            )
        rows = inputs.sequence.shape[0]
        states = tuple(
            tf.ensure_shape(tf.cast(state, cell.state_dtype), [rows, size])
            for state, size in zip(states, cell.state_size, strict=True)
        )
        dropout_mask = inputs.dropout_mask
        if dropout_mask is None:
            dropout_mask = cell.dropout_mask(batch_size, training=training)
        return inputs._replace(states=states, dropout_mask=dropout_mask)

    def _recur_part(self, part: RNNInputs, *, training: bool) -> tuple[tf.Tensor, States]:
        """Computes the recurrence of some rows of the batch."""
        computation, kernel = self.computation, self.kernel(part).name

        def run(
            inputs: tf.Tensor, states: States, mask: tf.Tensor | None
        ) -> tuple[tf.Tensor, States]:
            if kernel == "cudnn":
                direction = CudnnDirection(self.cell, states)
                way = {"backward" if self.go_backwards else "forward": direction}
                return cudnn(inputs, mask=mask, **way)[0]
            return recur(
                Recurrence(
                    self.cell,
                    self.cell.project(inputs),  # [T, B, G*H]
                    states,
                    mask,
                    reverse=self.go_backwards,
                    dropout_mask=part.dropout_mask,
                ),
                kernel=kernel,
                chunk_steps=computation.chunk_steps,
                save_activations=training or bool(computation.recompute),
            )

        inputs = self.windowed(part.sequence, part.mask, part.before)  # [T, B, w*E]
        with on_host():
            mask = None if part.mask is None else tf.transpose(part.mask)
        states = part.states or ()
        if computation.recompute:
            outputs, states = recur_in_segments(
                run,
                inputs,
                states=states,
                mask=mask,
                reverse=self.go_backwards,
                segment_steps=computation.recompute,
            )
        else:
            outputs, states = run(inputs, states, mask)
        return self.batch_major(outputs), states

    def batch_major(self, outputs: tf.Tensor) -> tf.Tensor:
        """Returns outputs `[B, T, H]` in the compute dtype, from those of a kernel `[T, B, H]`."""
        return tf.cast(tf.transpose(outputs, [1, 0, 2]), self.compute_dtype)

    def call(
        self,
        sequence: tf.Tensor,
        initial_state: Any = None,
        mask: tf.Tensor | None = None,
        training: bool = False,
        sequence_mask: tf.Tensor | None = None,
    ) -> Any:
        """Reads sequences; see the class.

        If there are initial states too, Keras passes the mask of `sequence` as `sequence_mask`.
        `mask` has precedence.
        """
        if mask is None:
            mask = sequence_mask
        inputs = RNNInputs.from_call(sequence, mask, initial_state)
        outputs, states = self.recur(inputs, training=training)
        if not self.return_sequences:
            output = self.last(outputs, states)
        else:
            output = tf.reverse(outputs, axis=[1]) if self.go_backwards else outputs
        return [output, *states] if self.return_state else output

    def last(self, outputs: tf.Tensor, states: States) -> tf.Tensor:
        """Returns the last output `[B, H]`.

        Args:
            outputs: `[B, T, H]`, in the order of time.
            states: The final states.
        """
        if self.cell.output_is_state:
            # The first state is the output, and TensorFlow then drops the transposed outputs.
            return tf.cast(states[0], self.compute_dtype)
        return outputs[:, 0 if self.go_backwards else -1]

    def start(self, batch_size: Any, input_units: int) -> States:
        """Returns the state with which `advance` starts, for sequences `[B, T, E]`.

        It holds the initial states and, with a `window`, the inputs before: `[B, w-1, E]`.
        """
        states = tuple(self.cell.get_initial_state(batch_size))
        if self.window == 1:
            return states
        return (*states, tf.zeros([batch_size, self.window - 1, input_units], self.compute_dtype))

    def advance(
        self,
        state: States,
        sequence: tf.Tensor,
        mask: tf.Tensor | None = None,
        *,
        training: bool = False,
        dropout_mask: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, States]:
        """Reads the next piece of sequences that may have no end.

        Args:
            state: The result of `start`, or the state after the piece before.
            sequence: `[B, T, E]`.
            mask: `[B, T]` of bool, in each row True up to its last input and False after it. A
                piece whose final state is not needed may have padding at its beginning too. None:
                there is input everywhere.
            training: Whether a gradient will be computed.
            dropout_mask: `[B, H]`, the same for all pieces.

        Returns:
            The output `[B, T, H]` of each step, and the state after the piece.

        Raises:
            ConfigError: The layer reads backwards, so it needs the end first.
        """
        if self.go_backwards:
            raise ConfigError("a layer that reads backwards needs the whole sequence at once.")
        before = state[-1] if self.window > 1 else None
        inputs = RNNInputs(
            sequence,
            mask,
            states=state[: self.cell.state_count],
            before=before,
            dropout_mask=dropout_mask,
        )
        outputs, states = self.recur(inputs, training=training)
        if before is None:
            return outputs, states
        return outputs, (*states, Window(self.window).advance(before, sequence, mask))

    def windowed(
        self,
        sequence: tf.Tensor,
        mask: tf.Tensor | None = None,
        before: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Joins each step's input with those before it, time first: `[T, B, w*E]`; see `Window`."""
        return Window(self.window, self.go_backwards).join(sequence, mask=mask, before=before)

    def compute_mask(self, _: Any, previous: Any = None) -> Any:
        """Returns the input's mask if the layer returns sequences, else None."""
        mask = previous[0] if isinstance(previous, (list, tuple)) else previous
        if not self.return_sequences:
            mask = None
        elif mask is not None and self.go_backwards:
            mask = keras.ops.flip(mask, axis=1)
        return [mask] + [None] * self.cell.state_count if self.return_state else mask

    def to_keras(self) -> keras.layers.Layer:
        """Makes the `keras.layers` layer with the same weights and results, for `[B, T, E]`.

        On a GPU that layer runs cuDNN's kernel if the mask is right-padded and leaves no row empty.
        Where a mask is False, its sequences differ from this layer's.

        Raises:
            ConfigError: Keras has no such layer, or this layer is not built.
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
        """Returns the settings with which `from_config` makes the layer again, without weights."""
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "window": self.window,
            **dataclasses.asdict(self.computation),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RNN:
        """Makes the layer that `get_config` describes."""
        cell = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**{**config, "cell": cell})
