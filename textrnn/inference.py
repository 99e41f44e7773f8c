"""Answers from a trained classifier: texts in, predictions out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.classifier import TextClassifier
from textrnn.config import RunConfig
from textrnn.data.batching import BatchPlan
from textrnn.tokenizer import Tokenizer

__all__ = ["BLOCK_TEXTS", "Prediction", "Scorer", "TrainedClassifier"]

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
        """Plain values, ready for JSON."""
        return {
            "label": self.label,
            "score": self.score,
            "labels": list(self.labels),
            "scores": self.scores,
        }


class Scorer:
    """Computes a classifier's probabilities, with one graph for all batches.

    Args:
        model: The classifier.
        multi_label: Whether each label has a probability of its own.
    """

    def __init__(self, model: TextClassifier, *, multi_label: bool) -> None:
        activation = tf.sigmoid if multi_label else tf.nn.softmax

        @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
        def scores(ids: tf.Tensor) -> tf.Tensor:
            return activation(tf.cast(model(ids, training=False), tf.float32))

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
            result[batch.rows[real]] = self._scores(plan.ids(batch)).numpy()[real]
            if on_batch is not None:
                on_batch(int(real.sum()))
        return result


@dataclass
class TrainedClassifier:
    """A classifier with what it needs to read a text and to name its answer.

    Attributes:
        model: The Keras model, ids to logits.
        tokenizer: Texts to ids.
        labels: The label names, in the order of the logits.
        config: The settings it was trained with.
        metrics: What was measured after training.
        read_tokens: How many tokens it has been given so far.
        cut_tokens: How many of them `max_length` cut off.
    """

    model: TextClassifier
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    config: RunConfig
    metrics: dict[str, Any] = field(default_factory=dict)
    read_tokens: int = 0
    cut_tokens: int = 0

    def __post_init__(self) -> None:
        self._scorer = Scorer(self.model, multi_label=self.config.data.multi_label)

    def probabilities(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """The probability `[N, C]` of each label for each text."""
        return self.score_ids(self.tokenizer.encode_batch(texts), on_batch=on_batch)

    def score_ids(
        self, texts: Sequence[np.ndarray], *, on_batch: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """The probability `[N, C]` of each label for each text of token ids `[T]`."""
        if not texts:
            return np.zeros([0, len(self.labels)], np.float32)
        plan = BatchPlan(
            texts,
            batch_tokens=self.config.training.batch_tokens,
            max_length=self.config.training.max_length,
        )
        self.read_tokens += plan.total_tokens
        self.cut_tokens += plan.cut_tokens
        return self._scorer(plan, on_batch=on_batch)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The predictions for some texts, in their order.

        Raises:
            TypeError: `texts` is one text, not a list of them.
        """
        if isinstance(texts, str):
            raise TypeError(f"`texts` must be a list of texts, got one text: predict([{texts!r}]).")
        return [self._name(scores) for scores in self.probabilities(list(texts))]

    def predict_stream(self, texts: Iterable[str]) -> Iterator[tuple[str, Prediction]]:
        """Each text with its prediction, in order, at constant memory however many there are."""
        source = iter(texts)
        while block := list(itertools.islice(source, BLOCK_TEXTS)):
            yield from zip(block, self.predict(block), strict=True)

    def _name(self, scores: np.ndarray) -> Prediction:
        order = np.argsort(-scores, kind="stable")
        best = int(order[0])
        carried: tuple[int, ...] = (best,)
        if self.config.data.multi_label:
            carried = tuple(int(i) for i in order if scores[i] >= 0.5)
        return Prediction(
            label=self.labels[best],
            score=float(scores[best]),
            scores={label: float(p) for label, p in zip(self.labels, scores, strict=True)},
            labels=tuple(self.labels[i] for i in carried),
        )
