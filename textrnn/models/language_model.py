"""The language model: the probability of a text, token by token."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from textrnn.config.model import EncoderConfig
from textrnn.errors import ConfigError
from textrnn.layers.cells import States, make_cells
from textrnn.layers.embedding import TokenEmbedding
from textrnn.layers.stack import RNNStack
from textrnn.text.tokenizer import Tokenizer

__all__ = ["BETWEEN", "LanguageModel", "Memory", "sampled_losses"]

Memory = tuple[States, ...]
"""What one direction keeps of the text that it has read: for each layer its memory."""


@keras.saving.register_keras_serializable(package="textrnn")
class LanguageModel(keras.Model):
    """Predicts each token from those before it; a second direction, from those after it.

        p(x) = prod_t p(x_t | x_1 .. x_{t-1})
        p(x_{t+1} = v | x_1 .. x_t) = softmax_v(e_v . c_t + b_v),   c_t = h_t P + d

    h_t is the state of the last recurrent layer. The vectors e_v are those that the tokens are read
    by (Press & Wolf 2017, "Using the Output Embedding to Improve Language Models"); both directions
    share them and b. The second direction reads the text from its end, so that its factors are
    p(x_t | x_{t+1} .. x_T) (Peters et al. 2018, "Deep Contextualized Word Representations").

    Token 0, padding elsewhere, stands between texts: before the first token of a text and, as what
    is to be predicted, behind its last, in the order of reading. So p(x) holds where a text ends.

    The call is `model(ids [B, T])`: the logits `[B, T, V]` of the forward direction for the token
    that follows each one. Weights: `embedding` `[V, E]`, `output_bias` b `[V]`, and for each
    direction the stack's and `projection` P `[H, E]`, d `[E]`.

    Args:
        vocab_size: V.
        config: The shape; its defaults if None.
        dropout: Share dropped of the embeddings, between layers, and of the last states.

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
            RNNStack(
                make_cells(config, dtype=dtype),
                window=config.window,
                residual=config.residual,
                dropout=dropout,
                kernel=config.kernel,
                recompute=config.recompute,
                parts=1,
                name=f"{name}_stack",
            )
            for name in names
        ]
        self.projections = [
            keras.layers.Dense(config.embedding_units, dtype=dtype, name=f"{name}_projection")
            for name in names
        ]
        self.drop = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")

    @property
    def directions(self) -> int:
        """How many: 1, forwards, or 2."""
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

    def start(self, batch_size: Any, *, direction: int = 0) -> Memory:
        """The memory of a direction that has read nothing: tensors `[B, ...]` for each layer."""
        return self.stacks[direction].start(batch_size, self.config.embedding_units)

    def read(
        self,
        memory: Memory,
        ids: tf.Tensor,
        *,
        direction: int = 0,
        training: bool = False,
    ) -> tuple[tf.Tensor, Memory]:
        """Reads the next tokens, in the direction's own order.

        Args:
            memory: What `start` or the piece before gave.
            ids: `[B, T]` of int32; 0 is a token like others.
            direction: 0: forwards; 1: backwards.
            training: Whether there is dropout, and a gradient will be asked for.

        Returns:
            c `[B, T, E]`, by which the token after each one is predicted, and the memory.
        """

        def drop(sequence: tf.Tensor, _: int) -> tf.Tensor:
            return self.drop(sequence, training=training)

        vectors = drop(self.embedding(ids), 0)
        states, memory = self.stacks[direction].advance(
            memory, vectors, None, training=training, drop=drop
        )
        return self.projections[direction](drop(states, 0)), memory

    def logits(self, vectors: tf.Tensor) -> tf.Tensor:
        """Of c `[..., E]` the logits `[..., V]` of all tokens, in float32."""
        rows = tf.reshape(vectors, [-1, self.config.embedding_units])
        table = tf.cast(self.embedding.embeddings.value, rows.dtype)
        logits = tf.cast(tf.matmul(rows, table, transpose_b=True), tf.float32)
        logits = tf.nn.bias_add(logits, self.output_bias)
        return tf.reshape(logits, [*tf.unstack(tf.shape(vectors))[:-1], self.vocab_size])

    def losses(self, vectors: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """`-ln p` `[B, T]` of the tokens `[B, T]` by c `[B, T, E]`, the whole vocabulary asked."""
        logits = self.logits(vectors)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)

    def sampled_losses(
        self, vectors: tf.Tensor, targets: tf.Tensor, drawn: tf.Tensor, offsets: tf.Tensor
    ) -> tf.Tensor:
        """The same against some tokens only; see the function of this name."""
        bias = self.output_bias.value
        return sampled_losses(vectors, targets, drawn, offsets, embedding=self.embedding, bias=bias)

    def call(self, ids: tf.Tensor, training: bool = False) -> tf.Tensor:
        """See the class."""
        ids = tf.cast(ids, tf.int32)
        vectors, _ = self.read(self.start(tf.shape(ids)[0]), ids, training=training)
        return self.logits(vectors)

    def get_config(self) -> dict[str, Any]:
        """Everything that `from_config` needs to make the model again, without its weights."""
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


