import numpy as np
import pytest

from textrnn.errors import ModelError
from textrnn.runtime.tensor_file import read_tensors, tensor_bytes

ARRAYS: dict[str, np.ndarray] = {
    "one": np.arange(5, dtype=np.int8),
    "two": np.arange(6, dtype=np.float32).reshape(2, 3),
    "three": np.zeros([0, 4], np.int32),
}
CONTENT = tensor_bytes(ARRAYS, {"about": "a test"})


def test_arrays_come_back():
    arrays, metadata = read_tensors(CONTENT)
    assert metadata == {"about": "a test"}
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
        assert arrays[name].flags.aligned


@pytest.mark.parametrize("end", [0, 4, 8, 40, len(CONTENT) - 1])
def test_a_part_of_a_file_is_refused(end):
    with pytest.raises(ModelError, match="safetensors"):
        read_tensors(CONTENT[:end])


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04pickle of some kind",
        (2).to_bytes(8, "little") + b"[]",
        (2**62).to_bytes(8, "little") + b"{}",
        CONTENT.replace(b'"F32"', b'"F64"'),
        CONTENT.replace(b"[2, 3]", b"[2, 9]"),
        CONTENT.replace(b"[2, 3]", b'["2"]'.ljust(6)),
    ],
)
def test_another_file_is_refused(content):
    with pytest.raises(ModelError, match="safetensors"):
        read_tensors(content)


def test_another_type_of_array_is_refused():
    with pytest.raises(ValueError, match="float32, int32 or int8, got float64"):
        tensor_bytes({"x": np.zeros(1)}, {})
