"""From text to ids and back: a SentencePiece model, its training, its file and its cache.

The pieces are learned from the training texts by one of

    unigram   a unigram language model over pieces, pruned by EM (Kudo 2018, arXiv:1804.10959)
    bpe       byte-pair encoding: frequent neighbours are merged (Sennrich et al. 2016,
              arXiv:1508.07909)
    char      the most frequent characters
    byte      the 256 bytes of UTF-8; nothing is learned, nothing is ever unknown
    word      the most frequent words; the rest is unknown, a run of such words one unknown piece

as implemented by SentencePiece (Kudo & Richardson 2018, arXiv:1808.06226). Id 0 is padding and
never comes out of a text, id 1 is the unknown piece; there are no begin and end marks. The rules
of `textrnn.normalization` are part of the model.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import sentencepiece

from textrnn.atomic import write_atomically
from textrnn.cache import cache_folder
from textrnn.config import TokenizerConfig
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.normalization import normalizer
from textrnn.vocabulary import (
    BYTE_PIECES,
    RECIPE,
    learn_pieces,
    model_parts,
    sample_parts,
    valid_unicode,
)

__all__ = ["Tokenizer"]

# In protocol buffers a repeated field overrides: normalizer_spec { escape_whitespaces: false }.
_PLAIN_SPACES = b"\x1a\x02\x28\x00"
_BLOCK_TEXTS = 512

LONG_TEXT = 20_000
"""Characters of a text that is encoded in parts: so many pieces' scores have an exact sum."""

# Of no language, and longer than the parts that words are learned from.
_UNKNOWN_WORD = "\ue000" * 2000

# A part ends before white space that is not that of "<br />", which the rules know as a whole.
_LONG_PART = re.compile(
    rf"(?s).{{1,{LONG_TEXT}}}(?=[ \t\n\f\r](?!/>)|\Z)|.+?(?=[ \t\n\f\r](?!/>)|\Z)"
)


