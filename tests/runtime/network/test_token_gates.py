"""The gates of the first layer, as sums of rows of tokens."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from textrnn.runtime.network import token_gates
from textrnn.runtime.network.token_gates import TokenGates

RNG = np.random.default_rng(0)
VOCABULARY, SIZE, GATES = 40, 5, 6


def made(window: int, directions: int = 1) -> tuple[TokenGates, np.ndarray, np.ndarray, np.ndarray]:
    """The gates, and the embeddings, kernel and bias that they are made of."""
    embeddings = RNG.normal(size=(VOCABULARY, SIZE)).astype(np.float32)
    kernel = RNG.normal(size=(directions, window * SIZE, GATES)).astype(np.float32)
    bias = RNG.normal(size=(directions, GATES)).astype(np.float32)
    return TokenGates(embeddings, kernel, bias), embeddings, kernel, bias


@pytest.mark.parametrize("window", [1, 2, 3])
@pytest.mark.parametrize("direction", [0, 1])
def test_gates_are_the_projected_windows(window, direction):
    gates, embeddings, kernel, bias = made(window, directions=2)
    ids = RNG.integers(0, VOCABULARY, [7, 3])
    padded = np.concatenate([np.zeros([window - 1, 3, SIZE], np.float32), embeddings[ids]])
    parts = [padded[k : k + 7] for k in range(window - 1, -1, -1)]
    expected = np.concatenate(parts, axis=-1) @ kernel[direction] + bias[direction]
    for start, stop in ((0, 7), (0, 1), (1, 2), (2, 7), (6, 7)):
        actual = gates.gates(ids, direction, start=start, stop=stop)
        np.testing.assert_allclose(actual, expected[start:stop], atol=1e-5)


def test_digits_do_not_depend_on_the_texts_before():
    gates, *weights = made(3)
    others = TokenGates(*weights)
    ids = RNG.integers(0, VOCABULARY, [4, 2])
    others.gates(RNG.integers(0, VOCABULARY, [30, 9]), 0, start=0, stop=30)
    once, again = (g.gates(ids, 0, start=0, stop=4) for g in (gates, others))
    np.testing.assert_array_equal(once, again)


def test_threads_may_meet_new_tokens_at_the_same_time():
    gates, *weights = made(2)
    texts = [RNG.integers(0, VOCABULARY, [9, 2]) for _ in range(64)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda ids: gates.gates(ids, 0, start=0, stop=9), texts))
    alone = TokenGates(*weights)
    for ids, actual in zip(texts, found, strict=True):
        np.testing.assert_array_equal(actual, alone.gates(ids, 0, start=0, stop=9))


def test_tables_that_are_too_large_are_not_kept(monkeypatch):
    _, embeddings, kernel, _ = made(3)
    assert TokenGates.fits(embeddings, kernel)
    monkeypatch.setattr(token_gates, "MOST_BYTES", 4 * VOCABULARY * 3 * GATES - 1)
    assert not TokenGates.fits(embeddings, kernel)
