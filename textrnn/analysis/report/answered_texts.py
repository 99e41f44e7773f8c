"""Labelled texts together with a classifier's answers to them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from textrnn.data import Split
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.progress import Reporter

__all__ = ["AnsweredTexts"]


@dataclass(frozen=True)
class AnsweredTexts:
    """N labelled texts, and the probabilities that a classifier gives them.

    Attributes:
        classifier: The classifier.
        split: The texts and their labels.
        ids: The token ids `[T]` of each text.
        probabilities: `[N, C]`.
        targets: `[N, C]` of 0 and 1.
    """

    classifier: TrainedClassifier
    split: Split
    ids: list[np.ndarray]
    probabilities: np.ndarray
    targets: np.ndarray

    @classmethod
    def of(
        cls, classifier: TrainedClassifier, split: Split, *, reporter: Reporter
    ) -> AnsweredTexts:
        """Has a classifier answer texts.

        Args:
            classifier: The classifier.
            split: The texts and their labels.
            reporter: Receives the progress.

        Raises:
            DataError: The classifier does not know a label.
        """
        targets = classifier.label_space.targets(split.labels)
        ids = classifier.tokenizer.encode_batch(split.texts)
        with reporter.step("answers", total=len(split)) as advance:
            probabilities = classifier.score_ids(ids, on_batch=advance)
        return cls(classifier, split, ids, probabilities, targets)

    @property
    def label_space(self) -> LabelSpace:
        """The labels of the classifier."""
        return self.classifier.label_space

    @functools.cached_property
    def predicted(self) -> np.ndarray:
        """The predicted labels, `[N, C]` of bool."""
        return self.label_space.decide(self.probabilities)

    @functools.cached_property
    def right(self) -> np.ndarray:
        """Returns whether each text is answered correctly, `[N]` of bool."""
        return self.label_space.right_answers(self.probabilities, self.targets)

    @functools.cached_property
    def losses(self) -> np.ndarray:
        """The negative log-probability of the labels of each text, `[N]`, in nats."""
        return self.label_space.log_loss(self.probabilities, self.targets)
