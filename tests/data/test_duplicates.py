"""Texts that stand more than once."""

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus

ROWS = [(f"text {n}", "np"[n % 2]) for n in range(40)]


def test_duplicates_stay_on_one_side_of_the_split(table):
    twice = [*ROWS, *((text.upper(), label) for text, label in ROWS)]
    corpus = load_corpus(ClassifierRunConfig.of(train_file=table("a.csv", twice)), seed=0)
    train = {text.lower() for text in corpus.train.texts}
    assert not train & {text.lower() for text in corpus.validation.texts}
    assert len(corpus.validation) == 8


def test_equal_texts_with_different_labels_are_reported(table):
    rows = [*ROWS, ("Text  0", "p"), ("text 1", "p")]
    (notice,) = load_corpus(ClassifierRunConfig.of(train_file=table("a.csv", rows)), seed=0).notices
    assert "1 text occurs more than once with different labels, such as 'text 0' as n and" in notice


def test_validation_texts_that_stand_in_the_training_file_are_reported(table):
    path = table("a.csv", ROWS)
    (notice,) = load_corpus(
        ClassifierRunConfig.of(train_file=path, valid_file=path), seed=0
    ).notices
    assert notice.startswith("40 of 40 validation texts are also in the training data")
    assert "too good" in notice
