"""TFDS data sets that are unknown or cannot be downloaded; nothing is downloaded."""

import socket
import urllib.request

import pytest

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus
from textrnn.data.tfds_preparation import any_reachable, error_line
from textrnn.errors import DataError


def test_a_missing_network_is_reported_at_once(tmp_path, monkeypatch):
    def refuse(address, **kwargs):
        raise OSError("unreachable")

    monkeypatch.setattr(urllib.request, "getproxies", dict)
    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(DataError, match=r"no network.*`data_dir`.*`train_file`.*bbc_news"):
        load_corpus(ClassifierRunConfig.of(dataset="imdb", data_dir=str(tmp_path)), seed=0)


def test_proxy_is_left_to_tfds(monkeypatch):
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"http": "http://proxy"})
    assert any_reachable(["http://example.invalid/a.zip"])


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ("imdb_review", "close: imdb_reviews"),
        ("bbcnews", "close: bbc_news"),
        ("a b//", "expected NAME or NAME/CONFIG"),
    ],
)
def test_unknown_name_is_a_data_error(tmp_path, dataset, message):
    with pytest.raises(DataError, match=message) as caught:
        load_corpus(ClassifierRunConfig.of(dataset=dataset, data_dir=str(tmp_path)), seed=0)
    assert len(str(caught.value).splitlines()) == 1


def test_an_error_is_one_short_line():
    assert error_line(ValueError("two\nlines.")) == "two lines"
    assert error_line(ValueError()) == "ValueError"
    assert len(error_line(ValueError("x" * 1000))) <= 200
