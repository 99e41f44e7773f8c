import numpy as np
import pytest

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import DataError
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.batches.token_store import TokensInMemory, TokenStore

TEXTS = [
    " ".join("abcdefgh"[i % 8] for i in range(start, start + length))
    for start, length in [(0, 5), (3, 9), (1, 1), (2, 14), (5, 7), (0, 3), (4, 11), (6, 2)]
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS * 4, TokenizerConfig(vocab_size=40), cache=False)


@pytest.fixture
def store(tokenizer, tmp_path) -> TokenStore:
    return TokenStore.write(tmp_path, [*TEXTS, "", " "], tokenizer=tokenizer, held_out=1e-9, seed=0)


def test_every_text_is_there_once_after_a_zero(store, tokenizer):
    ids = [tokenizer.encode(text) for text in TEXTS]
    assert [list(text) for text in store.held_out] == ids[:1]
    assert list(store.tokens) == [token for text in ids[1:] for token in (0, *text)]
    assert np.array_equal(store.counts, np.bincount(store.tokens, minlength=tokenizer.vocab_size))


def test_held_out_texts_are_drawn_by_the_seed(tokenizer, tmp_path):
    shares = []
    for seed in (0, 0, 1):
        store = TokenStore.write(tmp_path, TEXTS * 20, tokenizer=tokenizer, held_out=0.5, seed=seed)
        shares.append(([len(text) for text in store.held_out], store.digest))
    assert shares[0] == shares[1] != shares[2]
    assert 50 < len(shares[0][0]) < 110


def test_it_is_read_again_from_disk_and_damage_is_reported(store, tmp_path):
    assert TokenStore(tmp_path).digest == store.digest
    (tmp_path / "tokens.bin").write_bytes((tmp_path / "tokens.bin").read_bytes()[:-2])
    with pytest.raises(DataError, match="cut short"):
        TokenStore(tmp_path)
    (tmp_path / "held.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match="expected encoded texts"):
        TokenStore(tmp_path)
    (tmp_path / "tokens.json").unlink()
    with pytest.raises(DataError, match="expected encoded texts"):
        TokenStore(tmp_path)


def test_two_texts_are_needed(tokenizer, tmp_path):
    with pytest.raises(DataError, match="at least two texts"):
        TokenStore.write(tmp_path, ["a b", ""], tokenizer=tokenizer, held_out=0.1, seed=0)


def test_the_files_move_to_another_folder(store, tmp_path):
    (tmp_path / "other").mkdir()
    moved = store.move_to(tmp_path / "other")
    assert moved.digest == store.digest
    assert not (tmp_path / "tokens.bin").exists()


def test_encoded_texts_are_counted(tokenizer, tmp_path):
    counts: list[int] = []
    TokenStore.write(
        tmp_path, TEXTS, tokenizer=tokenizer, held_out=0.5, seed=0, advance=counts.append
    )
    assert sum(counts) == len(TEXTS)


def test_texts_in_memory_are_those_of_a_store(store, tokenizer):
    ids = [np.array(tokenizer.encode(text)) for text in TEXTS]
    here = TokensInMemory.of(ids[1:], held_out=ids[:1], vocab_size=tokenizer.vocab_size)
    assert np.array_equal(here.tokens, store.tokens)
    assert here.tokens.dtype == store.tokens.dtype
    assert np.array_equal(here.offsets, store.offsets)
    assert np.array_equal(here.counts, store.counts)
    assert [list(text) for text in here.held_out] == [list(text) for text in store.held_out]
    other = TokensInMemory.of(ids[2:], held_out=ids[:2], vocab_size=tokenizer.vocab_size)
    assert here.digest != other.digest
