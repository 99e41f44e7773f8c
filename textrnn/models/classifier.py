"""The text classifier: ids in, logits out."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from textrnn.config.model import ModelConfig
from textrnn.errors import ConfigError
from textrnn.layers.cells import States, make_cells
from textrnn.layers.embedding import TokenEmbedding
from textrnn.layers.pooling import POOLINGS
from textrnn.layers.recurrence import batch_parts, cut_batch
from textrnn.layers.stack import RNNStack
from textrnn.text.tokenizer import Tokenizer

__all__ = ["Memory", "TextClassifier", "align_left"]

Memory = tuple[States, ...]
"""What a model keeps of a text that it reads piece by piece; see `TextClassifier.start`."""


@keras.saving.register_keras_serializable(package="textrnn")
class TextClassifier(keras.Model):
    """Embeds each token, reads them with a recurrence, pools the states and classifies the pool.

        ids [B,T] -> embedding [B,T,E] -> recurrence [B,T,H] -> pooling [B,H] -> logits [B,C]

    Padding, on whichever side, and the other texts of the batch never change a text's logits.
    A text without a token gives the logits of the zero vector.

    Args:
        vocab_size: V, the number of token ids; 0 is padding, 1 the unknown token.
        classes: C, the number of labels; 1 is of use for a label that a text carries or not.
        config: The shape of the model; its defaults if None.

    Raises:
        ConfigError: A setting does not fit the others.
    """

    def __init__(
        self,
        vocab_size: int,
        classes: int,
        *,
        config: ModelConfig | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if classes < 1:
            raise ConfigError(f"`classes` must be at least 1, got {classes}.")
        self.vocab_size = vocab_size
        self.classes = classes
        self.config = config = config or ModelConfig()
        self.seed_generator = keras.random.SeedGenerator()
        dtype = self.dtype_policy
        self.embedding = TokenEmbedding(
            vocab_size, config.embedding_units, dtype=dtype, name="embedding"
        )
        self.embedding_dropout = keras.layers.Dropout(
            config.embedding_dropout, dtype=dtype, name="embedding_dropout"
        )
        self.pooled_dropout = keras.layers.Dropout(
            config.dropout, dtype=dtype, name="pooled_dropout"
        )
        self.stack = None
        if config.cell != "none":
            self.stack = RNNStack(
                make_cells(config, recurrent_dropout=config.recurrent_dropout, dtype=dtype),
                bidirectional=config.bidirectional,
                separate_directions=config.separate_directions and config.bidirectional,
                window=config.window,
                residual=config.residual,
                layer_norm=config.layer_norm,
                pyramid=config.pyramid,
                dropout=config.dropout,
                kernel=config.kernel,
                recompute=config.recompute,
                parts=1,
                name="stack",
            )
        head: dict[str, Any] = {"name": "pooling", "dtype": dtype}
        if config.head == "last":
            head["bidirectional"] = config.bidirectional and self.stack is not None
        self.pooling = POOLINGS[config.head](**head)
        self.classify = keras.layers.Dense(classes, dtype=dtype, name="classify")

    def build(self, ids_shape: tuple[int | None, ...]) -> None:
        """Makes all weights, for ids `[B, T]`."""
        states_shape = (None, None, self.config.embedding_units)
        self.embedding.build(ids_shape)
        if self.stack is not None:
            self.stack.build(states_shape)
            states_shape = (None, None, self.stack.state_units)
        self.pooling.build(states_shape)
        self.classify.build((None, states_shape[-1]))
        self.built = True

    def call(self, ids: tf.Tensor, training: bool = False) -> tf.Tensor:
        """`[B, T]` ids, 0 for padding, to logits `[B, C]`."""
        return self.logits_in_parts(align_left(tf.cast(ids, tf.int32)), training=training)

    def logits_in_parts(self, ids: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """As the call, for int32 ids whose padding stands at the right."""
        # In training, all that surrounds the recurrence gains from the cores too; a forward pass
        # alone has enough to do in its two directions.
        directions = 2 if self.config.bidirectional and not training else 1
        parts = cut_batch([ids], parts=batch_parts(directions=directions))
        logits = [self.logits(part, training=training) for (part,) in parts]
        return logits[0] if len(logits) == 1 else tf.concat(logits, axis=0)

    def logits(self, ids: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """As the call, for int32 ids whose padding stands at the right, in one part."""
        mask = tf.not_equal(ids, Tokenizer.PAD)
        return self.logits_of(self.embed(ids, training=training), mask, training=training)

    def embed(self, ids: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """The inputs `[B, T, E]` of the recurrence, for int32 ids; in training with dropout."""
        if training and self.config.word_dropout:
            ids = self.drop_words(ids)
        return self.embedding_dropout(self.embedding(ids), training=training)

    def logits_of(
        self, embedded: tf.Tensor, mask: tf.Tensor, *, training: bool = False
    ) -> tf.Tensor:
        """What `logits` gives for inputs `[B, T, E]` of the recurrence and their mask `[B, T]`."""
        states, mask = self.states_of(embedded, mask, training=training)
        return self.decide(states, mask, training=training)

    def states_of(
        self, embedded: tf.Tensor, mask: tf.Tensor, *, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The last layer's states `[B, T', H']` for inputs of the recurrence, and their mask."""
        if self.stack is None:
            return embedded, mask
        states, mask = self.stack(embedded, mask=mask, training=training)
        return states, mask

    def decide(self, states: tf.Tensor, mask: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """The logits `[B, C]` of what `states_of` gives."""
        pooled = self.pooling(states, mask=mask)  # [B, H]
        return self.classify(self.pooled_dropout(pooled, training=training))

    def start(self, batch_size: Any) -> Memory:
        """The memory of a model that has read nothing yet; for `advance`.

        Returns:
            Tensors `[B, ...]`: for each layer its recurrence's memory, then the head's summary.

        Raises:
            ConfigError: The model needs the whole text at once; see `RNNStack.start`.
        """
        layers: Memory = ()
        units = self.config.embedding_units
        if self.stack is not None:
            layers, units = self.stack.start(batch_size, units), self.stack.state_units
        return (*layers, self.pooling.start(batch_size, units))

    def advance(self, memory: Memory, ids: tf.Tensor) -> tuple[tf.Tensor, Memory]:
        """Reads the next tokens of texts that come in pieces, in constant memory.

        Args:
            memory: What `start` or the piece before gave.
            ids: `[B, T]`, 0 for padding; rows may have different numbers of tokens, or none.

        Returns:
            The logits `[B, C]` of each text as far as it is read, the same as for all its pieces
            at once, and the memory after the piece.
        """
        return self.advance_aligned(memory, align_left(tf.cast(ids, tf.int32)))

    def advance_aligned(self, memory: Memory, ids: tf.Tensor) -> tuple[tf.Tensor, Memory]:
        """As `advance`, for int32 ids whose padding stands at the right in every row."""
        layers, summary = memory[:-1], memory[-1]
        mask = tf.not_equal(ids, Tokenizer.PAD)
        states = self.embedding(ids)
        if self.stack is not None:
            states, layers = self.stack.advance(layers, states, mask)
        summary = self.pooling.add(summary, states, mask)
        return self.classify(self.pooling.finish(summary)), (*layers, summary)

    def advance_each(
        self, memory: Memory, ids: tf.Tensor, *, steps: int = 256
    ) -> tuple[tf.Tensor, Memory]:
        """As `advance_aligned`, with the logits `[B, T, C]` of each text after each of its tokens.

        Args:
            memory: What `start` or the piece before gave.
            ids: `[B, T]` of int32, 0 for padding at the right.
            steps: T at the most.
        """
        mask = tf.not_equal(ids, Tokenizer.PAD)
        layers, summary = memory[:-1], memory[-1]
        states = self.embedding(ids)
        if self.stack is not None:
            states, layers = self.stack.advance(layers, states, mask)
        logits = self.classify(self.pooling.prefixes(summary, states, mask, steps=steps))
        return logits, (*layers, self.pooling.add(summary, states, mask))

    def drop_words(self, ids: tf.Tensor) -> tf.Tensor:
        """Replaces a random share of the tokens by the unknown one."""
        mask = tf.not_equal(ids, Tokenizer.PAD)
        noise = keras.random.uniform(tf.shape(ids), seed=self.seed_generator)
        return tf.where(mask & (noise < self.config.word_dropout), Tokenizer.UNK, ids)

    def get_config(self) -> dict[str, Any]:
        """Everything that `from_config` needs to make the model again, without its weights."""
        return {
            **super().get_config(),
            "vocab_size": self.vocab_size,
            "classes": self.classes,
            "config": self.config.to_dict(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> TextClassifier:
        """Makes the model that `get_config` describes."""
        return cls(**{**config, "config": ModelConfig.from_dict(config["config"])})


def align_left(ids: tf.Tensor) -> tf.Tensor:
    """Moves each row's real tokens, in order, to its front: `[B, T]` to `[B, max(T, 1)]`.

    So that a model whose steps depend on the position (`pyramid`) is blind to where padding stands.
    """
    mask = tf.not_equal(ids, Tokenizer.PAD)
    place = tf.cumsum(tf.cast(mask, tf.int32), axis=1) - 1  # [B, T]
    source = tf.where(mask)  # [N, 2]
    rows = tf.cast(source[:, 0], tf.int32)
    target = tf.stack([rows, tf.boolean_mask(place, mask)], axis=1)
    shape = tf.maximum(tf.shape(ids), [0, 1])
    return tf.scatter_nd(target, tf.boolean_mask(ids, mask), shape)
