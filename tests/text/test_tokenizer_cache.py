from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from tiny_tokenizers import TEXTS, train


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tokenizers"


def test_a_second_training_reads_the_cache(cache, monkeypatch):
    first = train(cache=True)
    assert len(list(cache.iterdir())) == 1
    monkeypatch.delattr(sentencepiece.SentencePieceTrainer, "train")
    steps: list[str] = []
    second = train(cache=True, progress=steps.append)
    assert second.to_bytes() == first.to_bytes()
    assert steps == ["reading the tokenizer from the cache"]


def test_whatever_the_model_depends_on_has_its_own_cache_file(cache):
    train(cache=True)
    changes: list[dict[str, Any]] = [
        {"seed": 1},
        {"vocab_size": 50},
        {"lowercase": False},
        {"piece_type": "bpe"},
        {"piece_type": "word"},
        {"normalization": "plain"},
    ]
    for change in changes:
        before = len(list(cache.iterdir()))
        train(cache=True, **change)
        assert len(list(cache.iterdir())) == before + 1
    train([*TEXTS, "one more"], cache=True)
    train(["A fine film, and finely", " played.", *TEXTS[1:]], cache=True)
    assert len(list(cache.iterdir())) == 9


def test_a_broken_cache_file_is_written_anew(cache):
    model = train(cache=True).to_bytes()
    (path,) = cache.iterdir()
    path.write_bytes(model[:1000])
    assert train(cache=True).to_bytes() == model
    assert path.read_bytes() == model


def test_an_unusable_cache_folder_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path / "file"))
    assert train(cache=True).to_bytes() == train(cache=False).to_bytes()


def test_without_the_cache_nothing_is_written(cache):
    train(cache=False)
    assert not cache.exists()
