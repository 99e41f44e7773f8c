"""The linear models that are fitted after a training: how long they take, and the baseline."""

from __future__ import annotations

import time

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Corpus
from textrnn.evaluation import baseline
from textrnn.inference.classifier import TrainedClassifier
from textrnn.progress import Reporter
from textrnn.training.run import ngrams

__all__ = ["baseline_seconds", "fit_seconds", "measure_linear_model"]


def fit_seconds(config: ClassifierRunConfig, corpus: Corpus, *, tokens: int) -> float:
    """Returns an estimate of the time that the n-grams and the baseline take.

    Args:
        config: The settings of the run.
        corpus: The data.
        tokens: The number of tokens of the training texts.
    """
    classes = len(corpus.label_names)
    if config.distillation.active:
        tokens *= 2  # The n-grams are fitted to each text with and without each label.
    seconds = sum(
        ngrams.estimate_seconds(tokens, orders=candidate.orders, classes=classes)
        for candidate in ngrams.candidates(config.model.ngrams, tokens=tokens)
    )
    return seconds + baseline_seconds(config, corpus)


def baseline_seconds(config: ClassifierRunConfig, corpus: Corpus) -> float:
    """Returns an estimate of the time that the baseline takes; 0 if the run has none."""
    if not config.runtime.linear_baseline:
        return 0.0
    return baseline.estimate_seconds(corpus.train.characters, classes=len(corpus.label_names))


def measure_linear_model(
    classifier: TrainedClassifier, corpus: Corpus, *, until: float | None, reporter: Reporter
) -> None:
    """Adds the figures of a linear model of word pairs to those of a classifier.

    Args:
        classifier: The classifier, whose figures are compared with those of the linear model.
        corpus: The data.
        until: The moment by `time.monotonic` after which none is fitted; None: there is none.
        reporter: Receives the comparison.
    """
    if until is not None and until < time.monotonic():
        reporter.message(
            "note: the time budget is over, so no linear model is fitted for comparison; textrnn "
            "compare RUN --baseline fits one."
        )
        return
    with reporter.wait("fitting the linear model"):
        classifier.metrics["baseline"] = baseline.measure_baseline(
            corpus, label_space=classifier.label_space, seed=classifier.config.runtime.seed
        )
    reporter.message(baseline.baseline_message(classifier.metrics))
