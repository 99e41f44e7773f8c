"""Tensors as bytes after the JSON of a request: an extension of the Open Inference Protocol.

https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import RequestError

__all__ = ["HEADER", "joined_body", "packed", "split_body", "unpacked_strings"]

HEADER = "Inference-Header-Content-Length"
"""The header with the size of the JSON part, in bytes."""


def split_body(body: bytes, json_size: str | None) -> tuple[bytes, memoryview]:
    """Returns the JSON part of a body, and the bytes of the tensors after it.

    Args:
        body: The body.
        json_size: The value of the header; None if the body is JSON alone.

    Raises:
        RequestError: The size is no number, or larger than the body; status 400.
    """
    if json_size is None:
        return body, memoryview(b"")
    if not json_size.isascii() or not json_size.isdecimal() or len(json_size) > 18:
        raise RequestError(400, f"{HEADER}: expected a number, got other text.")
    size = int(json_size)
    if size > len(body):
        raise RequestError(
            400, f"{HEADER}: expected at most the size of the body ({len(body)}), got {size}."
        )
    return body[:size], memoryview(body)[size:]


def unpacked_strings(data: memoryview) -> list[str]:
    """Returns the strings of a BYTES tensor: for each its size, 4 bytes little-endian, and UTF-8.

    >>> unpacked_strings(memoryview(b"\\x02\\x00\\x00\\x00hi"))
    ['hi']

    Raises:
        RequestError: The sizes do not fit the data; status 400.
    """
    texts, place = [], 0
    while place < len(data):
        size = struct.unpack_from("<I", data, place)[0] if place + 4 <= len(data) else len(data)
        end = place + 4 + size
        if end > len(data):
            raise RequestError(
                400, "expected each string after its size of 4 bytes, got strings of other sizes."
            )
        texts.append(bytes(data[place + 4 : end]).decode("utf-8", "replace"))
        place = end
    return texts


def packed(values: np.ndarray | Sequence[str]) -> bytes:
    """Returns the bytes of a tensor: little-endian numbers, or strings after their sizes."""
    if isinstance(values, np.ndarray):
        return values.astype(values.dtype.newbyteorder("<")).tobytes()
    encoded = [value.encode("utf-8") for value in values]
    return b"".join(struct.pack("<I", len(value)) + value for value in encoded)


def joined_body(header: Any, tensors: Sequence[bytes]) -> tuple[bytes, int]:
    """Returns a body of JSON and the bytes of tensors, and the size of the JSON part."""
    text = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    start = text.encode("utf-8")
    return b"".join([start, *tensors]), len(start)
