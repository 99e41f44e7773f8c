"""From the settings to a corpus."""

import subprocess
import sys

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus, load_split
from textrnn.errors import DataError


def rows(count, prefix="text"):
    return [(f"{prefix} {n}", "neg" if n % 2 else "pos") for n in range(count)]


def test_files_give_three_splits(table):
    config = ClassifierRunConfig.of(
        train_file=table("train.csv", rows(4)),
        valid_file=table("valid.csv", rows(2, "valid")),
        test_file=table("test.csv", [*rows(2, "test"), ("", "pos")]),
    )
    corpus = load_corpus(config, seed=0)
    assert corpus.name == "train"
    assert corpus.label_names == ("neg", "pos")
    assert corpus.validation.texts == ["valid 0", "valid 1"]
    assert corpus.test is not None
    assert corpus.test.texts == ["test 0", "test 1", ""]
    assert corpus.notices == ()


def test_without_validation_file_a_seeded_share_is_held_out(table):
    config = ClassifierRunConfig.of(train_file=table("train.csv", rows(40)), valid_fraction=0.2)
    corpus = load_corpus(config, seed=5)
    assert sorted([*corpus.train.texts, *corpus.validation.texts]) == sorted(
        text for text, _ in rows(40)
    )
    assert sorted(corpus.validation.labels) == [("neg",)] * 4 + [("pos",)] * 4
    assert corpus.test is None
    assert corpus == load_corpus(config, seed=5) != load_corpus(config, seed=6)


@pytest.mark.parametrize(
    ("texts", "labels", "drawn"), [(80, 20, "8 validation rows"), (10, 5, "1 validation row")]
)
def test_more_labels_than_validation_rows_are_reported(table, texts, labels, drawn):
    many = [(f"text {n}", f"label {n % labels}") for n in range(texts)]
    corpus = load_corpus(ClassifierRunConfig.of(train_file=table("train.csv", many)), seed=0)
    assert f"{drawn} drawn without regard to the labels" in corpus.notices[0]


def test_multi_label_rows_need_no_label(table):
    config = ClassifierRunConfig.of(
        train_file=table("train.csv", [("a", "x|y"), ("b", ""), ("c", "y"), ("d", "x")]),
        multi_label=True,
        label_separator="|",
    )
    corpus = load_corpus(config, seed=0)
    assert corpus.label_names == ("x", "y")
    assert corpus.notices == (
        f"{config.data.train_file}: 1.00 labels per text: 1 with 0, 2 with 1, 1 with 2.",
    )


def test_rows_left_out_are_reported(table):
    train = table("train.csv", [*rows(20), ("", "pos"), ("x", "")])
    corpus = load_corpus(ClassifierRunConfig.of(train_file=train, skip_bad_rows=True), seed=0)
    assert len(corpus.train) + len(corpus.validation) == 20
    assert (
        f"{train}: 1 bad row left out (the first: {train}:23: expected a label"
        in (corpus.notices[0])
    )
    assert corpus.notices[1] == f"{train}: 1 row with an empty text left out."


def test_test_texts_that_stand_in_the_training_data_are_reported(table):
    config = ClassifierRunConfig.of(
        train_file=table("train.csv", rows(20)),
        test_file=table("test.csv", [("Text  3", "neg"), ("other", "pos")]),
    )
    corpus = load_corpus(config, seed=0)
    assert corpus.notices[0].startswith("1 of 2 test texts are also in the training")
    assert corpus.test is not None
    assert len(corpus.test) == 2


@pytest.mark.parametrize("name", ["valid", "test"])
def test_label_unseen_in_training_names_file_and_line(table, name):
    other_data = table(f"{name}.csv", [("a", "pos"), ("b", "meh")])
    config = ClassifierRunConfig.of(
        train_file=table("train.csv", rows(20)), **{f"{name}_file": other_data}
    )
    with pytest.raises(DataError, match=rf"{name}\.csv:3: expected a label .*neg, pos.*'meh'"):
        load_corpus(config, seed=0)


def test_single_label_in_training_is_a_data_error(table):
    train = table("train.csv", [("a", "pos"), ("b", "pos")])
    with pytest.raises(
        DataError, match=r"train\.csv: expected texts of at least 2 labels.*got pos"
    ):
        load_corpus(ClassifierRunConfig.of(train_file=train), seed=0)


def test_too_few_rows_to_split_is_a_data_error(table):
    train = table("train.csv", rows(2))
    with pytest.raises(
        DataError, match=r"train\.csv: expected more rows than labels.*`valid_file`"
    ):
        load_corpus(ClassifierRunConfig.of(train_file=train), seed=0)


@pytest.mark.parametrize("which", ["train", "validation", "test"])
def test_load_split_gives_the_split_of_the_corpus(table, which):
    config = ClassifierRunConfig.of(
        train_file=table("train.csv", rows(30)), test_file=table("test.csv", rows(2, "test"))
    )
    corpus = load_corpus(config, seed=3)
    split, notices = load_split(config, which, seed=3, label_names=corpus.label_names)
    assert split == getattr(corpus, which)
    assert notices == ()


def test_load_split_reads_no_training_file_for_the_test_split(table):
    config = ClassifierRunConfig.of(train_file="gone.csv", test_file=table("test.csv", rows(2)))
    split, _ = load_split(config, "test", seed=0, label_names=("neg", "pos"))
    assert len(split) == 2
    with pytest.raises(DataError, match=r"test\.csv:3: expected a label of the training data"):
        load_split(config, "test", seed=0, label_names=("pos", "other"))


def test_load_split_without_test_data_is_a_data_error(table):
    config = ClassifierRunConfig.of(train_file=table("train.csv", rows(4)))
    with pytest.raises(DataError, match="expected test data, got none; name it by `test_file`"):
        load_split(config, "test", seed=0, label_names=("neg", "pos"))


def test_import_loads_neither_tensorflow_nor_scikit_learn():
    code = (
        "import sys, textrnn.data\n"
        "heavy = {'tensorflow', 'tensorflow_datasets', 'sklearn', 'numpy'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
