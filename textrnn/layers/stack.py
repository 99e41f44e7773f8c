"""Recurrent layers one above the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.bidirectional import Bidirectional
from textrnn.layers.cells import RNNCell, States
from textrnn.layers.rnn import RNN

__all__ = ["RNNStack", "halve_time"]


@keras.saving.register_keras_serializable(package="textrnn")
class RNNStack(keras.layers.Layer):
    """Layers of recurrence, the states of one being the inputs of the next.

    The call is `stack(sequence [B, T, E], mask=None, training=False)`; it returns the states
    `[B, T', H']` of the last layer and their mask `[B, T']`, all True if none was given. H' is 2H
    when bidirectional; T' is T, or with `pyramid` T halved, rounded up, once between each two layers.

    Args:
        cells: One `RNNCell` a layer.
        bidirectional: Whether each layer reads in both directions.
        separate_directions: Whether the directions are two stacks that do not see each other (Peters et al.
            2018, "Deep Contextualized Word Representations"); else each layer of a direction reads
            both directions of the layer below.
        window: As in `RNN`, for each layer.
        residual: Whether a layer's input is added to its output where their sizes agree (He et
            al. 2016, "Deep Residual Learning for Image Recognition"); with `separate_directions` in each tower.
        layer_norm: Whether each layer's output is normalised (Ba et al. 2016, "Layer
            Normalization").
        pyramid: Whether two neighbouring states are joined into one between layers (the pyramid of
            Chan et al. 2016, "Listen, Attend and Spell").
        dropout: Share of the values dropped between layers.
        kernel: As in `RNN`, for each layer.
        recompute: As in `RNN`, for each layer.
        parts: As in `RNN`, for each layer.

    Raises:
        ConfigError: `cells` is empty, or a setting does not suit them.
    """

    def __init__(
        self,
        cells: Sequence[RNNCell],
        *,
        bidirectional: bool = False,
        separate_directions: bool = False,
        window: int = 1,
        residual: bool = False,
        layer_norm: bool = False,
        pyramid: bool = False,
        dropout: float = 0.0,
        kernel: str = "auto",
        recompute: int = 0,
        parts: int | None = None,
        **kwargs: Any,
    ) -> None:
        if not cells:
            raise ConfigError("`cells` must hold at least one cell, got none.")
        if separate_directions and (pyramid or not bidirectional):
            raise ConfigError("`separate_directions` needs `bidirectional`, and no `pyramid`.")
        super().__init__(**{"dtype": cells[0].dtype_policy, **kwargs})
        self.cells = list(cells)
        self.bidirectional = bidirectional
        self.separate_directions = separate_directions
        self.window = window
        self.residual = residual
        self.layer_norm = layer_norm
        self.pyramid = pyramid
        self.dropout = dropout
        self.kernel = kernel
        self.recompute = recompute
        self.parts = parts
        settings: dict[str, Any] = {"kernel": kernel, "recompute": recompute, "parts": parts}
        layers = [
            RNN(cell, return_sequences=True, window=window, **settings, name=f"rnn_{i}")
            for i, cell in enumerate(self.cells)
        ]
        self.rnns: list[Any] = (
            [
                Bidirectional(layer, split=separate_directions and i > 0, name=f"bidirectional_{i}")
                for i, layer in enumerate(layers)
            ]
            if bidirectional
            else list(layers)
        )
        dtype = self.dtype_policy
        self.norms = [
            keras.layers.LayerNormalization(dtype=dtype, name=f"norm_{i}")
            for i in range(len(self.cells))
            if layer_norm
        ]
        self.dropouts = [
            keras.layers.Dropout(dropout, dtype=dtype, name=f"dropout_{i}")
            for i in range(1, len(self.cells))
        ]
        self.supports_masking = True

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def state_units(self) -> int:
        """H', the size of the states it returns."""
        return self._directions * self.cells[-1].output_size

    def build(self, sequence_shape: tuple[int | None, ...]) -> None:
        """Makes every layer's weights for sequences `[B, T, E]`."""
        batch, _, size = sequence_shape
        for i, rnn in enumerate(self.rnns):
            rnn.build((batch, None, size))
            size = self._directions * self.cells[i].output_size
            if self.layer_norm:
                self.norms[i].build((batch, None, size))
            if self.pyramid:
                size = 2 * size

    def call(
        self, sequence: tf.Tensor, mask: tf.Tensor | None = None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See the class."""
        for i, rnn in enumerate(self.rnns):
            if i > 0:
                sequence = self.dropouts[i - 1](sequence, training=training)
                if self.pyramid:
                    sequence, mask = halve_time(sequence, mask)
            sequence = self.finished(i, sequence, rnn(sequence, mask=mask, training=training))
        if mask is None:
            mask = tf.ones(tf.shape(sequence)[:2], tf.bool)
        return sequence, mask

    def start(self, batch_size: Any, input_units: int) -> tuple[States, ...]:
        """What `advance` starts with: the memory of each layer, for inputs `[B, T, E]`.

        Raises:
            ConfigError: The stack needs the whole text: it is bidirectional, or halves time.
        """
        if self.bidirectional:
            raise ConfigError(
                "a bidirectional model reads each text from its end too, so it cannot read a text "
                "piece by piece; train one with --no-bidirectional."
            )
        if self.pyramid:
            raise ConfigError(
                "a model with --pyramid joins states in pairs counted from the text's beginning, so "
                "it cannot read a text piece by piece; train one with --no-pyramid."
            )
        sizes = [input_units, *(cell.output_size for cell in self.cells)]
        return tuple(
            rnn.start(batch_size, size) for rnn, size in zip(self.rnns, sizes, strict=False)
        )

    def advance(
        self,
        memory: tuple[States, ...],
        sequence: tf.Tensor,
        mask: tf.Tensor | None,
        *,
        training: bool = False,
        dropout_masks: Sequence[tf.Tensor | None] | None = None,
        drop: Callable[[tf.Tensor, int], tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tuple[States, ...]]:
        """Reads the next piece of texts; see `RNN.advance`.

        Args:
            memory: What `start` or the piece before gave.
            sequence: `[B, T, E]`.
            mask: `[B, T]`, or None.
            training: Whether the gradient will be asked for.
            dropout_masks: The recurrent dropout of each layer.
            drop: The dropout between layers, of a sequence before the layer of this number.
        """
        after = []
        masks = dropout_masks or [None] * len(self.rnns)
        for i, (rnn, before) in enumerate(zip(self.rnns, memory, strict=True)):
            if i > 0 and drop is not None:
                sequence = drop(sequence, i)
            states, own = rnn.advance(
                before, sequence, mask, training=training, dropout_mask=masks[i]
            )
            sequence = self.finished(i, sequence, states)
            after.append(own)
        return sequence, tuple(after)

    def finished(self, layer: int, sequence: tf.Tensor, states: tf.Tensor) -> tf.Tensor:
        """What a layer hands on, having made these states of the sequence."""
        if self.residual and self.separate_directions and layer == 0:
            sequence = tf.concat([sequence, sequence], axis=-1)  # Each tower has read all of it.
        if self.residual and sequence.shape[-1] == states.shape[-1]:
            states = states + sequence
        return self.norms[layer](states) if self.layer_norm else states

    def compute_mask(self, *_: Any) -> tuple[None, None]:
        """None: the mask is among the results."""
        return None, None

    def get_config(self) -> dict[str, Any]:
        """Everything that `from_config` needs to make the stack again, without its weights."""
        return {
            **super().get_config(),
            "cells": [keras.saving.serialize_keras_object(cell) for cell in self.cells],
            "bidirectional": self.bidirectional,
            "separate_directions": self.separate_directions,
            "window": self.window,
            "residual": self.residual,
            "layer_norm": self.layer_norm,
            "pyramid": self.pyramid,
            "dropout": self.dropout,
            "kernel": self.kernel,
            "recompute": self.recompute,
            "parts": self.parts,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RNNStack:
        """Makes the stack that `get_config` describes."""
        cells = [keras.saving.deserialize_keras_object(cell) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})


def halve_time(sequence: tf.Tensor, mask: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Joins states 2t and 2t+1 into one of twice the size.

    Args:
        sequence: `[B, T, H]`; an odd T is filled up with zeros.
        mask: `[B, T]` or None.

    Returns:
        `[B, ceil(T/2), 2H]`, and the mask `[B, ceil(T/2)]` of the pairs with a real state, whose
        masked half is zero.
    """
    steps, size = tf.shape(sequence)[1], sequence.shape[-1]
    surplus = steps % 2
    if mask is not None:
        sequence = tf.where(mask[:, :, tf.newaxis], sequence, 0)
        mask = tf.pad(mask, [[0, 0], [0, surplus]])
        mask = tf.reduce_any(tf.reshape(mask, [tf.shape(mask)[0], -1, 2]), axis=-1)
    sequence = tf.pad(sequence, [[0, 0], [0, surplus], [0, 0]])
    return tf.reshape(sequence, [tf.shape(sequence)[0], (steps + 1) // 2, 2 * size]), mask