def sampled_losses(
    vectors: tf.Tensor,
    targets: tf.Tensor,
    drawn: tf.Tensor,
    offsets: tf.Tensor,
    *,
    embedding: TokenEmbedding,
    bias: tf.Tensor,
) -> tf.Tensor:
    """`-ln p` of tokens against some others only, drawn once for the whole batch.

        l   = -ln( exp(s_y) / Z ),     s_v = e_v . c + b_v
        Z   = exp(s_y) + sum_{k: n_k != y} m_k / (S q_{n_k}) exp(s_{n_k})

    With the correction by q, how often a token is drawn, Z is on average the sum over the whole
    vocabulary (Bengio & Senecal 2008, "Adaptive Importance Sampling to Accelerate Training of a
    Neural Probabilistic Language Model").

    Args:
        vectors: c `[B, T, E]`.
        targets: y `[B, T]`.
        drawn: n `[U]`, the distinct tokens among S draws.
        offsets: `[U]`, ln(m_k / (S q_{n_k})), m_k how often it was drawn.
        embedding: Has e_v, `[V, E]`.
        bias: b `[V]`.
    """
    rows = tf.reshape(vectors, [-1, vectors.shape[-1]])  # [N, E]
    y = tf.reshape(targets, [-1])
    own = tf.cast(tf.reduce_sum(rows * embedding(y), axis=-1), tf.float32)
    own += tf.gather(bias, y)
    others = tf.matmul(rows, embedding(drawn), transpose_b=True)  # [N, U]
    others = tf.nn.bias_add(tf.cast(others, tf.float32), offsets + tf.gather(bias, drawn))
    places = tf.tensor_scatter_nd_update(
        tf.fill(tf.shape(bias), -1), drawn[:, tf.newaxis], tf.range(tf.size(drawn))
    )
    losses = _told_apart(own, others, tf.gather(places, y))
    return tf.reshape(losses, tf.shape(targets))


@tf.custom_gradient
def _told_apart(own: tf.Tensor, others: tf.Tensor, hits: tf.Tensor) -> Any:
    """`-ln( exp(own) / (exp(own) + sum_{k != hit} exp(others_k)) )`, `[N]`.

    With a gradient of its own, which goes over the large `others` once instead of six times.

    Args:
        own: `[N]`.
        others: `[N, U]`.
        hits: `[N]`, the place among the others that does not count; -1: none.
    """
    shares = tf.nn.softmax(others)
    log_sum = tf.reduce_max(others, axis=1) - tf.math.log(tf.reduce_max(shares, axis=1))
    is_hit = hits >= 0
    places = tf.stack([tf.range(tf.size(hits)), tf.maximum(hits, 0)], axis=1)
    hit_share = tf.where(is_hit, tf.minimum(tf.gather_nd(shares, places), 1.0 - 1e-6), 0.0)
    margin = log_sum + tf.math.log1p(-hit_share) - own

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, None]:
        weight = upstream * tf.sigmoid(margin)
        d_others = shares * (weight / (1.0 - hit_share))[:, tf.newaxis]
        kept = tf.where(is_hit, 0.0, tf.gather_nd(d_others, places))
        return -weight, tf.tensor_scatter_nd_update(d_others, places, kept), None

    return tf.nn.softplus(margin), gradient


BETWEEN = Tokenizer.PAD
"""The token between two texts."""
