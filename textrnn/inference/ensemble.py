"""Several trained classifiers that answer together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from textrnn.errors import ConfigError, DataError
from textrnn.inference.predictions import Predictions
from textrnn.inference.uncertainty import disagreements
from textrnn.messages.wording import listed
from textrnn.runtime.blocks import blocks
from textrnn.runtime.decision_rule import DecisionRule
from textrnn.runtime.labels import Labels
from textrnn.runtime.model import BLOCK_TEXTS
from textrnn.runtime.prediction import Prediction
from textrnn.runtime.text.checks import as_texts

if TYPE_CHECKING:
    from textrnn.inference.classifier import TrainedClassifier

__all__ = ["Ensemble", "check_same_labels", "ordered_probabilities"]


class Ensemble:
    """Answers with the mean of the probabilities of several classifiers.

        p(c | x) = 1/M sum_{m=1..M} p_m(c | x)

    Classifiers that differ in nothing but their seed err on different texts, so their mean errs
    less often than each (Lakshminarayanan et al. 2017, "Simple and Scalable Predictive Uncertainty
    Estimation using Deep Ensembles"). It takes M times the time; `textrnn distil` teaches the
    answers to one classifier.

    Example:
        ensemble = textrnn.Ensemble([textrnn.load("runs/a"), textrnn.load("runs/b")])
        (prediction,) = ensemble.predict(["a fine film"])

    Args:
        members: The classifiers. Each has a tokenizer of its own; the order of the labels may
            differ.

    Attributes:
        label_space: The labels, in the order of the first classifier, and the mean of the rules of
            the classifiers; see `DecisionRule.mean`.

    Raises:
        ConfigError: There is no classifier, only some are multi-label, or their decisions have
            different objectives.
        DataError: The labels differ.
    """

    def __init__(self, members: Sequence[TrainedClassifier]) -> None:
        if not members:
            raise ConfigError("an ensemble needs at least one classifier, got none.")
        self.members = tuple(members)
        self.label_space = members[0].label_space
        for number, member in enumerate(members, start=1):
            check_same_labels(
                member.label_space,
                self.label_space,
                name=f"classifier {number}",
                expected_name="classifier 1",
            )
        rules = [
            member.rule.reordered([member.labels.index(label) for label in self.labels])
            for member in members
        ]
        self.label_space = replace(self.label_space, rule=DecisionRule.mean(rules))

    @property
    def labels(self) -> tuple[str, ...]:
        """The label names, in the order of the probabilities."""
        return self.label_space.labels

    def probabilities(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """Returns the mean probability `[N, C]` of each label for each text.

        Args:
            texts: The texts.
            on_batch: Receives the number of texts of each batch that one of the classifiers has
                answered.

        Raises:
            TypeError: `texts` is no list of strings.
        """
        texts = as_texts(texts, call="probabilities")
        total = np.zeros([len(texts), len(self.labels)], np.float32)
        for member in self.members:
            total += ordered_probabilities(member, texts, labels=self.labels, on_batch=on_batch)
        return total / len(self.members)

    def disagreements(self, texts: Sequence[str]) -> np.ndarray:
        """Returns how much the classifiers disagree about each text, `[N]`, from 0 to 1.

        See `textrnn.inference.uncertainty.disagreements`.

        Raises:
            ConfigError: There is only one classifier.
            TypeError: `texts` is no list of strings.
        """
        texts = as_texts(texts, call="disagreements")
        answers = [
            ordered_probabilities(member, texts, labels=self.labels) for member in self.members
        ]
        return disagreements(np.stack(answers), label_space=self.label_space)

    def predict(self, texts: Iterable[str]) -> Predictions[Prediction]:
        """Returns the predictions for some texts, in their order: a list that displays as a table.

        Raises:
            TypeError: `texts` is no list of strings.
        """
        texts = as_texts(texts, call="predict")
        probabilities = self.probabilities(texts)
        return Predictions((Prediction.of(row, self.label_space) for row in probabilities), texts)

    def predict_stream(self, texts: Iterable[str]) -> Iterator[tuple[str, Prediction]]:
        """Yields each text with its prediction, in order; the memory is constant."""
        for block in blocks(texts, BLOCK_TEXTS):
            yield from zip(block, self.predict(block), strict=True)


def ordered_probabilities(
    classifier: TrainedClassifier,
    texts: Sequence[str],
    *,
    labels: Sequence[str],
    on_batch: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Returns the probability `[N, C]` of each label for each text, in an order of the labels.

    Args:
        classifier: The classifier.
        texts: The texts.
        labels: All labels of the classifier, in the order of the columns.
        on_batch: Receives the number of texts of each batch that is done.
    """
    columns = [classifier.labels.index(label) for label in labels]
    return classifier.probabilities(texts, on_batch=on_batch)[:, columns]


def check_same_labels(labels: Labels, expected: Labels, *, name: str, expected_name: str) -> None:
    """Checks that a classifier has the labels of another one, in any order.

    Args:
        labels: Its labels.
        expected: Those of the other classifier.
        name: The name of the classifier in messages.
        expected_name: The name of the other one.

    Raises:
        DataError: The labels differ.
        ConfigError: Only one of them is multi-label.
    """
    ours, theirs = labels.labels, expected.labels
    if set(ours) != set(theirs):
        # A long list is shortened at its end, so labels that the other one lacks come first.
        wanted = sorted(theirs, key=lambda label: label in ours)
        got = sorted(ours, key=lambda label: label in theirs)
        raise DataError(
            f"{name}: expected the labels of {expected_name} ({listed(wanted)}), got "
            f"{listed(got)}; use runs of the same data."
        )
    if labels.multi_label != expected.multi_label:
        raise ConfigError(f"{name} and {expected_name}: only one of them is multi-label.")
