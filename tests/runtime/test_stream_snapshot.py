import numpy as np
import pytest

from textrnn.errors import ModelError
from textrnn.runtime.stream_snapshot import StreamSnapshot

STATE: list[np.ndarray] = [np.arange(6, dtype=np.float32).reshape(1, 2, 3), np.ones([1, 4])]


@pytest.mark.parametrize("words", [None, ("part of a w", True, b"\xc3")])
def test_a_snapshot_is_read_back_as_it_was(words):
    content = StreamSnapshot("abc", STATE, tokens=7, words=words).to_bytes()
    snapshot = StreamSnapshot.from_bytes(content, digest="abc", arrays=2)
    assert (snapshot.digest, snapshot.tokens, snapshot.words) == ("abc", 7, words)
    for array, expected in zip(snapshot.state, STATE, strict=True):
        np.testing.assert_array_equal(array, expected)
        assert array.dtype == expected.dtype


def test_a_snapshot_of_another_model_is_refused():
    content = StreamSnapshot("abc", STATE, tokens=7, words=None).to_bytes()
    with pytest.raises(ModelError, match="the state is that of another model"):
        StreamSnapshot.from_bytes(content, digest="other", arrays=2)


@pytest.mark.parametrize("length", [0, 10, 200])
def test_incomplete_bytes_are_refused(length):
    content = StreamSnapshot("abc", STATE, tokens=7, words=None).to_bytes()
    with pytest.raises(ModelError, match="expected a stream's state, got other bytes"):
        StreamSnapshot.from_bytes(content[:length], digest="abc", arrays=2)


def test_missing_arrays_are_refused():
    content = StreamSnapshot("abc", STATE, tokens=7, words=None).to_bytes()
    with pytest.raises(ModelError, match="expected a stream's state, got other bytes"):
        StreamSnapshot.from_bytes(content, digest="abc", arrays=3)
