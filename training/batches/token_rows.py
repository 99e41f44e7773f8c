"""The token ids of many texts in one array, which may be a file that is mapped into memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import overload

import numpy as np

from textrnn.host.cache import cache_folder
from textrnn.text.tokenizer import Tokenizer

__all__ = ["TokenRows"]

_BLOCK_TEXTS = 8192
"""The number of texts that are encoded at a time."""

IN_MEMORY = 2**26
"""The number of bytes up to which the ids are kept in memory, not in a file."""


class TokenRows(Sequence[np.ndarray]):
    """The token ids of N texts, one after the other.

    >>> rows = TokenRows(np.array([5, 6, 7], np.uint16), np.array([0, 2, 2, 3]))
    >>> [ids.tolist() for ids in rows], rows.lengths.tolist()
    ([[5, 6], [], [7]], [2, 0, 1])

    Args:
        ids: The ids of all texts.
        offsets: `[N + 1]`, the place of the first id of each text, then the number of all ids.
    """

    def __init__(self, ids: np.ndarray, offsets: np.ndarray) -> None:
        self._ids, self._offsets = ids, offsets

    @classmethod
    def encode(
        cls,
        texts: Sequence[str],
        *,
        tokenizer: Tokenizer,
        on_progress: Callable[[int], None] | None = None,
        most_in_memory: int = IN_MEMORY,
    ) -> TokenRows:
        """Encodes texts, block by block.

        Many ids are written to a file without a name in the cache folder, which the system removes
        when the process ends, and read from there when they are needed.

        Args:
            texts: The texts.
            tokenizer: The tokenizer.
            on_progress: Called after each block with the number of texts in it.
            most_in_memory: The number of bytes of ids from which on they are kept in the file.

        Raises:
            OSError: The file cannot be written.
        """
        dtype = np.uint16 if tokenizer.vocab_size <= 2**16 else np.int32
        offsets = np.zeros(len(texts) + 1, np.int64)
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.SpooledTemporaryFile(most_in_memory, dir=str(folder)) as file:
            for start in range(0, len(texts), _BLOCK_TEXTS):
                block = tokenizer.encode_batch(
                    texts[start : start + _BLOCK_TEXTS], on_progress=on_progress
                )
                offsets[start + 1 : start + 1 + len(block)] = list(map(len, block))
                file.write(np.concatenate(block, dtype=dtype, casting="unsafe").tobytes())
            np.cumsum(offsets, out=offsets)
            if offsets[-1] * np.dtype(dtype).itemsize <= most_in_memory:
                file.seek(0)
                return cls(np.frombuffer(file.read(), dtype), offsets)
            file.flush()
            return cls(np.memmap(file, dtype, mode="r"), offsets)

    @classmethod
    def of(cls, texts: Sequence[np.ndarray]) -> TokenRows:
        """Returns the rows of texts that are encoded."""
        if isinstance(texts, TokenRows):
            return texts
        ids = np.concatenate([np.zeros(0, np.int32), *texts])
        return cls(ids, np.cumsum([0, *map(len, texts)]))

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, place: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, place: slice) -> list[np.ndarray]: ...
    def __getitem__(self, place: int | slice) -> np.ndarray | list[np.ndarray]:
        """Returns the ids `[T]` of int32 of the text at a place, or a list of those of a slice."""
        if isinstance(place, slice):
            return [self[row] for row in range(*place.indices(len(self)))]
        row = range(len(self))[place]
        return self._ids[self._offsets[row] : self._offsets[row + 1]].astype(np.int32)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[row] for row in range(len(self)))

    @property
    def lengths(self) -> np.ndarray:
        """The number of ids `[N]` of each text."""
        return np.diff(self._offsets)

    def content(self) -> Iterator[bytes]:
        """Yields the length and the ids of each text as bytes, block by block, for a digest."""
        for start in range(0, len(self), _BLOCK_TEXTS):
            offsets = self._offsets[start : start + _BLOCK_TEXTS + 1]
            # Eight bytes of length before each text: two numbers of int32.
            words = np.zeros(offsets[-1] - offsets[0] + 2 * (len(offsets) - 1), np.int32)
            heads = offsets[:-1] - offsets[0] + 2 * np.arange(len(offsets) - 1)
            is_id = np.ones(len(words), bool)
            is_id[heads] = is_id[heads + 1] = False
            words[heads] = np.diff(offsets)
            words[is_id] = self._ids[offsets[0] : offsets[-1]]
            yield words.astype("<i4").tobytes()
