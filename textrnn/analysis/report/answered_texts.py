"""Labelled texts together with a classifier's answers to them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from textrnn.analysis.comparison import losses, predicted_labels, right_answers
from textrnn.data import Split
from textrnn.data.corpus import targets
from textrnn.inference.classifier import TrainedClassifier
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
        carried = targets(split.labels, classifier.labels)
        ids = classifier.tokenizer.encode_batch(split.texts)
        with reporter.step("answers", total=len(split)) as advance:
            probabilities = classifier.score_ids(ids, on_batch=advance)
        return cls(classifier, split, ids, probabilities, carried)

    @property
    def multi_label(self) -> bool:
        """Whether a text may carry any number of labels."""
        return self.classifier.config.data.multi_label

    @functools.cached_property
    def predicted(self) -> np.ndarray:
        """The predicted labels, `[N, C]` of bool."""
        return predicted_labels(self.probabilities, multi_label=self.multi_label)

    @functools.cached_property
    def right(self) -> np.ndarray:
        """Whether each text is answered correctly, `[N]` of bool."""
        return right_answers(self.probabilities, self.targets, multi_label=self.multi_label)

    @functools.cached_property
    def losses(self) -> np.ndarray:
        """The negative log-probability of the labels of each text, `[N]`, in nats."""
        return losses(self.probabilities, self.targets, multi_label=self.multi_label)
