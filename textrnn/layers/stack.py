"""Recurrent layers on top of each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.bidirectional import Bidirectional
from textrnn.layers.cells import RNNCell, States
from textrnn.layers.recurrence import Computation
from textrnn.layers.rnn import RNN

__all__ = ["RNNStack", "StreamState", "halve_time"]


StreamState = tuple[States, ...]
"""The memory of a stack or model of the text that it has read: a tuple of tensors per layer."""

Apply = Callable[[int, tf.Tensor, "tf.Tensor | None"], tf.Tensor]
"""`(layer from 0, inputs [B, T, E], mask [B, T] or None) -> states [B, T, H]`."""

Drop = Callable[[int, tf.Tensor], tf.Tensor]
"""`(layer from 1, its inputs [B, T, E]) -> inputs [B, T, E]` after dropout."""


@keras.saving.register_keras_serializable(package="textrnn")
class RNNStack(keras.layers.Layer):
    """Recurrent layers on top of each other: the states of one are the inputs of the next.

    The call is `stack(sequence [B, T, E], mask=None, training=False)`. It returns the states
    `[B, T', H']` of the last layer and their mask `[B, T']`, which is all True if there is no mask.
    H' is 2H if the stack is bidirectional, else H. T' is T, or with `pyramid` T halved and rounded
    up, once between every two layers.

    >>> from textrnn.layers.cells import GRUCell, MinGRUCell
    >>> stack = RNNStack([GRUCell(4), MinGRUCell(3)], bidirectional=True, pyramid=True)
    >>> states, mask = stack(tf.zeros([2, 7, 5]))
    >>> states.shape, mask.shape
    (TensorShape([2, 4, 6]), TensorShape([2, 4]))

    Args:
        cells: One `RNNCell` per layer.
        bidirectional: Whether each layer reads in both directions.
        separate_directions: Whether the directions are two stacks that do not see each other
            (Peters et al. 2018, "Deep Contextualized Word Representations"). Otherwise each
            direction of a layer reads both directions of the layer below.
        window: As in `RNN`, for each layer.
        residual: Whether a layer's input is added to its output where their sizes agree (He et
            al. 2016, "Deep Residual Learning for Image Recognition"); with `separate_directions`,
            in each direction.
        layer_norm: Whether each layer's output is normalised (Ba et al. 2016, "Layer
            Normalization").
        pyramid: Whether two neighbouring states are joined into one between layers (the pyramid of
            Chan et al. 2016, "Listen, Attend and Spell").
        dropout: The share of the values that is dropped between layers.
        kernel: As in `RNN`, for each layer.
        recompute: As in `RNN`, for each layer.
        batch_parts: As in `RNN`, for each layer.

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
        batch_parts: int | None = None,
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
        self.computation = Computation(kernel, recompute=recompute, batch_parts=batch_parts)
        layers = [
            RNN(
                cell,
                return_sequences=True,
                window=window,
                name=f"rnn_{i}",
                **dataclasses.asdict(self.computation),
            )
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
        """H', the size of the states that the stack returns."""
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

    def walk(
        self,
        sequence: tf.Tensor,
        mask: tf.Tensor | None,
        apply: Apply,
        *,
        drop: Drop | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Walks up the layers: everything that a stack does, except reading with one layer.

        Args:
            sequence: The inputs `[B, T, E]` of the first layer.
            mask: `[B, T]` of bool, or None.
            apply: Reads with one layer.
            drop: The dropout between layers; None: there is none.

        Returns:
            The states `[B, T', H']` of the last layer, and their mask or None.
        """
        for layer in range(len(self.rnns)):
            if layer > 0 and drop is not None:
                sequence = drop(layer, sequence)
            if layer > 0 and self.pyramid:
                sequence, mask = halve_time(sequence, mask)
            states = apply(layer, sequence, mask)
            if self.residual and self.separate_directions and layer == 0:
                sequence = tf.concat([sequence, sequence], axis=-1)  # Each tower has read it all.
            if self.residual and sequence.shape[-1] == states.shape[-1]:
                states = states + sequence
            sequence = self.norms[layer](states) if self.layer_norm else states
        return sequence, mask

    def tokens_per_step(self, layer: int) -> int:
        """The number of inputs of the stack that one step of a layer, counted from 0, covers."""
        return 2**layer if self.pyramid else 1

    def call(
        self, sequence: tf.Tensor, mask: tf.Tensor | None = None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads whole sequences; see the class."""

        def apply(layer: int, inputs: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
            return self.rnns[layer](inputs, mask=mask, training=training)

        def drop(layer: int, inputs: tf.Tensor) -> tf.Tensor:
            return self.dropouts[layer - 1](inputs, training=training)

        states, mask = self.walk(sequence, mask, apply, drop=drop)
        if mask is None:
            mask = tf.ones(tf.shape(states)[:2], tf.bool)
        return states, mask

    def start(self, batch_size: Any, input_units: int) -> StreamState:
        """Returns the state with which `advance` starts, for inputs `[B, T, E]`.

        Raises:
            ConfigError: The stack needs the whole text: it is bidirectional, or halves time.
        """
        if self.bidirectional:
            raise ConfigError(
                "`bidirectional` must be off to read a text piece by piece, because the backward "
                "direction starts at the end of the text; train another model with "
                "`bidirectional=False`."
            )
        if self.pyramid:
            raise ConfigError(
                "`pyramid` must be off to read a text piece by piece, because a pyramid joins "
                "pairs of states, counted from the start of the text; train another model with "
                "`pyramid=False`."
            )
        sizes = [input_units, *(cell.output_size for cell in self.cells)]
        return tuple(
            rnn.start(batch_size, size) for rnn, size in zip(self.rnns, sizes, strict=False)
        )

    def advance(
        self,
        state: StreamState,
        sequence: tf.Tensor,
        mask: tf.Tensor | None = None,
        *,
        training: bool = False,
        dropout_masks: Sequence[tf.Tensor | None] | None = None,
        drop: Drop | None = None,
    ) -> tuple[tf.Tensor, StreamState]:
        """Reads the next piece of texts; see `RNN.advance`.

        Args:
            state: The result of `start`, or the state after the piece before.
            sequence: `[B, T, E]`.
            mask: `[B, T]`, or None.
            training: Whether a gradient will be computed.
            dropout_masks: The recurrent dropout mask of each layer.
            drop: The dropout between layers.

        Returns:
            The states `[B, T, H]` of the last layer, and the state after the piece.
        """
        layer_states = list(state)
        masks = dropout_masks or [None] * len(self.rnns)

        def apply(layer: int, inputs: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
            states, layer_states[layer] = self.rnns[layer].advance(
                state[layer], inputs, mask=mask, training=training, dropout_mask=masks[layer]
            )
            return states

        states, _ = self.walk(sequence, mask, apply, drop=drop)
        return states, tuple(layer_states)

    def compute_mask(self, *_: Any) -> tuple[None, None]:
        """Returns None: the mask is among the results."""
        return None, None

    def get_config(self) -> dict[str, Any]:
        """Returns the settings with which `from_config` makes the stack again, without weights."""
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
            "kernel": self.computation.kernel,
            "recompute": self.computation.recompute,
            "batch_parts": self.computation.batch_parts,
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
        `[B, ceil(T/2), 2H]`, and the mask `[B, ceil(T/2)]` of the pairs with at least one real
        state. The masked half of a pair is zero.
    """
    batch, steps, size = sequence.shape
    rows = tf.shape(sequence)[0] if batch is None else batch
    length = tf.shape(sequence)[1] if steps is None else steps
    surplus = length % 2
    if mask is not None:
        sequence = tf.where(mask[:, :, tf.newaxis], sequence, 0)
        mask = tf.pad(mask, [[0, 0], [0, surplus]])
        mask = tf.reduce_any(tf.reshape(mask, [rows, (length + 1) // 2, 2]), axis=-1)
    sequence = tf.pad(sequence, [[0, 0], [0, surplus], [0, 0]])
    return tf.reshape(sequence, [rows, (length + 1) // 2, 2 * size]), mask
