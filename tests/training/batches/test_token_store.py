"""Unlabelled texts on disk, and the streams that are read from them."""

import itertools

import numpy as np
import pytest

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import DataError
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.batches.token_store import TokenStore, TokenStreams

TEXTS = [
    " ".join("abcdefgh"[i % 8] for i in range(start, start + length))
    for start, length in [(0, 5), (3, 9), (1, 1), (2, 14), (5, 7), (0, 3), (4, 11), (6, 2)]
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS * 4, TokenizerConfig(vocab_size=40), cache=False)


@pytest.fixture
def store(tokenizer, tmp_path) -> TokenStore:
    return TokenStore.write(tmp_path, [*TEXTS, "", " "], tokenizer, held_out=1e-9, seed=0)


def test_every_text_is_there_once_behind_a_zero(store, tokenizer):
    ids = [tokenizer.encode(text) for text in TEXTS]
    assert [list(text) for text in store.held] == ids[:1]
    assert list(store.tokens) == [token for text in ids[1:] for token in (0, *text)]
    assert np.array_equal(store.counts, np.bincount(store.tokens, minlength=tokenizer.vocab_size))


def test_held_out_texts_are_drawn_by_the_seed(tokenizer, tmp_path):
    shares = []
    for seed in (0, 0, 1):
        store = TokenStore.write(tmp_path, TEXTS * 20, tokenizer, held_out=0.5, seed=seed)
        shares.append(([len(text) for text in store.held], store.digest))
    assert shares[0] == shares[1] != shares[2]
    assert 50 < len(shares[0][0]) < 110


def test_it_is_read_again_from_disk_and_damage_is_told(store, tmp_path):
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
        TokenStore.write(tmp_path, ["a b", ""], tokenizer, held_out=0.1, seed=0)


@pytest.mark.parametrize(("streams", "segment"), [(1, 5), (3, 4), (2, 1), (4, 100), (999, 2)])
def test_each_stream_goes_on_where_it_was_and_none_reads_what_another_reads(
    store, streams, segment
):
    found = TokenStreams(store, streams=streams, segment=segment, directions=2, seed=[0])
    batches = [found.batch(number) for number in range(len(found))]
    assert batches
    size = found.segment
    assert {batch.shape for batch in batches} == {(2, found.streams, size + 1)}
    for one, other in itertools.pairwise(batches):
        assert np.array_equal(one[:, :, -1], other[:, :, 0])
    read = sum(batch[:, :, :-1].shape[-1] * found.streams for batch in batches)
    assert len(store.tokens) - read <= found.streams * size + found.streams + size
    joined = _joined(store, seed=[0])
    for direction, text in enumerate((joined, joined[::-1])):
        for row in range(found.streams):
            own = np.concatenate([batch[direction, row, :-1] for batch in batches])
            begin = row * ((len(joined) - 1) // found.streams)
            assert np.array_equal(own, text[begin : begin + len(own)])


def _joined(store: TokenStore, *, seed: list[int]) -> np.ndarray:
    order = np.random.default_rng(seed).permutation(len(store.offsets) - 1)
    return np.concatenate([store.tokens[store.offsets[i] : store.offsets[i + 1]] for i in order])


def test_each_pass_has_an_order_of_its_own(store):
    first, again, second = (
        TokenStreams(store, streams=1, segment=40, directions=1, seed=seed).batch(0)
        for seed in ([0, 0], [0, 0], [0, 1])
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)
