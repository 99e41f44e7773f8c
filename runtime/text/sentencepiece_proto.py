"""The serialised form of a SentencePiece model, a protocol buffer.

The top level of the buffer has these fields:

    1    pieces { string piece = 1; float score = 2; ... }, one for each piece, in the order of ids
    2    the settings of the trainer
    3    the settings of the normalizer

The fields are parsed here because `sentencepiece_model_pb2` requires exactly the protobuf version
that it was generated with (7.36 in sentencepiece 0.2.3), and TensorFlow also accepts older ones.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

__all__ = ["SCORE_STEPS", "is_whole_model", "proto_fields", "round_scores"]

SCORE_STEPS = 64
"""Scores become multiples of 1 / 64: sums of them are exact in float32 up to 2**24 / 64 = 262,144,
which is about 30,000 pieces."""

_SCORE_TAG = 0x15  # Field 2, of four bytes.


def proto_fields(message: bytes) -> Iterator[tuple[int, int, int]]:
    """Yields the field number, start and end of each sub-message of a protocol buffer.

    In a buffer that is cut off, the last end is after the end of the buffer, or is missing.
    """
    at = 0
    try:
        while at < len(message):
            field, length = message[at] >> 3, 0
            for shift in range(0, 64, 7):
                at += 1
                length |= (message[at] & 0x7F) << shift
                if message[at] < 0x80:
                    break
            at += 1
            yield field, at, at + length
            at += length
    except IndexError:  # The buffer is cut off within a length.
        return


def is_whole_model(model: bytes) -> bool:
    """Returns whether the bytes are a protocol buffer with the fields of a SentencePiece model.

    The library also loads a file that is cut off between two pieces: the pieces come first, and
    the settings of the trainer and of the normalizer last.
    """
    fields = list(proto_fields(model))
    return {1, 2, 3} <= {field for field, _, _ in fields} and fields[-1][2] == len(model)


def round_scores(model: bytes) -> bytes:
    """Rounds the scores of the pieces so that sums of scores are exact in float32.

    Equally good segmentations ("...." + "." and "." + "....") then have equal scores, and every
    version of the library chooses the same one. With unrounded scores the rounding of the sum
    decides: TF Text 2.21 and sentencepiece 0.2.3 sum differently, and one review in 170 gets
    different ids.
    """
    rounded = bytearray(model)
    for field, start, end in proto_fields(model):
        if field != 1:
            continue
        _, _, length = next(proto_fields(model[start:end]))
        at = start + length
        if model[at] == _SCORE_TAG:
            (score,) = struct.unpack_from("<f", model, at + 1)
            struct.pack_into("<f", rounded, at + 1, round(score * SCORE_STEPS) / SCORE_STEPS)
    return bytes(rounded)
