"""Answers from a trained classifier: texts in, predictions out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.batching import Batch, BatchPlan
from textrnn.errors import ConfigError
from textrnn.host.blocks import blocks
from textrnn.inference.calibration import calibrated
from textrnn.inference.streaming import Reader, Stream, Streams, model_digest
from textrnn.models.classifier import TextClassifier
from textrnn.text.checks import as_text, as_texts
from textrnn.text.tokenizer import Tokenizer

__all__ = ["BLOCK_TEXTS", "LONG_TOKENS", "Prediction", "PrefixCurve", "Scorer", "TrainedClassifier"]

LONG_TOKENS = 8192
"""Tokens of a text beyond which it is read in pieces, in constant memory, where it can be."""

EARLY_PIECE = 64
"""Tokens that are read at once where reading may end at any of them."""

BLOCK_TEXTS = 1024
"""Texts that are read, sorted by length and answered together."""


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    Attributes:
        label: The most probable label.
        score: Its probability.
        scores: The probability of each label.
        labels: The labels the text carries: `(label,)`, or for a multi-label model those with a
            probability of at least 0.5, most probable first.
    """

    label: str
    score: float
    scores: dict[str, float]
    labels: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; the label of a text that carries none is None."""
        return {
            "label": self.label if self.labels else None,
            "score": self.score,
            "labels": list(self.labels),
            "scores": self.scores,
        }


@dataclass(frozen=True)
class PrefixCurve:
    """The answer after each token.

    Attributes:
        pieces: The tokens, T of them; U+2581 stands for a space.
        scores: `[T, C]`, the probability of each label when so much has been read.
        labels: The label names.
    """

    pieces: tuple[str, ...]
    scores: np.ndarray
    labels: tuple[str, ...]


class Scorer:
    """Computes a classifier's probabilities, with one graph for all batches.

    Args:
        model: The classifier.
        multi_label: Whether each label has a probability of its own.
    """

    def __init__(self, model: TextClassifier, *, multi_label: bool) -> None:
        self.activation = tf.sigmoid if multi_label else tf.nn.softmax

        @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
        def scores(ids: tf.Tensor) -> tf.Tensor:
            return self.activation(tf.cast(model(ids, training=False), tf.float32))

        self._scores = scores
        self._classes = model.classes

    def __call__(
        self, plan: BatchPlan, *, on_batch: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """The probabilities `[N, C]` of the plan's texts, in their order.

        Args:
            plan: The texts.
            on_batch: Told after each batch how many texts it held.
        """
        result = np.zeros([len(plan.texts), self._classes], np.float32)
        for batch in plan.batches():
            real = batch.rows >= 0
            result[batch.rows[real]] = self.score(plan, batch)[real]
            if on_batch is not None:
                on_batch(int(real.sum()))
        return result

    def score(self, plan: BatchPlan, batch: Batch) -> np.ndarray:
        """The probabilities `[B, C]` of one batch."""
        return np.asarray(self._scores(plan.ids(batch)))


@dataclass
class TrainedClassifier:
    """A classifier with what it needs to read a text and to name its answer.

    Attributes:
        model: The Keras model, ids to logits.
        tokenizer: Texts to ids.
        labels: The label names, in the order of the logits.
        config: The settings it was trained with.
        metrics: What was measured after training.
        data: What it learned from: see `textrnn.data.provenance`.
        read_tokens: How many tokens it has been given so far.
        cut_tokens: How many of them `max_length` cut off.
    """

    model: TextClassifier
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    config: ClassifierRunConfig
    metrics: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    read_tokens: int = 0
    cut_tokens: int = 0

    def __post_init__(self) -> None:
        self._own_reader: Reader | None = None
        self._scorer = Scorer(self.model, multi_label=self.config.task.multi_label)

    def probabilities(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """The probability `[N, C]` of each label for each text.

        Raises:
            TypeError: `texts` is no list of strings.
        """
        ids = self.tokenizer.encode_batch(as_texts(texts, call="probabilities"))
        return self.score_ids(ids, on_batch=on_batch)

    def score_ids(
        self, texts: Sequence[np.ndarray], *, on_batch: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """The probability `[N, C]` of each label for each text of token ids `[T]`.

        A model that reads forwards only reads every text to its end, whatever `max_length` it was
        trained with, and a text of more than `LONG_TOKENS` in constant memory. Other models cut
        texts at `max_length`; `cut_tokens` counts what they cut.
        """
        scores = np.zeros([len(texts), len(self.labels)], np.float32)
        forwards = not (self.config.model.bidirectional or self.config.model.pyramid)
        is_long = np.array([forwards and len(text) > LONG_TOKENS for text in texts], bool)
        self.read_tokens += sum(map(len, texts))
        short = [text for text, long in zip(texts, is_long, strict=True) if not long]
        if short:
            plan = BatchPlan(
                short,
                batch_tokens=self.config.batches.batch_tokens,
                max_length=0 if forwards else self.config.batches.max_length,
            )
            self.cut_tokens += plan.cut_tokens
            scores[~is_long] = self._scorer(plan, on_batch=on_batch)
        for place in map(int, np.flatnonzero(is_long)):
            reader = self._reader()
            scores[place], _ = reader.read(reader.start(1), [texts[place]])
            if on_batch is not None:
                on_batch(1)
        return scores

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The predictions for some texts, in their order.

        Raises:
            TypeError: `texts` is no list of strings.
        """
        found = self.probabilities(as_texts(texts, call="predict"))
        return [self._name(scores) for scores in found]

    def predict_stream(self, texts: Iterable[str]) -> Iterator[tuple[str, Prediction]]:
        """Each text with its prediction, in order, at constant memory however many there are."""
        for block in blocks(texts, BLOCK_TEXTS):
            yield from zip(block, self.predict(block), strict=True)

    def stream(self, state: bytes | None = None) -> Stream:
        """A text that is read piece by piece, with a prediction after each.

        Args:
            state: Of a stream of this model to go on with; None: a new text.

        Raises:
            ConfigError: The model needs the whole text at once: it is bidirectional, or halves.
            ModelError: The state is none, or that of another model.
        """
        stream = Stream(self.streams())
        if state is not None:
            stream.restore(state)
        return stream

    def streams(self) -> Streams:
        """Any number of such texts, which join and leave as they like.

        Raises:
            ConfigError: The model needs the whole text at once.
        """
        return Streams(self._reader(), self.tokenizer, self._name, digest=model_digest(self.model))

    def prefix_curve(self, text: str) -> PrefixCurve:
        """The probabilities after each token of a text: how the answer came about.

        Raises:
            ConfigError: The model needs the whole text at once.
        """
        ids = self.tokenizer.encode(as_text(text, call="prefix_curve"))
        reader = self._reader()
        scores = np.zeros([0, len(self.labels)], np.float32)
        if ids:
            scores, _ = reader.read_each(reader.start(1), ids)
        pieces = tuple(self.tokenizer.id_to_piece(id) for id in ids)
        return PrefixCurve(pieces, scores, self.labels)

    def predict_early(
        self, text: str, *, confident: float, tokens: int = 32
    ) -> tuple[Prediction, int, int]:
        """Reads a text only as far as its label is in doubt.

        Args:
            text: The text.
            confident: The probability at which the label counts as known, below 1. It is that of
                the running prediction, calibrated on the run's validation texts by temperature
                (`metrics["calibration"]`, where there is one).
            tokens: For how many tokens on end it must be so, the label staying the same.

        Returns:
            The prediction where reading ended, how many tokens were read, and how many there are.

        Raises:
            ConfigError: The model needs the whole text at once, or a value is out of bounds.
        """
        if not 0.0 < confident < 1.0:
            raise ConfigError(f"`confident` must be between 0 and 1, got {confident}.")
        if tokens < 1:
            raise ConfigError(f"`tokens` must be at least 1, got {tokens}.")
        ids = self.tokenizer.encode(as_text(text, call="predict_early"))
        reader = self._reader()
        temperature = float(self.metrics.get("calibration", {}).get("temperature", 1.0))
        multi_label = self.config.task.multi_label
        memory, read, run, label = reader.start(1), 0, 0, -1
        scores, _ = reader.read(memory, [[]])
        row = scores[0]
        while read < len(ids):
            piece = ids[read : read + EARLY_PIECE]
            found, memory = reader.read_each(memory, piece)
            sure = calibrated(found, temperature, multi_label=multi_label)
            for row, calm in zip(found, sure, strict=True):
                read += 1
                best = int(np.argmax(calm))
                known = calm[best] >= confident
                run = run + 1 if known and best == label else int(known)
                label = best
                if run >= tokens:
                    return self._name(row), read, len(ids)
        return self._name(row), read, len(ids)

    def _reader(self) -> Reader:
        if self._own_reader is None:
            self._own_reader = Reader(self.model, multi_label=self.config.task.multi_label)
        return self._own_reader

    def _name(self, scores: np.ndarray) -> Prediction:
        order = np.argsort(-scores, kind="stable")
        best = int(order[0])
        carried: tuple[int, ...] = (best,)
        if self.config.task.multi_label:
            carried = tuple(int(i) for i in order if scores[i] >= 0.5)
        return Prediction(
            label=self.labels[best],
            score=float(scores[best]),
            scores={label: float(p) for label, p in zip(self.labels, scores, strict=True)},
            labels=tuple(self.labels[i] for i in carried),
        )
