"""The baseline that a recurrent classifier must beat: a linear model of word pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse

from textrnn.data import Corpus, Split
from textrnn.data.column_store import LabelColumn
from textrnn.evaluation.logistic_regression import fit_logistic_regression
from textrnn.evaluation.metrics import evaluate
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.text.scripts import unsegmented_share

__all__ = ["LinearBaseline", "baseline_message", "estimate_seconds", "measure_baseline"]

INVERSE_PENALTY = 30.0
MANY_TEXTS = 20_000
LEAST_TEXTS_OF_MANY = 3
"""The number of texts in which a word or a pair must occur, if there are many texts."""

SAMPLE_CHARS = 50_000_000
SAMPLE_WORK = 1_000_000_000
"""The number of characters, and of characters times labels, that are learned from; of more training
texts a sample is."""

SCRIPT_TEXTS = 1000
"""The number of texts by which it is decided whether spaces separate the words."""


class LinearBaseline:
    """tf-idf of one and two words, and logistic regression, by scikit-learn.

    Term frequencies are sub-linear. Texts of a script without spaces between words are read as one
    to three characters. It takes seconds, and is more accurate on some data than a neural network
    (Wang & Manning 2012, "Baselines and Bigrams").

    >>> space = LabelSpace(("bad", "good"), multi_label=False)
    >>> split = Split(("fine play", "dull play"), (("good",), ("bad",)))
    >>> baseline = LinearBaseline(split, label_space=space)
    >>> int(baseline.probabilities(["a fine film"]).argmax())
    1

    Args:
        train: The texts to learn from.
        label_space: The labels.
        seed: The seed of the optimizer, and of the sample if there are too many texts.

    Attributes:
        reads_words: Whether the features are words, not characters.
        texts: The number of texts that it has learned from.
        weights: The number of weights.
    """

    def __init__(self, train: Split, *, label_space: LabelSpace, seed: int = 0) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        train = _sample(train, classes=len(label_space.labels), seed=seed)
        self.texts = len(train)
        self.reads_words = unsegmented_share(train.texts[:SCRIPT_TEXTS]) < 0.5
        analysis: dict[str, Any] = {"analyzer": "char", "ngram_range": (1, 3)}
        if self.reads_words:
            analysis = {"ngram_range": (1, 2)}
        least = LEAST_TEXTS_OF_MANY if len(train) >= MANY_TEXTS else 1
        self._vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=least, **analysis)
        try:
            features = self._vectorizer.fit_transform(train.texts)
        except ValueError:  # No word is frequent enough; then the shares of the labels are known.
            self._vectorizer = None
            features = self._features(train.texts)
        labels = LabelColumn.of(train.labels)
        self._model = fit_logistic_regression(
            features,
            label_space.compact_targets(labels.distinct, codes=labels.codes),
            label_space=label_space,
            inverse_penalty=INVERSE_PENALTY,
            seed=seed,
        )
        self.weights = int(self._model.coefficients.size + self._model.bias.size)

    @property
    def name(self) -> str:
        """The name of the model in messages."""
        return f"a linear model of {'word pairs' if self.reads_words else 'character triples'}"

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the probability `[N, C]` of each label for each text."""
        return self._model.probabilities(self._features(texts))

    def _features(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        if self._vectorizer is None:
            return scipy.sparse.csr_matrix((len(texts), 1))
        return self._vectorizer.transform(texts)


def measure_baseline(corpus: Corpus, *, label_space: LabelSpace, seed: int = 0) -> dict[str, Any]:
    """Fits a baseline to the training texts of a corpus, and measures it.

    Returns:
        `name`, `training_texts`, and `accuracy`, `macro_f1` and `log_loss` for `validation` and,
        if there are test texts, for `test`.
    """
    baseline = LinearBaseline(corpus.train, label_space=label_space, seed=seed)
    figures: dict[str, Any] = {"name": baseline.name, "training_texts": baseline.texts}
    for name, split in (("validation", corpus.validation), ("test", corpus.test)):
        if split is not None:
            targets = label_space.targets(split.labels)
            probabilities = baseline.probabilities(split.texts)
            measured = evaluate(probabilities, targets, label_space=label_space)
            figures[name] = {key: measured[key] for key in ("accuracy", "macro_f1", "log_loss")}
    return figures


def baseline_message(metrics: Mapping[str, Any]) -> str:
    """Returns a sentence that compares a run with its baseline, from the metrics of the run."""
    baseline = metrics["baseline"]
    name = "test" if "test" in metrics and "test" in baseline else "validation"
    theirs, ours = baseline[name]["accuracy"], metrics[name]["accuracy"]
    figures = f"{baseline['name']} has an accuracy of {theirs:.2%} on the {name} texts"
    if ours > theirs:
        return f"{figures}, this run {ours:.2%}"
    return f"note: {figures}, and this run does not beat it with {ours:.2%}."


def estimate_seconds(characters: int, *, classes: int) -> float:
    """Returns an estimate of the seconds that a baseline takes, from measurements on a CPU."""
    return min(characters, _most_characters(classes)) * (6e-7 + 1e-7 * classes)


def _most_characters(classes: int) -> int:
    return min(SAMPLE_CHARS, SAMPLE_WORK // classes)


def _sample(train: Split, *, classes: int, seed: int) -> Split:
    characters, most = train.characters, _most_characters(classes)
    if characters <= most:
        return train
    count = max(1, len(train) * most // characters)
    order = np.random.default_rng(seed).permutation(len(train))[:count]
    return train.take(np.sort(order))
