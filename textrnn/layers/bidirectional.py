"""Two recurrences over one sequence, one in each direction."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.cells import States
from textrnn.layers.inputs import RNNInputs
from textrnn.layers.recurrence import CudnnDirection, cudnn, on_host
from textrnn.layers.rnn import RNN

__all__ = ["Bidirectional"]


@keras.saving.register_keras_serializable(package="textrnn")
class Bidirectional(keras.layers.Layer):
    """Reads a sequence in both directions, with a cell for each, and joins their outputs.

    The output at each step joins the state that has read everything before it with the state that
    has read everything after it (Schuster & Paliwal 1997, "Bidirectional Recurrent Neural
    Networks"). The call has the arguments of an `RNN`; the initial states are the forward ones,
    then the backward ones.

    >>> from textrnn.layers.cells import LSTMCell
    >>> layer = Bidirectional(RNN(LSTMCell(3), return_sequences=True))
    >>> layer(tf.zeros([2, 7, 5])).shape
    TensorShape([2, 7, 6])

    Args:
        layer: The forward `RNN`. The backward one has the same settings and its own weights.
        merge_mode: `concat` (`[B, T, 2H]`), `sum`, `ave` or `mul` (`[B, T, H]`).
        split: Whether the forward direction reads the first half of the inputs `[B, T, 2E]`, and
            the backward direction the second half. Layers of this kind form two stacks that do not
            see each other.

    Raises:
        ConfigError: `layer` is no forward `RNN`, `merge_mode` is unknown, the number of tensors in
            the initial state is not the number of states of both cells, or inputs of odd size are
            to be split.
    """

    def __init__(
        self, layer: RNN, *, merge_mode: str = "concat", split: bool = False, **kwargs: Any
    ) -> None:
        if not isinstance(layer, RNN) or layer.go_backwards:
            raise ConfigError(
                f"`layer` must be a textrnn.RNN with go_backwards=False, got {layer!r}."
            )
        super().__init__(**{"dtype": layer.dtype_policy, **kwargs})
        if merge_mode not in _MERGES:
            raise ConfigError(
                f"`merge_mode` must be one of {', '.join(_MERGES)}, got {merge_mode!r}."
            )
        self.forward_layer = layer
        config = layer.get_config()
        config["cell"]["config"]["name"] = f"backward_{layer.cell.name}"
        self.backward_layer = RNN.from_config(
            {**config, "name": f"backward_{layer.name}", "go_backwards": True}
        )
        self.merge_mode = merge_mode
        self.split = split
        self.supports_masking = True

    def build(self, sequence_shape: tuple[int | None, ...]) -> None:
        """Makes both cells' weights for sequences `[B, T, E]`."""
        if self.split:
            if sequence_shape[-1] is None or sequence_shape[-1] % 2:
                raise ConfigError(f"expected inputs of even size to split, got {sequence_shape}.")
            sequence_shape = (*sequence_shape[:-1], sequence_shape[-1] // 2)
        self.forward_layer.build(sequence_shape)
        self.backward_layer.build(sequence_shape)

    def halves(self, sequence: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the inputs of the forward and of the backward direction."""
        if not self.split:
            return sequence, sequence
        forward, backward = tf.split(sequence, 2, axis=-1)
        return forward, backward

    def call(
        self,
        sequence: tf.Tensor,
        initial_state: Any = None,
        mask: tf.Tensor | None = None,
        training: bool = False,
        sequence_mask: tf.Tensor | None = None,
    ) -> Any:
        """Reads sequences in both directions; see the class, and `RNN.call`."""
        if mask is None:
            mask = sequence_mask
        forward_start, backward_start = None, None
        if initial_state is not None:
            starts = tuple(tf.nest.flatten(initial_state))
            count = self.forward_layer.cell.state_count
            if len(starts) != 2 * count:
                raise ConfigError(
                    f"`initial_state` must hold {2 * count} tensors, {count} for each direction, "
                    f"got {len(starts)}."
                )
            forward_start, backward_start = starts[:count], starts[count:]
        ahead, back = self.halves(sequence)
        (forward, forward_states), (backward, backward_states) = self._recur(
            RNNInputs(ahead, mask, forward_start),
            RNNInputs(back, mask, backward_start),
            training=training,
        )
        if not self.forward_layer.return_sequences:
            forward = self.forward_layer.last(forward, forward_states)
            backward = self.backward_layer.last(backward, backward_states)
        output = _MERGES[self.merge_mode](forward, backward)
        if self.forward_layer.return_state:
            return [output, *forward_states, *backward_states]
        return output

    def _recur(
        self, ahead: RNNInputs, back: RNNInputs, *, training: bool
    ) -> list[tuple[tf.Tensor, States]]:
        """Computes both recurrences; see `RNN.recur`."""
        forward, backward = self.forward_layer, self.backward_layer
        ahead = forward.complete(ahead, training=training)
        back = backward.complete(back, training=training)
        together = not (self.split or forward.window > 1 or forward.computation.recompute)
        if together and forward.kernel(ahead).name == "cudnn":
            with on_host():
                mask = None if ahead.mask is None else tf.transpose(ahead.mask)
            results = cudnn(
                tf.transpose(ahead.sequence, [1, 0, 2]),  # [T, B, E]
                mask=mask,
                forward=CudnnDirection(forward.cell, ahead.states or ()),
                backward=CudnnDirection(backward.cell, back.states or ()),
            )
            return [(forward.batch_major(outputs), states) for outputs, states in results]
        return [
            layer.recur(inputs, training=training, directions=2)
            for layer, inputs in ((forward, ahead), (backward, back))
        ]

    def compute_mask(self, inputs: Any, previous: Any = None) -> Any:
        """Returns the mask of the outputs; see `RNN.compute_mask`."""
        mask = self.forward_layer.compute_mask(inputs, previous)
        if self.forward_layer.return_state:
            return mask + [None] * self.backward_layer.cell.state_count
        return mask

    def get_config(self) -> dict[str, Any]:
        """Returns the settings with which `from_config` makes the layer again, without weights."""
        return {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.forward_layer),
            "merge_mode": self.merge_mode,
            "split": self.split,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Bidirectional:
        """Makes the layer that `get_config` describes."""
        layer = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**{**config, "layer": layer})


_MERGES = {
    "concat": lambda forward, backward: tf.concat([forward, backward], axis=-1),
    "sum": lambda forward, backward: forward + backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
    "mul": lambda forward, backward: forward * backward,
}
