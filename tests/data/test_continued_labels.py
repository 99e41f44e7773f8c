"""The labels of a run that continues the training of a classifier."""

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus, load_split
from textrnn.data.continued_labels import with_earlier_names

EARLIER = ("spam", "news", "gone")


def rows(*labels, count=10, prefix="text"):
    return [(f"{prefix} {label} {n}", label) for label in labels for n in range(count)]


@pytest.fixture
def corpus_of(table):
    def load(*labels, earlier=EARLIER, valid=("news", "long"), **settings):
        config = ClassifierRunConfig.of(
            train_file=table("train.csv", rows(*labels)),
            valid_file=table("valid.csv", rows(*valid, count=2, prefix="valid")),
            **settings,
        )
        return load_corpus(config, seed=0, earlier_labels=earlier), config

    return load


def test_earlier_labels_come_first_and_new_ones_after_them(corpus_of):
    corpus, _ = corpus_of("news", "spam", "long")
    assert corpus.label_names == ("spam", "news", "gone", "long")


def test_labels_without_texts_are_dropped_on_request(corpus_of):
    corpus, _ = corpus_of("news", "spam", "long", keep_labels=False)
    assert corpus.label_names == ("long", "news", "spam")
    assert corpus.notices == ()


def test_what_may_be_forgotten_and_what_is_not_measured_is_reported(corpus_of):
    corpus, _ = corpus_of("spam", "long", valid=("news", "long"))
    forgotten, unmeasured = corpus.notices
    assert "no training text has 2 labels that the run keeps from its start (news, gone)" in (
        forgotten
    )
    assert "no text of the validation and test data has 1 label" in unmeasured
    assert "(gone): what became of them is not measured" in unmeasured
    assert "keep_labels" in forgotten


def test_validation_texts_may_have_a_label_that_no_training_text_has(corpus_of):
    corpus, config = corpus_of("spam", "long", valid=("news", "gone"))
    assert corpus.label_names == ("spam", "news", "gone", "long")
    split, _ = load_split(config, "train", seed=0, label_names=corpus.label_names)
    assert len(split) == 20


def test_a_label_that_looks_like_an_earlier_one_gets_its_name(corpus_of):
    corpus, _ = corpus_of("new  york", "spam", earlier=("new york", "spam"), valid=("spam",))
    assert corpus.label_names == ("new york", "spam")
    assert with_earlier_names([("1.0",)], ("1",)) == [("1",)]
    assert with_earlier_names([("1.0",)], ()) == [("1.0",)]
