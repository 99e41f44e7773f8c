"""Unlabelled texts as token ids on disk."""

from __future__ import annotations

import hashlib
import json
import zipfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np

from textrnn.errors import DataError
from textrnn.host.atomic import write_atomically
from textrnn.models.language_model import BETWEEN
from textrnn.text.tokenizer import Tokenizer

__all__ = ["TokenStore", "TokensInMemory"]

BLOCK_TEXTS = 2048
"""The number of texts that are encoded at a time."""

TOKENS, ABOUT, OFFSETS, HELD_OUT = "tokens.bin", "tokens.json", "offsets.npy", "held.npz"


@dataclass(frozen=True)
class TokensInMemory:
    """The ids of many texts in one array; see `TokenStore` for the attributes."""

    tokens: np.ndarray
    offsets: np.ndarray
    held_out: list[np.ndarray]
    counts: np.ndarray
    digest: str

    @classmethod
    def of(
        cls, texts: Sequence[np.ndarray], *, held_out: Sequence[np.ndarray], vocab_size: int
    ) -> TokensInMemory:
        """Joins the ids of texts.

        Args:
            texts: The ids `[T]` of each text, none of which is empty.
            held_out: Those of the texts that are held out.
            vocab_size: V.
        """
        between = np.array([BETWEEN], np.int32)
        tokens = np.concatenate([part for text in texts for part in (between, text)]).astype(
            np.uint16 if vocab_size <= 2**16 else np.uint32
        )
        offsets = np.cumsum([0, *(1 + len(text) for text in texts)], dtype=np.int64)
        digest = hashlib.sha256(tokens.tobytes())
        for text in held_out:
            digest.update(b"held" + text.astype(tokens.dtype).tobytes())
        return cls(
            tokens,
            offsets,
            [np.asarray(text, np.int32) for text in held_out],
            np.bincount(tokens, minlength=vocab_size),
            digest.hexdigest(),
        )


class TokenStore:
    """The ids of many texts in one file that is mapped into memory; each text follows a 0.

    Args:
        folder: The folder that `write` has written to.

    Attributes:
        tokens: `[N]`, the ids of all texts.
        offsets: `[D + 1]`, the beginning of each text, then N.
        held_out: The ids of each text that is held out.
        counts: `[V]`, the count of each token.
        digest: A digest of all texts.

    Raises:
        DataError: The files are missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            self.offsets = np.load(folder / OFFSETS)
            with (folder / HELD_OUT).open("rb") as file, np.load(file) as arrays:
                starts, ids = arrays["starts"], arrays["ids"]
                self.counts = arrays["counts"]
            self.tokens = np.memmap(folder / TOKENS, dtype=about["dtype"], mode="r")
            self.digest = str(about["digest"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{folder}: expected encoded texts, got missing or damaged files ({error}); "
                "encode the texts again."
            ) from None
        if len(self.tokens) != self.offsets[-1]:
            raise DataError(
                f"{folder / TOKENS}: cut short: expected {self.offsets[-1]:,} tokens, got "
                f"{len(self.tokens):,}; encode the texts again."
            )
        self.held_out = [ids[a:b] for a, b in pairwise(starts)]

    @classmethod
    def write(
        cls,
        folder: Path,
        texts: Iterable[str],
        *,
        tokenizer: Tokenizer,
        held_out: float,
        seed: int,
        advance: Callable[[int], None] | None = None,
    ) -> TokenStore:
        """Encodes texts, reading them once, block by block.

        Args:
            folder: The folder to write to.
            texts: The texts; those without a token are left out.
            tokenizer: The tokenizer.
            held_out: The share of the texts that is held out; at least one text is.
            seed: The seed of the choice.
            advance: Called with the number of texts in each block when they are encoded.

        Raises:
            DataError: There are fewer than two texts with a token.
            OSError: The files cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ABOUT).unlink(missing_ok=True)
        dtype = np.uint16 if tokenizer.vocab_size <= 2**16 else np.uint32
        rng = np.random.default_rng([seed, len("held")])
        counts = np.zeros(tokenizer.vocab_size, np.int64)
        # An array takes eight bytes per text, a list forty.
        offsets, held_out_ids = array("q", [0]), list[np.ndarray]()
        digest = hashlib.sha256()
        with (folder / TOKENS).open("wb") as file:
            for block in _blocks(texts):
                for ids in tokenizer.encode_batch(block):
                    if not len(ids):
                        continue
                    tokens = np.concatenate([[BETWEEN], ids]).astype(dtype)
                    if not held_out_ids or rng.random() < held_out:
                        held_out_ids.append(np.asarray(ids, np.int32))
                        digest.update(b"held" + tokens.tobytes())
                        continue
                    file.write(tokens.tobytes())
                    digest.update(tokens.tobytes())
                    counts += np.bincount(tokens, minlength=len(counts))
                    offsets.append(offsets[-1] + len(tokens))
                if advance is not None:
                    advance(len(block))
        if len(offsets) < 2:
            raise DataError(
                "expected at least two texts, one of them to be held out, got "
                f"{len(held_out_ids)} with a word in it, all held out; give more, or lower "
                "`held_out`."
            )
        np.save(folder / OFFSETS, np.array(offsets, np.int64))
        starts = np.cumsum([0, *map(len, held_out_ids)])
        np.savez(folder / HELD_OUT, starts=starts, ids=np.concatenate(held_out_ids), counts=counts)
        about = {"dtype": np.dtype(dtype).name, "digest": digest.hexdigest()}
        write_atomically(folder / ABOUT, json.dumps(about))
        return cls(folder)

    def move_to(self, folder: Path) -> TokenStore:
        """Moves the files to another folder, which must exist, and opens them there.

        Raises:
            OSError: The files cannot be moved.
        """
        (folder / ABOUT).unlink(missing_ok=True)
        for name in (TOKENS, OFFSETS, HELD_OUT, ABOUT):
            (self._folder / name).replace(folder / name)
        return TokenStore(folder)


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    source = iter(texts)
    while block := list(islice(source, BLOCK_TEXTS)):
        yield block
