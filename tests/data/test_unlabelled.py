"""Texts without labels."""

import gzip
import json
from pathlib import Path

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import TextConfig
from textrnn.data.bbc_news import BbcNewsSource
from textrnn.data.unlabelled import UnlabelledTexts, load_unlabelled, text_format
from textrnn.errors import ConfigError, DataError

LINES = ["a b c d e f g h", "b c d e f g h a", "c d e f g h a b"] * 12


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


def test_any_form_of_text_file_is_read(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps({"body": line}) + "\n" for line in LINES), encoding="utf-8"
    )
    with gzip.open(tmp_path / "b.txt.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(LINES))
    for name, column in (("a.jsonl", "body"), ("b.txt.gz", "text")):
        source = UnlabelledTexts(
            TextConfig(text_file=str(tmp_path / name), text_column=column), seed=0
        )
        assert list(source) == list(source) == LINES
        assert source.name == name[0]
    with pytest.raises(DataError, match=r"no\.txt"):
        list(UnlabelledTexts(TextConfig(text_file=str(tmp_path / "no.txt")), seed=0))


def test_a_sample_is_drawn_at_random_and_of_the_size_asked_for(texts):
    source = UnlabelledTexts(TextConfig(text_file=str(texts)), seed=0)
    sample = source.sample(100)
    assert 100 <= sum(map(len, sample)) < 100 + max(map(len, LINES))
    assert set(sample) <= set(LINES)
    assert source.sample(100) == sample
    assert source.sample(10**9) == LINES


def test_validation_and_test_texts_are_not_read():
    texts = list(UnlabelledTexts(TextConfig(dataset="bbc_news"), seed=0))
    test = {row.text for row in BbcNewsSource().read("test") or []}
    assert len(texts) > 1000
    assert not test & set(texts)


def test_the_format_of_a_file_comes_from_the_settings():
    form = text_format(TextConfig(text_file="a.csv", text_column="body", delimiter="tab"))
    assert (form.text_column, form.delimiter) == ("body", "\t")


def test_a_classifier_reads_the_lines_that_are_not_blank(tmp_path):
    path = tmp_path / "more.txt"
    path.write_text("one\n \ntwo\n")
    config = ClassifierRunConfig.of(train_file="train.csv", unlabelled_file=str(path), vat=0.02)
    assert list(load_unlabelled(config)) == ["one", "two"]
    assert list(load_unlabelled(ClassifierRunConfig.of(train_file="train.csv"))) == []


def test_only_a_tfds_data_set_has_a_split_without_labels():
    config = ClassifierRunConfig.of(dataset="bbc_news", unlabelled=True, vat=0.02)
    with pytest.raises(ConfigError, match=r"needs a TFDS data set .* got bbc_news"):
        list(load_unlabelled(config))