class Tokenizer:
    """Turns texts into ids by a SentencePiece model.

    Attributes:
        vocab_size: V, the number of ids.
        words_apart: Whether a text's ids are those of its words, one after the other.

    A Tokenizer never changes; its methods may be called from several threads.
    """

    PAD = 0
    UNK = 1

    def __init__(self, model: bytes) -> None:
        """Reads a serialised SentencePiece model.

        Raises:
            ModelError: The bytes are no whole SentencePiece model, or its padding and unknown
                pieces are not ids 0 and 1.
        """
        processor = sentencepiece.SentencePieceProcessor()
        try:
            if not _is_whole(model):
                raise ModelError("expected a SentencePiece model, got a file that is none or cut.")
            processor.LoadFromSerializedProto(model)
        except (RuntimeError, ValueError) as error:
            raise ModelError("expected a SentencePiece model, got a broken one.") from error
        special = processor.pad_id(), processor.unk_id()
        if special != (self.PAD, self.UNK):
            raise ModelError(
                f"the ids of <pad> and <unk> must be {self.PAD} and {self.UNK}, got {special[0]} "
                f"and {special[1]}; train with pad_id={self.PAD} and unk_id={self.UNK}."
            )
        self._model = model
        self._processor = processor
        # A likely word and one longer than any that was learned: runs of unknown words are one
        # unknown piece.
        self.words_apart: bool = all(
            self._encode(f"{word} {word}") == 2 * self._encode(word)
            for word in ("a", _UNKNOWN_WORD)
        )
        self.vocab_size: int = processor.vocab_size()

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        config: TokenizerConfig,
        *,
        seed: int = 0,
        cache: bool = True,
        progress: Callable[[str], None] | None = None,
    ) -> Tokenizer:
        """Learns the pieces of a corpus; the same arguments give the same model, byte for byte.

        Args:
            texts: The training texts, of any length; a random sample of `config.sample_chars`
                characters is used.
            config: The settings. `vocab_size` is an upper bound: a small corpus gives fewer.
            seed: Of the random sample.
            cache: Look for the model in the user's cache folder (or that of the environment
                variable TEXTRNN_CACHE_DIR) first, and keep it there.
            progress: Called once with a few words: that training starts, or that the cache is
                read. Training runs outside Python and cannot be interrupted.

        Raises:
            ConfigError: `vocab_size` is too small for the characters of the texts.
            DataError: The texts hold no characters to learn from.
        """
        byte = config.piece_type == "byte"
        if byte and config.vocab_size < BYTE_PIECES:
            raise ConfigError(
                f"`vocab_size` must be at least {BYTE_PIECES} for byte pieces, got "
                f"{config.vocab_size}."
            )
        parts = ["a"] if byte else sample_parts(texts, config.sample_chars, seed=seed)
        rules = normalizer(
            lowercase=config.lowercase,
            word_prefix=not byte,
            plain=config.normalization == "plain",
            words=config.piece_type == "word",
        )
        if not any(rules.normalize(part) for part in parts):
            raise DataError(
                f"expected texts to learn a tokenizer from, got {len(texts)} without a character."
            )
        path = _cache_path(
            parts,
            {**config.to_dict(), "seed": seed, "recipe": RECIPE},
            rules=rules.serialized_normalizer_spec(),
        )
        say = progress or (lambda step: None)
        if cache:
            with contextlib.suppress(ModelError):
                tokenizer = cls.load(path)
                say("reading the tokenizer from the cache")
                return tokenizer
        say(f"training the tokenizer on {sum(map(len, parts)):,} characters")
        model = learn_pieces(parts, config, rules=rules, pad_id=cls.PAD, unk_id=cls.UNK)
        if byte:
            model = cls(model + _PLAIN_SPACES)._processor.serialized_model_proto()
        tokenizer = cls(model)
        if cache:
            with contextlib.suppress(OSError):  # Without a cache the next run only takes longer.
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, model)
        return tokenizer

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tokenizer:
        """Reads a tokenizer from the file that `save` wrote.

        Raises:
            ModelError: The file is missing, cannot be read, or is no whole SentencePiece model
                with padding as id 0 and the unknown piece as id 1.
        """
        try:
            return cls(Path(path).read_bytes())
        except OSError as error:
            raise ModelError(f"{path}: cannot read the tokenizer: {error.strerror}.") from error
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error

    @classmethod
    def from_bytes(cls, model: bytes) -> Tokenizer:
        """Reads a tokenizer from what `to_bytes` gave.

        Raises:
            ModelError: As for `load`.
        """
        return cls(model)

    def to_bytes(self) -> bytes:
        """The serialised SentencePiece model, as TF Text's `SentencepieceTokenizer` takes it."""
        return self._model

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the SentencePiece model; a kill at any moment leaves the old file or the new one.

        Raises:
            ModelError: The file cannot be written.
        """
        try:
            write_atomically(path, self._model)
        except OSError as error:
            raise ModelError(f"{path}: cannot write the tokenizer: {error.strerror}.") from error

    def encode(self, text: str) -> list[int]:
        """The ids of one text; none for a text without characters. Never holds PAD."""
        return [id for part in self._parts(text) for id in self._encode(part)]

    def _encode(self, text: str) -> list[int]:
        return cast(list[int], self._processor.encode(text, return_type=int))

    def _parts(self, text: str) -> list[str]:
        """The text, a long one in parts that end before a space.

        A word's pieces do not depend on the words beside it. But the best pieces of a text are
        found by sums of scores, and where these are too large to be exact, equally good pieces of
        one word are chosen by chance, and not alike by each version of the library.
        """
        text = valid_unicode(text)
        if len(text) <= LONG_TEXT or not self.words_apart:
            return [text]
        return _LONG_PART.findall(text)

    def encode_batch(
        self,
        texts: Sequence[str],
        *,
        num_threads: int | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> list[npt.NDArray[np.int32]]:
        """The ids of many texts, in their order: the same as `encode` gives for each.

        Args:
            texts: The texts.
            num_threads: Texts encoded at a time; every processor this process may use if None.
            on_progress: Called after each block of texts with the number of texts in it.

        Returns:
            An array [T] of int32 for each text, T its own number of pieces.

        Raises:
            ConfigError: `num_threads` is less than 1.
        """
        threads = _available_cpus() if num_threads is None else num_threads
        if threads < 1:
            raise ConfigError(f"`num_threads` must be at least 1, got {threads}.")
        ids: list[npt.NDArray[np.int32]] = []
        for start in range(0, len(texts), _BLOCK_TEXTS):
            block = [self._parts(text) for text in texts[start : start + _BLOCK_TEXTS]]
            flat = [part for parts in block for part in parts]
            encoded = iter(self._processor.encode(flat, return_type="numpy", num_threads=threads))
            # The library's arrays are read-only views of longer buffers.
            ids.extend(
                np.concatenate([next(encoded) for _ in parts], dtype=np.int32) for parts in block
            )
            if on_progress is not None:
                on_progress(len(block))
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The normalised text of ids: PAD gives nothing, UNK " ⁇ ".

        Raises:
            IndexError: An id is not in 0 .. vocab_size - 1.
        """
        return cast(str, self._processor.decode([self._checked(id) for id in ids]))

    def pieces(self, text: str) -> list[str]:
        """The text's pieces, one for each id of `encode`; U+2581 stands for a space.

        An unknown piece is spelt as in the text.
        """
        return cast(list[str], self._processor.encode(valid_unicode(text), return_type=str))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each id of `encode` stands in the text: the first character, and the one behind.

        White space belongs to the piece behind it. A piece that is a part of one character of the
        text (a byte, a letter of a ligature) is empty, but for the last.
        """
        found, start = [], 0
        for part in self._parts(text):
            encoded = part.encode("utf-8")
            bytes_ = np.frombuffer(encoded, np.uint8)
            place = np.concatenate([[0], np.cumsum(bytes_ & 0xC0 != 0x80)])  # Characters before.
            for piece in self._processor.encode(part, return_type="proto").pieces:
                found.append((start + int(place[piece.begin]), start + int(place[piece.end])))
            start += len(part)
        return found

    def id_to_piece(self, id: int) -> str:
        """The spelling of a piece; of a byte piece, for instance, "<0x41>".

        Raises:
            IndexError: The id is not in 0 .. vocab_size - 1.
        """
        return str(self._processor.id_to_piece(self._checked(id)))

    def _checked(self, id: int) -> int:
        if not 0 <= id < self.vocab_size:
            raise IndexError(f"an id must be in 0 .. {self.vocab_size - 1}, got {id}.")
        return int(id)


def _cache_path(parts: list[str], settings: dict[str, Any], *, rules: bytes) -> Path:
    """The cache file of a model: its name is a digest of all that the model depends on."""
    digest = hashlib.sha256(hashlib.sha256(rules).digest())
    stated = settings | {"sentencepiece": sentencepiece.__version__}
    digest.update(json.dumps(stated, sort_keys=True).encode())
    for part in parts:
        content = part.encode()
        digest.update(len(content).to_bytes(8, "little") + content)
    return cache_folder() / "tokenizers" / f"{digest.hexdigest()}.model"


def _is_whole(model: bytes) -> bool:
    """Whether the bytes are a protocol buffer with all three parts of a SentencePiece model.

    A file cut between two pieces is still a protocol buffer that the library loads: the pieces
    come first, the trainer's and the normalizer's settings (fields 2 and 3) last.
    """
    parts = list(model_parts(model))
    return {1, 2, 3} <= {field for field, _, _ in parts} and parts[-1][2] == len(model)


def _available_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
