"""The text classifier: ids in, logits out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from textrnn.config.model import ModelConfig
from textrnn.errors import ConfigError
from textrnn.layers.embedding import TokenEmbedding
from textrnn.layers.ngrams import NGramLogits, NGramState
from textrnn.layers.pooling import POOLINGS
from textrnn.layers.recurrence import batch_parts, cut_batch
from textrnn.layers.stack import StreamState
from textrnn.models.building import make_stack
from textrnn.text.tokenizer import Tokenizer

__all__ = ["TextClassifier", "align_left"]


class _Piece(NamedTuple):
    """The result of reading one piece of some texts.

    Attributes:
        states: `[B, T, H]`, the states of the last layer.
        mask: `[B, T]` of bool.
        after: The states after the piece, without the pooling's summary.
        evidence: `[B, T, C]`, that of the n-grams; None without n-grams.
        ngrams: The state of the n-grams after the piece; None without n-grams.
    """

    states: tf.Tensor
    mask: tf.Tensor
    after: StreamState
    evidence: tf.Tensor | None
    ngrams: NGramState | None


@keras.saving.register_keras_serializable(package="textrnn")
class TextClassifier(keras.Model):
    """Embeds each token, reads the embeddings with a recurrence, pools the states, and classifies.

        ids [B,T] -> embedding [B,T,E] -> recurrence [B,T,H] -> pooling [B,H] -> logits [B,C]

    With `ngram_counts`, the logits of a linear classifier of n-grams are added; see `NGramLogits`.
    It is fitted after the recurrence is trained, so the gradients do not pass through it.

    A text's logits depend neither on padding, on whichever side, nor on the other texts of the
    batch. A text without a token has the logits of the zero vector.

    >>> config = ModelConfig(cell="mingru", units=4, embedding_units=3, bidirectional=False)
    >>> model = TextClassifier(10, 2, config=config)
    >>> model(tf.constant([[5, 2, 7], [4, 0, 0]])).shape
    TensorShape([2, 2])

    A model that reads forwards only also reads texts that come in pieces:

    >>> state = model.start(1)
    >>> logits, state = model.advance(state, tf.constant([[5, 2]]))
    >>> logits, state = model.advance(state, tf.constant([[7]]))

    Args:
        vocab_size: V, the number of token ids; 0 is padding, 1 the unknown token.
        classes: C, the number of labels; 1 is useful for one label that a text carries or not.
        config: The shape of the model; its defaults if None.
        ngram_counts: The `counts` of `NGramLogits`; None: no n-grams.

    Raises:
        ConfigError: A setting does not fit the others.
    """

    def __init__(
        self,
        vocab_size: int,
        classes: int,
        *,
        config: ModelConfig | None = None,
        ngram_counts: Sequence[int] | None = None,
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
            config.embedding_rate, dtype=dtype, name="embedding_dropout"
        )
        self.pooled_dropout = keras.layers.Dropout(
            config.dropout, dtype=dtype, name="pooled_dropout"
        )
        self.stack = None
        if config.cell != "none":
            self.stack = make_stack(
                config,
                recurrent_dropout=config.recurrent_dropout,
                dropout=config.dropout,
                dtype=dtype,
                bidirectional=config.bidirectional,
                separate_directions=config.separate_directions and config.bidirectional,
                layer_norm=config.layer_norm,
                pyramid=config.pyramid,
                name="stack",
            )
        head: dict[str, Any] = {"name": "pooling", "dtype": dtype}
        if config.head == "last":
            head["bidirectional"] = config.bidirectional and self.stack is not None
        self.pooling = POOLINGS[config.head](**head)
        self.classify = keras.layers.Dense(classes, dtype=dtype, name="classify")
        self.ngrams: NGramLogits | None = None
        if ngram_counts is not None:
            self.ngrams = NGramLogits(vocab_size, classes, counts=ngram_counts, name="ngrams")

    @property
    def ngram_counts(self) -> tuple[int, ...] | None:
        """The `counts` of `NGramLogits`; None if the model has no n-grams."""
        return None if self.ngrams is None else self.ngrams.counts

    def build(self, ids_shape: tuple[int | None, ...]) -> None:
        """Makes all weights, for ids `[B, T]`."""
        states_shape = (None, None, self.config.embedding_units)
        self.embedding.build(ids_shape)
        if self.stack is not None:
            self.stack.build(states_shape)
            states_shape = (None, None, self.stack.state_units)
        self.pooling.build(states_shape)
        self.classify.build((None, states_shape[-1]))
        if self.ngrams is not None:
            self.ngrams.build(ids_shape)
        self.built = True

    def call(self, ids: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Computes the logits `[B, C]` of ids `[B, T]`, 0 for padding."""
        return self.logits_in_parts(align_left(tf.cast(ids, tf.int32)), training=training)

    def logits_in_parts(self, ids: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """Computes what the call computes, for int32 ids whose padding stands at the right."""
        # In training everything around the recurrence is faster in parts too. A forward pass alone
        # already occupies the cores with its two directions.
        directions = 2 if self.config.bidirectional and not training else 1
        parts = cut_batch([ids], parts=batch_parts(directions=directions))
        logits = [self.logits(part, training=training) for (part,) in parts]
        return logits[0] if len(logits) == 1 else tf.concat(logits, axis=0)

    def logits(self, ids: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """Computes what `logits_in_parts` computes, without cutting the batch."""
        mask = tf.not_equal(ids, Tokenizer.PAD)
        logits = self.logits_of(self.embed(ids, training=training), mask, training=training)
        if self.ngrams is None:
            return logits
        return logits + tf.cast(self.ngrams(ids), logits.dtype)

    def embed(self, ids: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """Returns the inputs `[B, T, E]` of the recurrence for int32 ids; in training dropped."""
        if training and self.config.word_rate:
            ids = self.drop_words(ids)
        return self.embedding_dropout(self.embedding(ids), training=training)

    def logits_of(
        self, embedded: tf.Tensor, mask: tf.Tensor, *, training: bool = False
    ) -> tf.Tensor:
        """Computes the logits `[B, C]` of what `embed` returns, with the mask `[B, T]`.

        They do not include the logits of n-grams.
        """
        states, mask = self.states_of(embedded, mask, training=training)
        return self.decide(states, mask, training=training)

    def states_of(
        self, embedded: tf.Tensor, mask: tf.Tensor, *, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the last layer's states `[B, T', H']` and their mask.

        Args:
            embedded: `[B, T, E]`, from `embed`.
            mask: `[B, T]` of bool.
            training: Whether there is dropout.
        """
        if self.stack is None:
            return embedded, mask
        states, mask = self.stack(embedded, mask=mask, training=training)
        return states, mask

    def decide(self, states: tf.Tensor, mask: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """Computes the logits `[B, C]` of what `states_of` returns, without those of n-grams."""
        pooled = self.pooling(states, mask=mask)  # [B, H]
        return self.classify(self.pooled_dropout(pooled, training=training))

    def start(self, batch_size: Any) -> StreamState:
        """Returns the state of a model that has read nothing, for `advance`.

        Returns:
            The state of each layer, that of the n-grams if the model has them, then the summary of
            the pooling: tensors `[B, ...]`.

        Raises:
            ConfigError: The model needs the whole text at once; see `RNNStack.start`.
        """
        layers: StreamState = ()
        units = self.config.embedding_units
        if self.stack is not None:
            layers, units = self.stack.start(batch_size, units), self.stack.state_units
        if self.ngrams is not None:
            layers = (*layers, self.ngrams.start(batch_size))
        return (*layers, self.pooling.start(batch_size, units))

    def advance(self, state: StreamState, ids: tf.Tensor) -> tuple[tf.Tensor, StreamState]:
        """Reads the next tokens of texts that come in pieces, in constant memory.

        Args:
            state: The result of `start`, or the state after the piece before.
            ids: `[B, T]`, 0 for padding; rows may have different numbers of tokens, or none.

        Returns:
            The logits `[B, C]` of each text as far as it is read, which are those of all its pieces
            at once, and the state after the piece.
        """
        return self.advance_aligned(state, align_left(tf.cast(ids, tf.int32)))

    def advance_aligned(self, state: StreamState, ids: tf.Tensor) -> tuple[tf.Tensor, StreamState]:
        """Does what `advance` does, for int32 ids whose padding stands at the right in each row."""
        piece = self._read(state, ids)
        summary = self.pooling.add(state[-1], piece.states, piece.mask)
        logits = self.classify(self.pooling.finish(summary))
        if self.ngrams is not None and piece.ngrams is not None:
            logits += tf.cast(self.ngrams.finish(piece.ngrams), logits.dtype)
        return logits, (*piece.after, summary)

    def advance_each(
        self, state: StreamState, ids: tf.Tensor, *, steps: int = 256
    ) -> tuple[tf.Tensor, StreamState]:
        """Does what `advance_aligned` does, with the logits after each token.

        Args:
            state: The result of `start`, or the state after the piece before.
            ids: `[B, T]` of int32, 0 for padding at the right.
            steps: An upper bound of T.

        Returns:
            The logits `[B, T, C]` of each text after each of its tokens, and the state after the
            piece.
        """
        piece = self._read(state, ids)
        states, mask = piece.states, piece.mask
        logits = self.classify(self.pooling.prefixes(state[-1], states, mask, steps=steps))
        if self.ngrams is not None and piece.evidence is not None:
            before = NGramState(*state[-2])
            more = self.ngrams.prefixes(before, piece.evidence, mask, steps=steps)
            logits += tf.cast(more, logits.dtype)
        return logits, (*piece.after, self.pooling.add(state[-1], states, mask))

    def _read(self, state: StreamState, ids: tf.Tensor) -> _Piece:
        layers, mask = state[:-1], tf.not_equal(ids, Tokenizer.PAD)
        evidence, ngrams = None, None
        if self.ngrams is not None:
            evidence, ngrams = self.ngrams.advance(NGramState(*layers[-1]), ids, mask)
            layers = layers[:-1]
        states = self.embedding(ids)
        if self.stack is not None:
            states, layers = self.stack.advance(layers, states, mask)
        after = layers if ngrams is None else (*layers, ngrams)
        return _Piece(states, mask, after, evidence, ngrams)

    def drop_words(self, ids: tf.Tensor) -> tf.Tensor:
        """Replaces a random share of the tokens by the unknown token."""
        mask = tf.not_equal(ids, Tokenizer.PAD)
        noise = keras.random.uniform(tf.shape(ids), seed=self.seed_generator)
        return tf.where(mask & (noise < self.config.word_rate), Tokenizer.UNK, ids)

    def get_config(self) -> dict[str, Any]:
        """Returns the settings with which `from_config` makes the model again, without weights."""
        return {
            **super().get_config(),
            "vocab_size": self.vocab_size,
            "classes": self.classes,
            "config": self.config.to_dict(),
            "ngram_counts": self.ngram_counts,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> TextClassifier:
        """Makes the model that `get_config` describes."""
        return cls(**{**config, "config": ModelConfig.from_dict(config["config"])})


def align_left(ids: tf.Tensor) -> tf.Tensor:
    """Moves each row's real tokens, in order, to its front: `[B, T]` to `[B, max(T, 1)]`.

    A model whose steps depend on the position (`pyramid`) then ignores where padding stands.
    """
    mask = tf.not_equal(ids, Tokenizer.PAD)
    place = tf.cumsum(tf.cast(mask, tf.int32), axis=1) - 1  # [B, T]
    source = tf.where(mask)  # [N, 2]
    rows = tf.cast(source[:, 0], tf.int32)
    target = tf.stack([rows, tf.boolean_mask(place, mask)], axis=1)
    shape = tf.maximum(tf.shape(ids), [0, 1])
    return tf.scatter_nd(target, tf.boolean_mask(ids, mask), shape)
