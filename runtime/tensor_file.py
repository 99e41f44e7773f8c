"""Named arrays in one file, in the safetensors format, which contains no code.

    8 bytes    N, the length of the header, little-endian
    N bytes    the header, JSON: {name: {"dtype", "shape", "data_offsets"}, "__metadata__": {...}}
    the rest   the arrays, one after the other, little-endian, in C order

Source: https://huggingface.co/docs/safetensors, "Format". The package `safetensors` reads the files
too. It is not needed here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import ModelError

__all__ = ["read_tensors", "tensor_bytes"]

_DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "I32": np.dtype("<i4"),
    "I8": np.dtype("i1"),
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_METADATA = "__metadata__"


def tensor_bytes(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    """Returns the content of a file of arrays.

    >>> content = tensor_bytes({"bias": np.ones(2, np.float32)}, {"made by": "a test"})
    >>> arrays, metadata = read_tensors(content)
    >>> arrays["bias"].tolist(), metadata
    ([1.0, 1.0], {'made by': 'a test'})

    Args:
        tensors: Arrays of float32, int32 or int8, by name.
        metadata: Strings by name.

    Raises:
        ValueError: An array has another type.
    """
    header: dict[str, object] = {_METADATA: dict(metadata)}
    contents, end = [], 0
    # Arrays of larger items come first, so that each array is aligned.
    for name, array in sorted(tensors.items(), key=lambda item: -item[1].itemsize):
        dtype = array.dtype.newbyteorder("<")
        if dtype not in _NAMES:
            raise ValueError(f"expected an array of float32, int32 or int8, got {array.dtype}.")
        content = np.ascontiguousarray(array, dtype).tobytes()
        header[name] = {
            "dtype": _NAMES[dtype],
            "shape": list(array.shape),
            "data_offsets": [end, end + len(content)],
        }
        contents.append(content)
        end += len(content)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *contents])


def read_tensors(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns the arrays and the metadata of a file.

    The arrays are read-only views of the bytes.

    Args:
        content: The content of the file.

    Raises:
        ModelError: The bytes are no such file, or a part of one.
    """
    try:
        start = 8 + int.from_bytes(content[:8], "little")
        if start > len(content):
            raise ValueError("the header is cut off")
        header = json.loads(content[8:start])
        metadata = {str(k): str(v) for k, v in header.pop(_METADATA, {}).items()}
        tensors = {}
        for name, about in header.items():
            first, last = about["data_offsets"]
            dtype = _DTYPES[about["dtype"]]
            count = int(np.prod(about["shape"], dtype=np.int64))
            if not 0 <= first <= last or last - first != count * dtype.itemsize:
                raise ValueError(f"the array {name} has another size")
            flat = np.frombuffer(content, dtype, count=count, offset=start + first)
            tensors[name] = flat.reshape(about["shape"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ModelError(
            f"expected a file of arrays in the safetensors format, got other bytes ({error}); "
            "copy or write it again."
        ) from None
    return tensors, metadata
