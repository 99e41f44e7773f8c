"""The language model: the probability of a text, token by token."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from textrnn.config.model import EncoderConfig
from textrnn.errors import ConfigError
from textrnn.layers.embedding import TokenEmbedding
from textrnn.layers.stack import StreamState
from textrnn.models.building import make_stack
from textrnn.models.sampled_softmax import sampled_losses
from textrnn.text.tokenizer import Tokenizer

__all__ = ["BETWEEN", "LanguageModel"]

BETWEEN = Tokenizer.PAD
"""The token between two texts."""


@keras.saving.register_keras_serializable(package="textrnn")
class LanguageModel(keras.Model):
    """Predicts each token from those before it, and in a second direction from those after it.

        p(x) = prod_t p(x_t | x_1 .. x_{t-1})
        p(x_{t+1} = v | x_1 .. x_t) = softmax_v(e_v . c_t + b_v),   c_t = h_t P + d

    h_t is the state of the last recurrent layer. The vectors e_v are the embeddings with which the
    model reads the tokens (Press & Wolf 2017, "Using the Output Embedding to Improve Language
    Models"). Both directions share them and b. The second direction reads the text from its end, so
    its factors are p(x_t | x_{t+1} .. x_T) (Peters et al. 2018, "Deep Contextualized Word
    Representations").

    Token 0, which is padding elsewhere, stands between texts. Each direction reads it before the
    first token of a text, and predicts it after the last one. So p(x) includes the probability
    that the text ends where it does.

    The call is `model(ids [B, T])`. It returns the logits `[B, T, V]` of the forward direction for
    the token that follows each one. Weights: `embedding` `[V, E]`, `output_bias` b `[V]`, and for
    each direction the stack's weights and `projection` P `[H, E]`, d `[E]`.

    >>> config = EncoderConfig(cell="gru", units=4, embedding_units=3)
    >>> model = LanguageModel(10, config=config)
    >>> model(tf.constant([[0, 2, 7]])).shape
    TensorShape([1, 3, 10])

    Args:
        vocab_size: V.
        config: The shape; its defaults if None.
        dropout: The share of values that is dropped from the embeddings, between layers, and from
            the last states.

    Raises:
        ConfigError: There is no recurrence.
    """

    def __init__(
        self,
        vocab_size: int,
        *,
        config: EncoderConfig | None = None,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.config = config = config or EncoderConfig()
        if config.cell == "none":
            raise ConfigError("a language model needs a recurrence; choose a cell, not none.")
        self.vocab_size = vocab_size
        self.dropout = dropout
        dtype = self.dtype_policy
        self.embedding = TokenEmbedding(
            vocab_size, config.embedding_units, dtype=dtype, name="embedding"
        )
        names = ("forward", "backward") if config.bidirectional else ("forward",)
        self.stacks = [
            make_stack(config, dropout=dropout, dtype=dtype, name=f"{name}_stack") for name in names
        ]
        self.projections = [
            keras.layers.Dense(config.embedding_units, dtype=dtype, name=f"{name}_projection")
            for name in names
        ]
        self.drop = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")

    @property
    def directions(self) -> int:
        """The number of directions: 1 for forwards only, else 2."""
        return len(self.stacks)

    def build(self, ids_shape: tuple[int | None, ...]) -> None:
        """Makes all weights, for ids `[B, T]`."""
        self.embedding.build(ids_shape)
        for stack, projection in zip(self.stacks, self.projections, strict=True):
            stack.build((None, None, self.config.embedding_units))
            projection.build((None, None, stack.state_units))
        self.output_bias = self.add_weight(
            shape=(self.vocab_size,), initializer="zeros", name="output_bias", autocast=False
        )
        self.built = True

    def start(self, batch_size: Any, *, direction: int = 0) -> StreamState:
        """Returns the state of a direction that has read nothing, for `read`."""
        return self.stacks[direction].start(batch_size, self.config.embedding_units)

    def read(
        self,
        state: StreamState,
        ids: tf.Tensor,
        *,
        direction: int = 0,
        training: bool = False,
    ) -> tuple[tf.Tensor, StreamState]:
        """Reads the next tokens, in the order in which the direction reads.

        Args:
            state: The result of `start`, or the state after the piece before.
            ids: `[B, T]` of int32; 0 is a token like others.
            direction: 0: forwards; 1: backwards.
            training: Whether there is dropout, and a gradient will be computed.

        Returns:
            c `[B, T, E]`, which predicts the token after each one, and the state after the tokens.
        """

        states, state = self.states(state, ids, direction=direction, training=training)
        return self.projections[direction](states), state

    def states(
        self,
        state: StreamState,
        ids: tf.Tensor,
        *,
        direction: int = 0,
        training: bool = False,
    ) -> tuple[tf.Tensor, StreamState]:
        """Reads the next tokens as `read` does; returns h `[B, T, H]` in the place of c."""

        def drop(_: int, sequence: tf.Tensor) -> tf.Tensor:
            return self.drop(sequence, training=training)

        vectors = drop(0, self.embedding(ids))
        states, state = self.stacks[direction].advance(state, vectors, training=training, drop=drop)
        return drop(0, states), state

    def logits(self, vectors: tf.Tensor) -> tf.Tensor:
        """Returns the logits `[..., V]` of all tokens, in float32, for c `[..., E]`."""
        rows = tf.reshape(vectors, [-1, self.config.embedding_units])
        table = tf.cast(self.embedding.embeddings.value, rows.dtype)
        logits = tf.cast(tf.matmul(rows, table, transpose_b=True), tf.float32)
        logits = tf.nn.bias_add(logits, self.output_bias)
        return tf.reshape(logits, [*tf.unstack(tf.shape(vectors))[:-1], self.vocab_size])

    def losses(self, vectors: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Computes `-ln p` `[B, T]` of target tokens over the whole vocabulary.

        Args:
            vectors: c `[B, T, E]`.
            targets: `[B, T]`.
        """
        logits = self.logits(vectors)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)

    def sampled_losses(
        self, vectors: tf.Tensor, targets: tf.Tensor, drawn: tf.Tensor, offsets: tf.Tensor
    ) -> tf.Tensor:
        """Estimates `losses` by a sample of the vocabulary; see `sampled_softmax`."""
        bias = self.output_bias.value
        return sampled_losses(vectors, targets, drawn, offsets, embedding=self.embedding, bias=bias)

    def call(self, ids: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Computes the logits `[B, T, V]` of the next token; see the class."""
        ids = tf.cast(ids, tf.int32)
        vectors, _ = self.read(self.start(tf.shape(ids)[0]), ids, training=training)
        return self.logits(vectors)

    def get_config(self) -> dict[str, Any]:
        """Returns the settings with which `from_config` makes the model again, without weights."""
        return {
            **super().get_config(),
            "vocab_size": self.vocab_size,
            "config": self.config.to_dict(),
            "dropout": self.dropout,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> LanguageModel:
        """Makes the model that `get_config` describes."""
        return cls(**{**config, "config": EncoderConfig.from_dict(config["config"])})
