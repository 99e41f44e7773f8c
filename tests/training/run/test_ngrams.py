"""The n-gram classifier that is fitted after a training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from textrnn.evaluation import logistic_regression
from textrnn.layers.ngrams import NO_KEY, NGramLogits
from textrnn.models.label_space import LabelSpace
from textrnn.training.run import ngrams
from textrnn.training.run.ngrams import (
    NGramChoice,
    candidates,
    estimate_seconds,
    fit_ngrams,
)

VOCABULARY = 12
LABELS = ("a", "b", "c")
SPACE = LabelSpace(LABELS, multi_label=False)
TWO = LabelSpace(("a", "b"), multi_label=False)
MULTI = LabelSpace(("a", "b"), multi_label=True)


def texts_of(count: int = 120, *, classes: int = 3, seed: int = 0) -> tuple[list[Any], np.ndarray]:
    """Texts whose class is decided by which of the pairs 2 3, 3 2 and 4 2 is in them."""
    rng = np.random.default_rng(seed)
    texts, labels = [], np.arange(count) % classes
    for label in labels:
        text = rng.integers(5, VOCABULARY, rng.integers(3, 9))
        place = rng.integers(len(text) - 1)
        text[place : place + 2] = [(2, 3), (3, 2), (4, 2)][label]
        texts.append(text.astype(np.int32))
    return texts, np.eye(classes, dtype=np.float32)[labels]


def logits_of(table: Any, texts: list[Any]) -> np.ndarray:
    layer = NGramLogits(VOCABULARY, len(table.bias), counts=table.counts)
    layer.set_table(table)
    longest = max(map(len, texts))
    ids = np.array([[*text, *[0] * (longest - len(text))] for text in texts], np.int32)
    return layer(ids).numpy()


def fit(texts: list[Any], targets: np.ndarray, **settings: Any) -> Any:
    space = settings.pop("label_space", SPACE)
    choice = NGramChoice(settings.pop("orders", 2), settings.pop("least_texts", 2))
    return fit_ngrams(
        texts, targets, label_space=space, vocab_size=VOCABULARY, choice=choice, **settings
    )


def test_pairs_decide_where_single_tokens_cannot() -> None:
    texts, targets = texts_of(classes=2)
    tests, answers = texts_of(60, classes=2, seed=1)
    right = [
        (
            logits_of(fit(texts, targets, label_space=TWO, orders=orders), tests).argmax(axis=1)
            == answers.argmax(axis=1)
        ).mean()
        for orders in (1, 2)
    ]
    assert right[0] < 0.8
    assert right[1] == 1.0


@pytest.mark.parametrize("orders", [1, 2, 3])
def test_the_logits_are_those_of_scikit_learn(orders: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic_regression, "TOLERANCE", 1e-6)
    texts, targets = texts_of()
    vectorizer = CountVectorizer(
        binary=True, ngram_range=(1, orders), analyzer="word", token_pattern=r"\S+", lowercase=False
    )
    counts = vectorizer.fit_transform(" ".join(map(str, text)) for text in texts).toarray()
    idf = 1 + np.log(len(texts) / (counts > 0).sum(axis=0))
    features = counts * idf / np.sqrt([[len(text)] for text in texts])
    expected = np.stack(
        [
            LogisticRegression(solver="liblinear", dual=True, tol=1e-6, random_state=0)
            .fit(features, targets[:, c])
            .decision_function(features)
            for c in range(3)
        ],
        axis=1,
    )
    # Weights are rounded to 1/127 of the largest one.
    np.testing.assert_allclose(
        logits_of(fit(texts, targets, orders=orders, least_texts=1), texts), expected, atol=0.05
    )


def test_a_repeated_n_gram_counts_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "ONCE_IN", 3)
    row = np.array([5, 7, 5, 7, 7, 0, 7, 0, 5, 5, 0])
    owners = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2])
    assert sorted(ngrams._first_uses(row, owners).tolist()) == [0, 1, 6, 8]
    assert ngrams._first_uses(np.zeros(3, int), owners[:3]).tolist() == []


def test_two_labels_that_exclude_each_other_have_opposite_logits() -> None:
    texts, targets = texts_of(classes=2)
    logits = logits_of(fit(texts, targets, label_space=TWO), texts)
    np.testing.assert_allclose(logits[:, 0], -logits[:, 1], atol=1e-5)


def test_labels_that_do_not_exclude_each_other_are_fitted_alone() -> None:
    texts, targets = texts_of(classes=2)
    targets[:, 0] = 1.0
    targets[0, 0] = 0.0
    logits = logits_of(fit(texts, targets, label_space=MULTI), texts)
    assert (logits[1:, 0] > 0).all()
    assert ((logits[:, 1] > 0) == (targets[:, 1] > 0)).mean() > 0.95


def test_a_label_that_no_text_has_is_improbable() -> None:
    texts, targets = texts_of()
    targets = np.pad(targets, [(0, 0), (0, 1)])
    space = LabelSpace((*LABELS, "d"), multi_label=False)
    logits = logits_of(fit(texts, targets, label_space=space), texts)
    assert (logits.argmax(axis=1) == targets.argmax(axis=1)).all()
    assert (logits[:, 3] < -4).all()


def test_n_grams_join_no_two_texts_and_rare_ones_are_left_out() -> None:
    texts = [np.array(text, np.int32) for text in ([5, 6], [7, 8], [5, 6], [7, 8], [9, 10])]
    targets = np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 1]]
    table = fit(texts, targets, label_space=TWO)
    (keys,) = table.keys
    assert keys.tolist() == [NO_KEY, 5 * VOCABULARY + 6, 7 * VOCABULARY + 8]
    (all_keys,) = fit(texts, targets, label_space=TWO, least_texts=1).keys
    assert all_keys.tolist() == [*keys.tolist(), 9 * VOCABULARY + 10]


def test_only_the_most_frequent_n_grams_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "MOST_BYTES", 4 * (4 + 3))
    texts, targets = texts_of()
    table = fit(texts, targets)
    assert table.counts == (4,)
    assert set(table.keys[0][1:].tolist()) == {2 * 12 + 3, 3 * 12 + 2, 4 * 12 + 2}


def test_of_many_texts_a_sample_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, targets = texts_of()
    whole = fit(texts, targets)
    monkeypatch.setattr(ngrams, "MOST_TOKENS", 300)
    monkeypatch.setattr(ngrams, "MOST_WORK", 900)
    tables = [fit(texts, targets, seed=seed) for seed in (0, 0, 1)]
    assert tables[0].counts < whole.counts
    np.testing.assert_array_equal(tables[0].weights[0], tables[1].weights[0])
    assert not np.array_equal(tables[0].weights[0], tables[2].weights[0])


def test_the_weights_of_texts_count() -> None:
    texts, targets = texts_of(classes=2)
    weights = np.where(targets[:, 1] > 0, 10.0, 0.1).astype(np.float32)
    weighed = fit(texts, targets, label_space=TWO, sample_weights=weights)
    assert weighed.bias[1] > fit(texts, targets, label_space=TWO).bias[1]


def test_empty_texts_are_fitted_too() -> None:
    empty = np.zeros(0, np.int32)
    table = fit([empty, empty], np.eye(2, dtype=np.float32), label_space=TWO)
    assert table.counts == (1,)
    np.testing.assert_allclose(logits_of(table, [empty, np.array([3])]), 0, atol=0.01)


def test_the_validation_texts_choose_among_a_few_kinds_of_n_grams() -> None:
    assert candidates(None, tokens=10**6) == (
        NGramChoice(2, 2),
        NGramChoice(2, 1),
        NGramChoice(3, 1),
    )
    assert candidates(4, tokens=10**6) == (NGramChoice(4, 2), NGramChoice(4, 1))
    assert candidates(1, tokens=10**7) == (NGramChoice(1, 2),)
    assert candidates(0, tokens=10**7) == ()


def test_the_estimate_grows_with_texts_and_classes() -> None:
    small = estimate_seconds(1000, orders=2, classes=2)
    assert 0 < small < estimate_seconds(2000, orders=2, classes=2)
    assert small < estimate_seconds(1000, orders=2, classes=20)
    assert estimate_seconds(1000, orders=0, classes=2) == 0
