"""Data that has changed since a run learned from it."""

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus, load_split
from textrnn.data.provenance import provenance
from textrnn.errors import DataError

LABELS = ("neg", "pos")


@pytest.fixture
def config(tmp_path):
    for name, count in [("train", 40), ("test", 6)]:
        write(tmp_path / f"{name}.csv", count, name)
    return ClassifierRunConfig.of(
        train_file=str(tmp_path / "train.csv"), test_file=str(tmp_path / "test.csv")
    )


def write(path, count, name):
    rows = [f"{name} {n},{LABELS[n % 2]}\n" for n in range(count)]
    path.write_text("text,label\n" + "".join(rows))


def split(config, which, known):
    return load_split(config, which, seed=0, label_names=LABELS, trained_on=known)


@pytest.mark.parametrize("which", ["train", "validation", "test"])
def test_unchanged_data_gives_no_notice(config, which):
    known = provenance(load_corpus(config, seed=0))
    assert split(config, which, known)[1] == ()
    assert split(config, which, {})[1] == ()


def test_the_training_texts_of_each_label_are_counted(config):
    corpus = load_corpus(config, seed=0)
    counts = provenance(corpus)["training_texts"]
    assert list(counts) == list(corpus.label_names)
    assert counts["neg"] == sum(labels == ("neg",) for labels in corpus.train.labels)
    assert sum(counts.values()) == len(corpus.train)


def test_changed_test_data_is_noticed(config, tmp_path):
    known = provenance(load_corpus(config, seed=0))
    write(tmp_path / "test.csv", 8, "test")
    (notice,) = split(config, "test", known)[1]
    assert "the test data has changed since the run was trained (6 texts then, 8 now)" in notice


@pytest.mark.parametrize("which", ["train", "validation"])
def test_parts_of_a_changed_training_file_are_an_error(config, tmp_path, which):
    """They would mix what the run learned from with what it did not."""
    known = provenance(load_corpus(config, seed=0))
    path = tmp_path / "train.csv"
    path.write_text(path.read_text().replace("train 7,pos", "train 7,neg"))
    with pytest.raises(DataError, match=r"has changed since the run was trained .*`test_file`"):
        split(config, which, known)


def test_a_split_is_known_by_texts_labels_and_order(config):
    corpus = load_corpus(config, seed=0)
    assert provenance(corpus)["train"] == provenance(load_corpus(config, seed=0))["train"]
    assert provenance(corpus)["train"] != provenance(load_corpus(config, seed=1))["train"]
