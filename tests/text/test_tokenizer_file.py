"""A tokenizer as a file."""

import io
from pathlib import Path

import pytest
import sentencepiece
from tiny_tokenizers import TEXTS, train

from textrnn.errors import ModelError
from textrnn.text.tokenizer import Tokenizer


def test_saving_and_loading_keeps_every_byte(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(b"an older file")
    tokenizer.save(path)
    loaded = Tokenizer.load(str(path))
    assert loaded.to_bytes() == tokenizer.to_bytes() == path.read_bytes()
    assert loaded.encode(TEXTS[0]) == tokenizer.encode(TEXTS[0])
    assert loaded.vocab_size == tokenizer.vocab_size
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(b"old")

    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(ModelError, match=r"tokenizer\.model: expected a writable file .*No space"):
        train().save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_saving_into_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="expected a writable file"):
        train().save(tmp_path / "none" / "tokenizer.model")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        ModelError, match=r"none\.model: expected a readable tokenizer file, got: No such file"
    ):
        Tokenizer.load(tmp_path / "none.model")


@pytest.mark.parametrize(
    "content", [b"", b"not a model\n" * 50, b"\x0a", b"\x0a\x05ab", b"PK\x03\x04"]
)
def test_a_file_that_is_no_model_is_an_error(tmp_path, content):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"tokenizer\.model: expected a whole SentencePiece model"):
        Tokenizer.load(path)


def test_a_model_cut_anywhere_is_an_error():
    model = train(vocab_size=60).to_bytes()
    for length in [
        *range(0, 1500),
        *range(1500, len(model), 997),
        *range(len(model) - 40, len(model)),
    ]:
        with pytest.raises(ModelError):
            Tokenizer.from_bytes(model[:length])


def test_a_model_with_other_special_ids_is_an_error():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=model, vocab_size=60, minloglevel=2,
        hard_vocab_limit=False,
    )  # fmt: skip
    with pytest.raises(ModelError, match="must be 0 and 1, got -1 and 0"):
        Tokenizer.from_bytes(model.getvalue())
