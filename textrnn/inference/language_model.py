"""A trained language model: the log-probabilities of texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.data.batching import BatchPlan
from textrnn.errors import ConfigError
from textrnn.models.language_model import BETWEEN, LanguageModel
from textrnn.runtime.blocks import blocks
from textrnn.runtime.likelihood import Likelihood
from textrnn.runtime.text.checks import as_texts
from textrnn.text.tokenizer import Tokenizer

__all__ = ["Likelihood", "LikelihoodScorer", "TrainedLanguageModel"]

PIECE_TOKENS = 512
"""The number of tokens of a text that are read at once, so that the memory is constant."""

BATCH_TOKENS = 2048
"""The number of tokens whose predictions `[tokens, V]` are in memory at once."""

BLOCK_TEXTS = 256
"""The number of texts that are read, sorted by length and answered together."""


class LikelihoodScorer:
    """Computes the log-probability of each token of many texts, with one graph.

    Args:
        model: The language model.
        direction: 0: each token given the tokens before it; 1: given the tokens after it.

    Raises:
        ConfigError: The model has no such direction.
    """

    def __init__(self, model: LanguageModel, *, direction: int = 0) -> None:
        if not 0 <= direction < model.directions:
            raise ConfigError(f"`direction` must be below {model.directions}, got {direction}.")
        self._model, self._direction = model, direction
        self._structure = model.start(1, direction=direction)
        self._start = [tensor.numpy() for tensor in tf.nest.flatten(self._structure)]

        def read(
            ids: tf.Tensor, targets: tf.Tensor, *flat: tf.Tensor
        ) -> tuple[tf.Tensor, list[tf.Tensor]]:
            state = tf.nest.pack_sequence_as(self._structure, flat)
            vectors, state = model.read(state, ids, direction=direction)
            return -model.losses(vectors, targets), tf.nest.flatten(state)

        pair = [tf.TensorSpec([None, None], tf.int32)] * 2
        states = [tf.TensorSpec([None, *s.shape[1:]], s.dtype) for s in self._start]
        self._read = tf.function(read, input_signature=[*pair, *states], autograph=False)

    def __call__(
        self, texts: Sequence[Any], *, on_batch: Callable[[int], None] | None = None
    ) -> list[np.ndarray]:
        """Returns ln p `[T + 1]` of the tokens of each text, in the order of the text.

        The last number is that of the end of the text; in direction 1 the first number is that of
        its beginning.

        Args:
            texts: The token ids `[T]` of each text.
            on_batch: Receives the number of texts of each batch that is done.
        """
        in_order = [np.asarray(text, np.int32) for text in texts]
        if self._direction:
            in_order = [text[::-1] for text in in_order]
        inputs = [np.concatenate([[BETWEEN], text]) for text in in_order]
        plan = BatchPlan(inputs, batch_tokens=BATCH_TOKENS)
        log_probabilities: list[np.ndarray] = [np.zeros(0, np.float32)] * len(texts)
        for batch in plan.batches():
            rows = batch.rows[batch.rows >= 0]
            ids = plan.ids(batch)[: len(rows)]
            for row, scores in zip(rows, self._batch(ids), strict=True):
                scores = scores[: plan.lengths[row]]
                log_probabilities[row] = scores[::-1] if self._direction else scores
            if on_batch is not None:
                on_batch(len(rows))
        return log_probabilities

    def _batch(self, ids: np.ndarray) -> np.ndarray:
        """Returns ln p `[B, T]` of the token after each token `[B, T]`; 0 after the last."""
        targets = np.pad(ids[:, 1:], [(0, 0), (0, 1)], constant_values=BETWEEN)
        state = [np.repeat(start, len(ids), axis=0) for start in self._start]
        parts = []
        for begin in range(0, ids.shape[1], PIECE_TOKENS):
            piece = slice(begin, begin + PIECE_TOKENS)
            scores, state = self._read(ids[:, piece], targets[:, piece], *state)
            parts.append(scores.numpy())
        return np.concatenate(parts, axis=1)


@dataclass
class TrainedLanguageModel:
    """A trained language model with its tokenizer.

    Example:
        language_model = textrnn.load_language_model("runs/language_model")
        (likelihood,) = language_model.score(["The match ended in a draw."])
        likelihood.perplexity

    Attributes:
        model: The Keras model.
        tokenizer: Maps texts to ids.
        config: The settings of the training.
        metrics: The figures that were measured after training.
    """

    model: LanguageModel
    tokenizer: Tokenizer
    config: LanguageModelRunConfig
    metrics: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._scorers: dict[int, LikelihoodScorer] = {}

    @property
    def unusual_bits_per_token(self) -> float | None:
        """The bits per token that 1 % of the held-out texts exceed; None: not measured."""
        bits = self.metrics.get("held_out", {}).get("unusual_bits_per_token")
        return None if bits is None else float(bits)

    def score(self, texts: Sequence[str], *, direction: int = 0) -> list[Likelihood]:
        """Returns the likelihood of each text.

        Args:
            texts: The texts.
            direction: 0 reads forwards; 1 reads from the end, if the model was trained to.

        Raises:
            TypeError: `texts` is no list of strings.
            ConfigError: The model has no such direction.
        """
        ids = self.tokenizer.encode_batch(as_texts(texts, call="score"))
        pieces = [tuple(map(self.tokenizer.id_to_piece, map(int, row))) for row in ids]
        scores = self.score_ids(ids, direction=direction) if ids else []
        return [Likelihood(*pair) for pair in zip(pieces, scores, strict=True)]

    def score_stream(self, texts: Iterable[str]) -> Iterator[tuple[str, Likelihood]]:
        """Yields each text with its likelihood, in order; the memory is constant."""
        for block in blocks(texts, BLOCK_TEXTS):
            yield from zip(block, self.score(block), strict=True)

    def score_ids(
        self,
        texts: Sequence[np.ndarray],
        *,
        direction: int = 0,
        on_batch: Callable[[int], None] | None = None,
    ) -> list[np.ndarray]:
        """Returns ln p `[T + 1]` of the ids `[T]` of each text; see `LikelihoodScorer`."""
        if direction not in self._scorers:
            self._scorers[direction] = LikelihoodScorer(self.model, direction=direction)
        return self._scorers[direction](texts, on_batch=on_batch)
