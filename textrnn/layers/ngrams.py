"""The evidence of n-grams: a linear classifier of a text's n-grams, as a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.pooling.mean import MeanPooling

__all__ = ["NGramLogits", "NGramState", "NGramTable"]

NO_KEY = -1
"""The key in row 0 of each order, which stands for every n-gram that is not in the table."""

ONCE_IN = 64
"""The number of tokens within which a repeated n-gram counts once."""

LARGEST_KEY = np.iinfo(np.int32).max
LARGEST_WEIGHT = 127
"""Weights are whole numbers between -127 and 127, times a scale per order."""


@dataclass(frozen=True)
class NGramTable:
    """The n-grams that have weights, by their number of tokens (their order).

    An n-gram is found by the row r of its first n-1 tokens and its last token x: its key is
    `r V + x`. A single token is its own row. So a table may only contain an n-gram whose first n-1
    tokens it contains.

    Attributes:
        keys: For each order from 2 on: the ascending keys `[R_n]` of int32, the first one `NO_KEY`.
        weights: For each order from 1 on: `[R_n, C]` of int8; row 0 is 0. R_1 is V.
        scales: For each order from 1 on: the logit that the weight 1 stands for.
        bias: `[C]`, the logits of a text without any of these n-grams.
    """

    keys: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    scales: tuple[float, ...]
    bias: np.ndarray

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of rows of each order from 2 on."""
        return tuple(len(keys) for keys in self.keys)

    def scaled(self, factor: float) -> NGramTable:
        """Returns the table of the classifier whose logits are `factor` times as large."""
        scales = tuple(factor * scale for scale in self.scales)
        return NGramTable(self.keys, self.weights, scales, factor * self.bias)


class NGramState(NamedTuple):
    """The state of a text that is read piece by piece.

    Attributes:
        before: `[B, N-1+W]` of int32, the last tokens; 0 where there is none.
        total: `[B, C]`, the sum of the weights so far.
        lost: `[B, C]`, its rounding error; see `MeanSummary`.
        count: `[B, 1]` of int32, the number of tokens so far.
    """

    before: tf.Tensor
    total: tf.Tensor
    lost: tf.Tensor
    count: tf.Tensor


