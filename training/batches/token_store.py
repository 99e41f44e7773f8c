"""Unlabelled texts as token ids on disk, of any number, and the batches that are read from them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np

from textrnn.errors import DataError
from textrnn.host.atomic import write_atomically
from textrnn.models.language_model import BETWEEN
from textrnn.text.tokenizer import Tokenizer

__all__ = ["TokenStore", "TokenStreams"]

BLOCK_TEXTS = 2048
"""Texts that are encoded at a time."""

TOKENS, ABOUT, OFFSETS, HELD = "tokens.bin", "tokens.json", "offsets.npy", "held.npz"


class TokenStore:
    """The ids of many texts in one file that is mapped into memory, each text behind a 0.

    Args:
        folder: Where `write` has put them.

    Attributes:
        tokens: `[N]`, all of them.
        offsets: `[D + 1]`, where each text begins, and N.
        held: The ids of the texts held out.
        counts: `[V]`, how often each token occurs.
        digest: Of all of it.

    Raises:
        DataError: The files are not there, or not whole.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            self.offsets = np.load(folder / OFFSETS)
            with (folder / HELD).open("rb") as file, np.load(file) as held:
                starts, ids = held["starts"], held["ids"]
                self.counts = held["counts"]
            self.tokens = np.memmap(folder / TOKENS, dtype=about["dtype"], mode="r")
            self.digest = str(about["digest"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{folder}: expected encoded texts, got none whole ({error})."
            ) from None
        if len(self.tokens) != self.offsets[-1]:
            raise DataError(f"{folder / TOKENS}: cut short; encode the texts again.")
        self.held = [ids[a:b] for a, b in pairwise(starts)]

    @classmethod
    def write(
        cls,
        folder: Path,
        texts: Iterable[str],
        tokenizer: Tokenizer,
        *,
        held_out: float,
        seed: int,
        on_texts: Callable[[int], None] = lambda count: None,
    ) -> TokenStore:
        """Encodes texts, which are read once and never held all at a time.

        Args:
            folder: Where to put them.
            texts: The texts; those without a token are left out.
            tokenizer: Their tokenizer.
            held_out: The share of the texts that is held out; at least one is.
            seed: Of the choice.
            on_texts: Told how many more texts have been encoded.

        Raises:
            DataError: There are fewer than two texts with a token.
            OSError: The files cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ABOUT).unlink(missing_ok=True)
        kind = np.uint16 if tokenizer.vocab_size <= 2**16 else np.uint32
        rng = np.random.default_rng([seed, len("held")])
        counts = np.zeros(tokenizer.vocab_size, np.int64)
        # Eight bytes a text; a list would take forty.
        offsets, held = array("q", [0]), list[np.ndarray]()
        digest = hashlib.sha256()
        with (folder / TOKENS).open("wb") as file:
            for block in _blocks(texts):
                for ids in tokenizer.encode_batch(block):
                    if not len(ids):
                        continue
                    own = np.concatenate([[BETWEEN], ids]).astype(kind)
                    if not held or rng.random() < held_out:
                        held.append(np.asarray(ids, np.int32))
                        digest.update(b"held" + own.tobytes())
                        continue
                    file.write(own.tobytes())
                    digest.update(own.tobytes())
                    counts += np.bincount(own, minlength=len(counts))
                    offsets.append(offsets[-1] + len(own))
                on_texts(len(block))
        if len(offsets) < 2:
            raise DataError(
                "expected at least two texts, one of them to be held out, got "
                f"{len(held)} with a word in it, all held out; give more, or lower --held-out."
            )
        np.save(folder / OFFSETS, np.array(offsets, np.int64))
        starts = np.cumsum([0, *map(len, held)])
        np.savez(folder / HELD, starts=starts, ids=np.concatenate(held), counts=counts)
        about = {"dtype": np.dtype(kind).name, "digest": digest.hexdigest()}
        write_atomically(folder / ABOUT, json.dumps(about))
        return cls(folder)

    def moved(self, folder: Path) -> TokenStore:
        """The same texts in another folder, which must be there.

        Raises:
            OSError: The files cannot be moved.
        """
        (folder / ABOUT).unlink(missing_ok=True)
        for name in (TOKENS, OFFSETS, HELD, ABOUT):
            (self._folder / name).replace(folder / name)
        return TokenStore(folder)


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    source = iter(texts)
    while block := list(islice(source, BLOCK_TEXTS)):
        yield block


class TokenStreams:
    """One pass over a store's texts, shuffled and joined, read at many places side by side.

    Row r of the batches reads the r-th part of the joined text, segment after segment, so that the
    state after one batch is the state before the next.

    Args:
        store: The texts.
        streams: R, how many places; fewer if there are too few tokens.
        segment: K, tokens of a segment; fewer likewise.
        directions: D; the second one reads the joined text from its end.
        seed: Of the shuffling.
    """

    def __init__(
        self, store: TokenStore, *, streams: int, segment: int, directions: int, seed: list[int]
    ) -> None:
        self._store = store
        self._order = np.random.default_rng(seed).permutation(len(store.offsets) - 1)
        lengths = np.diff(store.offsets)[self._order]
        self._starts = np.concatenate([[0], np.cumsum(lengths)])
        self._total = int(self._starts[-1])
        self.segment = min(segment, self._total - 1)
        self.streams = min(streams, (self._total - 1) // self.segment)
        self._directions = directions
        self._row = (self._total - 1) // self.streams

    def __len__(self) -> int:
        return self._row // self.segment

    def batch(self, number: int) -> np.ndarray:
        """`[D, R, K + 1]` of int32: K inputs, and one more for the last one's target."""
        ids = np.empty([self._directions, self.streams, self.segment + 1], np.int32)
        for row in range(self.streams):
            begin = row * self._row + number * self.segment
            ids[0, row] = self._slice(begin)
            if self._directions == 2:
                end = self._total - begin
                ids[1, row] = self._slice(end - self.segment - 1)[::-1]
        return ids

    def _slice(self, begin: int) -> np.ndarray:
        """K + 1 tokens of the joined text."""
        wanted = self.segment + 1
        place = int(np.searchsorted(self._starts, begin, side="right")) - 1
        parts, have = [], 0
        while have < wanted:
            document = self._order[place]
            first = int(self._store.offsets[document]) + begin + have - int(self._starts[place])
            last = min(int(self._store.offsets[document + 1]), first + wanted - have)
            parts.append(self._store.tokens[first:last])
            have += last - first
            place += 1
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
