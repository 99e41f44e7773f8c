import itertools

import numpy as np
import pytest

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.batches.token_store import TokenStore
from textrnn.training.batches.token_streams import TokenStreams

TEXTS = [
    " ".join("abcdefgh"[i % 8] for i in range(start, start + length))
    for start, length in [(0, 5), (3, 9), (1, 1), (2, 14), (5, 7), (0, 3), (4, 11), (6, 2)]
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS * 4, TokenizerConfig(vocab_size=40), cache=False)


@pytest.fixture
def store(tokenizer, tmp_path) -> TokenStore:
    return TokenStore.write(tmp_path, TEXTS, tokenizer=tokenizer, held_out=1e-9, seed=0)


@pytest.mark.parametrize(("streams", "segment"), [(1, 5), (3, 4), (2, 1), (4, 100), (999, 2)])
def test_each_stream_continues_where_it_was_and_none_reads_what_another_reads(
    store, streams, segment
):
    token_streams = TokenStreams(store, streams=streams, segment=segment, directions=2, seed=[0])
    batches = [token_streams.batch(number) for number in range(len(token_streams))]
    assert batches
    size = token_streams.segment
    assert {batch.shape for batch in batches} == {(2, token_streams.streams, size + 1)}
    for first, second in itertools.pairwise(batches):
        assert np.array_equal(first[:, :, -1], second[:, :, 0])
    read = sum(batch[:, :, :-1].shape[-1] * token_streams.streams for batch in batches)
    assert len(store.tokens) - read <= token_streams.streams * size + token_streams.streams + size
    joined = _joined(store, seed=[0])
    for direction, text in enumerate((joined, joined[::-1])):
        for row in range(token_streams.streams):
            row_tokens = np.concatenate([batch[direction, row, :-1] for batch in batches])
            begin = row * ((len(joined) - 1) // token_streams.streams)
            assert np.array_equal(row_tokens, text[begin : begin + len(row_tokens)])


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


def test_more_tokens_come_with_a_segment_on_demand(store):
    joined = _joined(store, seed=[0])
    streams = TokenStreams(store, streams=2, segment=5, directions=2, seed=[0], ahead=3)
    batches = [streams.batch(number) for number in range(len(streams))]
    assert len(batches) > 1
    for direction, text in enumerate((joined, joined[::-1])):
        for row in range(2):
            begin = row * ((len(joined) - 3) // 2)
            for number, batch in enumerate(batches):
                expected = text[begin + 5 * number :][:8]
                assert np.array_equal(batch[direction, row], expected)


def test_no_more_tokens_come_than_there_are(store):
    streams = TokenStreams(store, streams=1, segment=5, directions=1, seed=[0], ahead=10**6)
    assert streams.ahead == len(store.tokens) - 1
    assert streams.batch(0).shape == (1, 1, len(store.tokens))