@keras.saving.register_keras_serializable(package="textrnn")
class NGramLogits(keras.layers.Layer):
    """A linear classifier of n-grams: ids `[B, T]` to logits `[B, C]`.

        z = b + 1 / sqrt(T) sum_{t=1..T} sum_{n=1..N} w(x_{t-n+1} .. x_t)

    where w is 0 for an n-gram that is not in the table, and for one that has ended at one of the W
    tokens before already. Most of what is repeated says nothing new (of IMDb's test reviews, 90.6 %
    are classified correctly by pairs that count once in 64 tokens, 90.3 % by those that always
    count), and W tokens of memory suffice for an endless text. Division by the root of the number
    of tokens makes long and short texts comparable, as the norm of tf-idf vectors does, and is
    known at each step. The weights are fitted by logistic regression
    (`textrnn.training.run.ngrams`), not by back-propagation; a new layer has the weight 0 for each
    n-gram. On linear classifiers of word pairs: Wang & Manning 2012, "Baselines and Bigrams:
    Simple, Good Sentiment and Topic Classification".

    The keys of an order are searched in log2(R_n) rounds of gather and compare, which every runtime
    has. Weights of n-grams are saved as int8.

    >>> layer = NGramLogits(10, 2, counts=[2])
    >>> layer(tf.constant([[5, 7]])).numpy().tolist()
    [[0.0, 0.0]]
    >>> keys = (np.array([NO_KEY, 5 * 10 + 7], np.int32),)
    >>> weights = (np.zeros([10, 2], np.int8), np.array([[0, 0], [-4, 4]], np.int8))
    >>> layer.set_table(NGramTable(keys, weights, (1.0, 0.5), np.zeros(2, np.float32)))
    >>> layer(tf.constant([[5, 7, 0]])).numpy().round(2)
    array([[-1.41,  1.41]], dtype=float32)

    Args:
        vocab_size: V, the number of token ids; 0 is padding.
        classes: C.
        counts: R_n, the number of rows of each order from 2 to N.
        once_in: W, the number of tokens before in which the same n-gram must not end; 0: each
            n-gram counts.

    Raises:
        ConfigError: There are more n-grams than a key can tell apart.
    """

    def __init__(
        self,
        vocab_size: int,
        classes: int,
        *,
        counts: Sequence[int] = (),
        once_in: int = ONCE_IN,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"trainable": False, **kwargs})
        self.vocab_size, self.classes, self.counts = vocab_size, classes, tuple(counts)
        self.once_in = once_in
        for rows in (vocab_size, *self.counts)[:-1]:
            if rows * vocab_size > LARGEST_KEY:
                raise ConfigError(
                    f"expected at most {LARGEST_KEY // vocab_size:,} n-grams of an order that are "
                    f"continued by another token, got {rows:,}; use a smaller vocabulary or n."
                )
        self._sum = MeanPooling(dtype="float32", name="sum")

    @property
    def orders(self) -> int:
        """N, the number of tokens of the longest n-grams."""
        return 1 + len(self.counts)

    def build(self, _: Any) -> None:
        """Makes the table, whose weights are 0."""
        settings: dict[str, Any] = {"trainable": False, "autocast": False}
        rows = (self.vocab_size, *self.counts)
        self.weights_of = [
            self.add_weight(
                shape=(count, self.classes),
                initializer="zeros",
                dtype="float32",
                name=f"weights_{order}",
                **settings,
            )
            for order, count in enumerate(rows, start=1)
        ]
        self.keys_of = [
            self.add_weight(
                shape=(count,),
                initializer=keras.initializers.Constant(NO_KEY),
                dtype="int32",
                name=f"keys_{order}",
                **settings,
            )
            for order, count in enumerate(self.counts, start=2)
        ]
        self.scales = self.add_weight(
            shape=(self.orders,), initializer="ones", dtype="float32", name="scales", **settings
        )
        self.bias = self.add_weight(
            shape=(self.classes,), initializer="zeros", dtype="float32", name="bias", **settings
        )
        self.built = True

    def set_table(self, table: NGramTable) -> None:
        """Replaces the n-grams and their weights; the table must have the shape of the layer."""
        if not self.built:
            self.build(None)
        self.set_weights([*table.weights, *table.keys, np.array(table.scales), table.bias])

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        """Computes the logits `[B, C]` of ids `[B, T]`, whose padding stands at the right."""
        return self.logits_of(self.evidence(ids), tf.not_equal(ids, 0))

    def logits_of(self, evidence: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """Computes the logits `[B, C]` of what `evidence` returns, with the mask `[B, T]`."""
        mean = self._sum(evidence, mask=mask)
        return self._finish(mean, tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True))

    def evidence(self, ids: tf.Tensor, before: tf.Tensor | None = None) -> tf.Tensor:
        """Returns the sum of the weights of the n-grams that end at each token, `[B, T, C]`.

        Args:
            ids: `[B, T]`; the evidence of padding has no meaning.
            before: `[B, N-1+W]`, the tokens before the first one; None: there are none.
        """
        rows = self.rows(ids, before)
        return tf.add_n([self.weights_at(n, rows[n - 1]) for n in range(1, self.orders + 1)])

    def weights_at(self, order: int, rows: tf.Tensor) -> tf.Tensor:
        """Returns the weights `[B, T, C]` of some rows `[B, T]` of an order, in logits."""
        weights = tf.gather(self.weights_of[order - 1].value, rows)
        return self.scales.value[order - 1] * weights

    @property
    def _memory(self) -> int:
        """The number of tokens before a piece that its evidence depends on."""
        return self.orders - 1 + self.once_in

    def rows(self, ids: tf.Tensor, before: tf.Tensor | None = None) -> list[tf.Tensor]:
        """Returns for each order the rows `[B, T]` of the n-grams that end at each token.

        The row is 0 for an n-gram that is not in the table, or not counted again.

        Args:
            ids: `[B, T]`.
            before: As for `evidence`.
        """
        ids = tf.cast(ids, tf.int32)
        if self._memory:
            padding = tf.zeros([tf.shape(ids)[0], self._memory], tf.int32)
            ids = tf.concat([padding if before is None else before, ids], axis=1)
        rows = [ids]
        for keys in self.keys_of:
            last_tokens = ids[:, len(rows) :]
            wanted = rows[-1][:, :-1] * self.vocab_size + last_tokens
            rows.append(_search(keys.value, wanted))
        # Order n has W + T + N - n rows, of which the last W + T are wanted.
        return [self._once(row[:, self.orders - n :]) for n, row in enumerate(rows, start=1)]

    def _once(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the last rows `[B, T]` of `[B, W+T]`, 0 where one of the W before is the same."""
        if not self.once_in:
            return rows
        current = rows[:, self.once_in :]
        steps = tf.range(tf.shape(current)[1])[:, tf.newaxis] + tf.range(self.once_in)  # [T, W]
        earlier = tf.gather(rows, steps, axis=1)  # [B, T, W]
        repeated = tf.reduce_any(tf.equal(earlier, current[:, :, tf.newaxis]), axis=2)
        return tf.where(repeated, 0, current)

    def start(self, batch_size: Any) -> NGramState:
        """Returns the state of texts of which nothing was read."""
        before = tf.zeros([batch_size, self._memory], tf.int32)
        return NGramState(before, *self._sum.start(batch_size, self.classes))

    def advance(
        self, state: NGramState, ids: tf.Tensor, mask: tf.Tensor
    ) -> tuple[tf.Tensor, NGramState]:
        """Reads the next tokens of texts that come in pieces.

        Args:
            state: The state before the piece.
            ids: `[B, T]` of int32, padding at the right.
            mask: `[B, T]` of bool, True for tokens.

        Returns:
            The evidence `[B, T, C]` of each token, and the state after the piece.
        """
        before, *summary = state
        evidence = self.evidence(ids, before)
        lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True)  # [B, 1]
        places = lengths + tf.range(self._memory)
        last = tf.gather(tf.concat([before, ids], axis=1), places, batch_dims=1)
        return evidence, NGramState(last, *self._sum.add(tuple(summary), evidence, mask))

    def finish(self, state: NGramState) -> tf.Tensor:
        """Returns the logits `[B, C]` of texts as far as they were read."""
        return self._finish(self._sum.finish(tuple(state[1:])), state.count)

    def prefixes(
        self, state: NGramState, evidence: tf.Tensor, mask: tf.Tensor, *, steps: int
    ) -> tf.Tensor:
        """Returns the logits `[B, T, C]` after each token of a piece.

        Args:
            state: The state before the piece.
            evidence: `[B, T, C]`, from `advance`.
            mask: `[B, T]`.
            steps: An upper bound of T.
        """
        means = self._sum.prefixes(tuple(state[1:]), evidence, mask, steps=steps)
        read = tf.cumsum(tf.cast(mask, tf.int32), axis=1) + state.count  # [B, T]
        return self._finish(means, read[:, :, tf.newaxis])

    def _finish(self, mean: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Returns the logits of the mean evidence of some tokens: sum / sqrt(T) + b."""
        return mean * tf.sqrt(tf.cast(count, tf.float32)) + self.bias.value

    def save_own_variables(self, store: Any) -> None:
        """Saves the weights of n-grams, which are whole numbers, as int8."""
        for variable in self.variables:
            is_weights = any(variable is weights for weights in self.weights_of)
            values = variable.numpy()
            store[variable.name] = values.astype(np.int8) if is_weights else values

    def load_own_variables(self, store: Any) -> None:
        """Loads what `save_own_variables` saved."""
        for variable in self.variables:
            variable.assign(np.asarray(store[variable.name], variable.dtype))

    def get_config(self) -> dict[str, Any]:
        """Returns the settings with which `from_config` makes the layer again, without weights."""
        return {
            **super().get_config(),
            "vocab_size": self.vocab_size,
            "classes": self.classes,
            "counts": list(self.counts),
            "once_in": self.once_in,
        }


def _search(keys: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """Returns the place of each wanted number in ascending keys `[R]`, 0 where it is missing.

    Args:
        keys: `[R]` of int32; the first one is below every wanted number.
        wanted: Numbers of any shape.
    """
    last = keys.shape[0] - 1
    place = tf.zeros_like(wanted)
    for bit in reversed(range(last.bit_length())):
        probe = tf.minimum(place + (1 << bit), last)
        place = tf.where(tf.gather(keys, probe) <= wanted, probe, place)
    return tf.where(tf.equal(tf.gather(keys, place), wanted), place, 0)
