"""One text per line, and the labelled lines of fastText."""

import gzip

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus
from textrnn.data.file_format import FileFormat
from textrnn.data.text_files import has_columns, read_rows, read_texts
from textrnn.errors import DataError

LINES = "__label__pos good film\n\n__label__a\t__label__b two  labels\n__label__c\nno label\n"


@pytest.mark.parametrize("name", ["a.txt", "a.ft", "a.fasttext", "a.txt.gz"])
def test_labels_stand_before_the_text(tmp_path, name):
    content = LINES.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    notices: list[str] = []
    rows = list(read_rows(tmp_path / name, FileFormat(), notices=notices))
    assert [(row.text, row.label) for row in rows] == [
        ("good film", "pos"),
        ("two  labels", ["a", "b"]),
        ("", "c"),
        ("no label", None),
    ]
    assert rows[1].origin == f"{tmp_path / name}:3"
    assert notices == [f"{tmp_path / name}: 1 blank line skipped."]


def test_several_labels_need_multi_label(tmp_path):
    path = tmp_path / "a.txt"
    lines = ["__label__a __label__b x", "__label__a y", "__label__b z"]
    path.write_text("".join(f"{line} {i}\n" for i in range(10) for line in lines))
    with pytest.raises(DataError, match=r"a\.txt:1: expected one label, .* set `multi_label=True`"):
        load_corpus(ClassifierRunConfig.of(train_file=str(path)), seed=0)
    config = ClassifierRunConfig.of(train_file=str(path), multi_label=True)
    corpus = load_corpus(config, seed=0)
    assert corpus.label_names == ("a", "b")
    assert ("a", "b") in corpus.train.labels


def test_lines_without_any_label_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    with pytest.raises(DataError, match="got the first line 'one' without __label__NAME"):
        list(read_rows(tmp_path / "a.txt", FileFormat()))


def test_texts_alone_have_no_labels_if_the_ending_says_so(tmp_path):
    for name in ("a.txt", "a.fasttext"):
        (tmp_path / name).write_text("__label__pos good\n")
    notices: list[str] = []
    assert list(read_texts(tmp_path / "a.fasttext", notices=notices)) == ["good"]
    assert notices == []
    assert list(read_texts(tmp_path / "a.txt", notices=notices)) == ["__label__pos good"]
    assert "give the name the ending .fasttext" in notices[0]
    assert [has_columns(name) for name in ("a.txt", "a.fasttext")] == [False, True]
