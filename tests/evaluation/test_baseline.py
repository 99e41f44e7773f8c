import numpy as np
import pytest
from tiny import labelled_texts

from textrnn.data import Corpus, Split
from textrnn.evaluation import baseline
from textrnn.evaluation.baseline import (
    LinearBaseline,
    baseline_message,
    estimate_seconds,
    measure_baseline,
)
from textrnn.models.label_space import LabelSpace

SPACE = LabelSpace(("neg", "pos"), multi_label=False)


def split_of(rows) -> Split:
    return Split([text for text, _ in rows], [(label,) for _, label in rows])


ROWS = [
    (f"{word} {filling} film", label)
    for word, label in (("good", "pos"), ("not good", "neg"), ("bad", "neg"), ("not bad", "pos"))
    for filling in ("long", "short", "new", "old")
]


def test_pairs_of_words_are_read():
    model = LinearBaseline(split_of(ROWS), label_space=SPACE)
    assert model.name == "a linear model of word pairs"
    assert (model.texts, model.weights > 20) == (16, True)
    right = model.probabilities([text for text, _ in ROWS]).argmax(axis=1)
    assert right.tolist() == [SPACE.labels.index(label) for _, label in ROWS]


def test_texts_without_spaces_are_read_by_characters():
    rows = [("这部电影非常好看", "pos"), ("这部电影非常难看", "neg")] * 4
    model = LinearBaseline(split_of(rows), label_space=SPACE)
    assert model.name == "a linear model of character triples"
    assert model.probabilities(["好看"])[0, 1] > 0.6


def test_without_words_the_shares_of_the_labels_are_known():
    model = LinearBaseline(split_of([("!", "pos"), ("?", "pos"), (".", "neg")]), label_space=SPACE)
    probabilities = model.probabilities(["...", "a word"])
    np.testing.assert_allclose(probabilities[0], probabilities[1])
    assert probabilities[0, 1] > 0.5


def test_of_many_texts_a_sample_is_read(monkeypatch):
    monkeypatch.setattr(baseline, "SAMPLE_CHARS", 100)
    models = [LinearBaseline(split_of(ROWS), label_space=SPACE, seed=s) for s in (0, 0, 1)]
    texts = [text for text, _ in ROWS]
    assert 0 < models[0].texts < 16
    first, again, other = (model.probabilities(texts) for model in models)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_corpus_is_measured():
    train = split_of(labelled_texts(40))
    valid = split_of(labelled_texts(10, seed=1))
    corpus = Corpus("letters", train, valid, None, SPACE.labels, notices=())
    figures = measure_baseline(corpus, label_space=SPACE)
    assert figures["training_texts"] == 40
    assert set(figures) == {"name", "training_texts", "validation"}
    assert set(figures["validation"]) == {"accuracy", "macro_f1", "log_loss"}


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (0.9, "linear has an accuracy of 80.00% on the test texts, this run 90.00%"),
        (
            0.8,
            "note: linear has an accuracy of 80.00% on the test texts, and this run does not beat "
            "it with 80.00%.",
        ),
    ],
)
def test_a_run_that_does_not_beat_it_says_so(ours, expected):
    figures = {"name": "linear", "test": {"accuracy": 0.8}, "validation": {"accuracy": 1.0}}
    metrics = {"baseline": figures, "test": {"accuracy": ours}, "validation": {"accuracy": 0.7}}
    assert baseline_message(metrics) == expected
    del metrics["test"]
    assert "does not beat it with 70.00%" in baseline_message(metrics)


def test_the_estimate_grows_with_the_texts():
    assert 0 < estimate_seconds(1000, classes=2) < estimate_seconds(2000, classes=2)
    assert estimate_seconds(1000, classes=2) < estimate_seconds(1000, classes=20)
