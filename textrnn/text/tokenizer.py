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
of `textrnn.text.normalization` are part of the model.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import sentencepiece

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.host.atomic import write_atomically
from textrnn.host.cache import cache_folder
from textrnn.text.cuts import LONG_TEXT, Cuts
from textrnn.text.normalization import normalizer
from textrnn.text.piece_training import (
    BYTE_PIECES,
    RECIPE,
    learn_pieces,
    model_parts,
    notes,
    sample_parts,
    valid_unicode,
)

__all__ = ["Tokenizer"]

# In protocol buffers a repeated field overrides: normalizer_spec { escape_whitespaces: false },
# and { add_dummy_prefix: false }.
_PLAIN_SPACES = b"\x1a\x02\x28\x00"
_NO_PREFIX = b"\x1a\x02\x18\x00"
_BLOCK_TEXTS = 512

# Of no language, and longer than the parts that words are learned from.
_UNKNOWN_WORD = "\ue000" * 2000


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
            config: The settings. A `vocab_size` that is given is taken as it is, but a small
                corpus may have fewer pieces.
            seed: Of the random sample.
            cache: Look for the model in the user's cache folder (or that of the environment
                variable TEXTRNN_CACHE_DIR) first, and keep it there.
            progress: Called with a few words: that training starts, or that the cache is read,
                then what is to be known of the pieces, a note each. Training runs outside Python
                and cannot be interrupted.

        Raises:
            ConfigError: `vocab_size` is given and too small for the characters of the texts, or
                `piece_type` is word, and most texts have no spaces between words.
            DataError: The texts hold no characters to learn from.
        """
        byte = config.piece_type == "byte"
        if byte and config.vocab_size is not None and config.vocab_size < BYTE_PIECES:
            raise ConfigError(
                f"`vocab_size` (--vocab-size) must be at least {BYTE_PIECES} for byte pieces, got "
                f"{config.vocab_size}; leave it out."
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
        tokenizer = None
        if cache:
            with contextlib.suppress(ModelError):
                tokenizer = cls.load(path)
                say("reading the tokenizer from the cache")
        if tokenizer is None:
            say(f"training the tokenizer on {sum(map(len, parts)):,} characters")
            model = learn_pieces(parts, config, rules=rules, pad_id=cls.PAD, unk_id=cls.UNK)
            if byte:
                model = cls(model + _PLAIN_SPACES)._processor.serialized_model_proto()
            tokenizer = cls(model)
            if cache:
                with contextlib.suppress(OSError):  # Without one the next run only takes longer.
                    path.parent.mkdir(parents=True, exist_ok=True)
                    write_atomically(path, model)
        if progress is not None:
            pieces = [tokenizer.id_to_piece(id) for id in range(tokenizer.vocab_size)]
            for note in notes(parts, config, pieces, rules=rules):
                say(f"note: {note}.")
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

    def encode(self, text: str, *, inside: bool = False) -> list[int]:
        """The ids of one text; none for a text without characters. Never holds PAD.

        Args:
            text: The text.
            inside: Whether it goes on from a place that `last_cut` found, with no space before it.
        """
        parts = self._parts(text, inside=inside)
        return [id for part, within in parts for id in self._encode(part, inside=within)]

    def last_cut(self, text: str, end: int | None = None) -> int:
        """The last place where a text can be cut between two characters, without a space.

        The ids of `text[:place]`, then those of `text[place:]` from `inside`, are those of the
        text, however it goes on. There are such places in scripts that put no spaces between words.

        Args:
            text: The beginning of a text, perhaps all of it.
            end: The place is not behind this one; None: anywhere.

        Returns:
            The place, at most two characters before the end of the text; 0 if there is none in the
            1,000 characters before, or if the ids are not those of words (see `words_apart`).
        """
        if not self.words_apart:
            return 0
        return self._cuts.last(valid_unicode(text), len(text) if end is None else end)

    def _encode(self, text: str, *, inside: bool = False) -> list[int]:
        return cast(list[int], self._reader(inside).encode(text, return_type=int))

    def _reader(self, inside: bool) -> sentencepiece.SentencePieceProcessor:
        return self._inner if inside else self._processor

    @functools.cached_property
    def _inner(self) -> sentencepiece.SentencePieceProcessor:
        """What reads text that goes on without a space before it."""
        return sentencepiece.SentencePieceProcessor(model_proto=self._model + _NO_PREFIX)

    @functools.cached_property
    def _cuts(self) -> Cuts:
        pieces = (self.id_to_piece(id) for id in range(self.UNK + 1, self.vocab_size))
        return Cuts(pieces, self._inner.normalize)

    def _parts(self, text: str, *, inside: bool = False) -> list[tuple[str, bool]]:
        """The text, a long one in parts that end before a space, or else at a `last_cut`.

        A word's pieces do not depend on the words beside it. But the best pieces of a text are
        found by sums of scores, and where these are too large to be exact, equally good pieces of
        one word are chosen by chance, and not alike by each version of the library.

        Returns:
            Each part, and whether it goes on without a space before it.
        """
        text = valid_unicode(text)
        if len(text) <= LONG_TEXT or not self.words_apart:
            return [(text, inside)]
        return self._cuts.parts(text, inside=inside)

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
            encoded = {}
            for inside in (False, True):
                flat = [part for parts in block for part, within in parts if within == inside]
                reader = self._reader(inside and bool(flat))
                encoded[inside] = iter(
                    reader.encode(flat, return_type="numpy", num_threads=threads)
                )
            # The library's arrays are read-only views of longer buffers.
            ids.extend(
                np.concatenate([next(encoded[inside]) for _, inside in parts], dtype=np.int32)
                for parts in block
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
        parts = self._parts(text)
        return [
            p for part, inside in parts for p in self._reader(inside).encode(part, return_type=str)
        ]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each id of `encode` stands in the text: the first character, and the one behind.

        White space belongs to the piece behind it. A piece that is a part of one character of the
        text (a byte, a letter of a ligature) is empty, but for the last.
        """
        found, start = [], 0
        for part, inside in self._parts(text):
            encoded = part.encode("utf-8")
            bytes_ = np.frombuffer(encoded, np.uint8)
            place = np.concatenate([[0], np.cumsum(bytes_ & 0xC0 != 0x80)])  # Characters before.
            for piece in self._reader(inside).encode(part, return_type="proto").pieces:
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
