"""The encoder: turns texts into ids with the SentencePiece model of a run folder, and back.

Id 0 is padding and never comes out of a text, id 1 is the unknown piece; there are no begin and
end marks. The rules that bring texts into one form are part of the model.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import sentencepiece

from ..cores import count_cores
from ..errors import ConfigError, ModelError
from .cuts import LONG_TEXT, SafeCuts
from .sentencepiece_proto import is_whole_model
from .unicode import valid_unicode

__all__ = ["SPACE", "Encoder"]

SPACE = "\u2581"
"""The character that stands for a space in pieces."""

# Appended to a model, because the last value of a field counts in a protocol buffer:
# normalizer_spec { add_dummy_prefix: false }.
_NO_PREFIX = b"\x1a\x02\x18\x00"
_BLOCK_TEXTS = 512

# A character of no language, repeated to more characters than a training chunk has.
_UNKNOWN_WORD = "\ue000" * 2000


class Encoder:
    """Turns texts into ids with a SentencePiece model, and ids into texts.

    An encoder never changes, and several threads may call its methods at the same time.
    `textrnn.Tokenizer` is an encoder that can be trained.

    Example:
        encoder = Encoder(Path("runs/reviews/tokenizer.model").read_bytes())
        encoder.encode("a fine film")

    Attributes:
        vocab_size: V, the number of ids.
        words_apart: Whether the ids of a text are the ids of its words, one word after the other.
    """

    PAD = 0
    UNK = 1

    def __init__(self, model: bytes) -> None:
        """Reads a serialised SentencePiece model.

        Args:
            model: The content of a model file.

        Raises:
            ModelError: The bytes are not a whole SentencePiece model, or its padding and unknown
                pieces are not ids 0 and 1.
        """
        processor = sentencepiece.SentencePieceProcessor()
        try:
            if not is_whole_model(model):
                raise ModelError(
                    "expected a whole SentencePiece model, got another file or a part of one; copy "
                    "or train it again."
                )
            processor.LoadFromSerializedProto(model)
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                "expected a SentencePiece model, got a damaged one; copy or train it again."
            ) from error
        special = processor.pad_id(), processor.unk_id()
        if special != (self.PAD, self.UNK):
            raise ModelError(
                f"the ids of <pad> and <unk> must be {self.PAD} and {self.UNK}, got {special[0]} "
                f"and {special[1]}; train with pad_id={self.PAD} and unk_id={self.UNK}."
            )
        self._model = model
        self._processor = processor
        # With word pieces a run of unknown words is one unknown piece. The second word is unknown:
        # it is longer than any word that was learned.
        self.words_apart: bool = all(
            self._encode(f"{word} {word}") == 2 * self._encode(word)
            for word in ("a", _UNKNOWN_WORD)
        )
        self.vocab_size: int = processor.vocab_size()

    def to_bytes(self) -> bytes:
        """Returns the serialised SentencePiece model, as TF Text's tokenizer reads it."""
        return self._model

    def encode(self, text: str, *, continued: bool = False) -> list[int]:
        """Returns the ids of one text; none for a text without characters, and never PAD.

        Args:
            text: The text.
            continued: Whether the text continues another one at a place that `last_cut` returned,
                without a space between them.
        """
        segments = self._segments(text, continued=continued)
        return [id for part, joined in segments for id in self._encode(part, continued=joined)]

    def last_cut(self, text: str, end: int | None = None) -> int:
        """Finds the last place where a text can be cut between two characters, without a space.

        The ids of `text[:place]`, followed by the ids of `text[place:]` with `continued=True`, are
        the ids of the text, whatever follows it. Such places exist in scripts without spaces
        between words.

        Args:
            text: The beginning of a text, or all of it.
            end: The largest place allowed; None allows any.

        Returns:
            The place, which is at least two characters before the end of the text. 0 if there is
            none in the last 1,000 characters, or if the ids are not those of words (see
            `words_apart`).
        """
        if not self.words_apart:
            return 0
        return self._cuts.last_before(valid_unicode(text), len(text) if end is None else end)

    def _encode(self, text: str, *, continued: bool = False) -> list[int]:
        return cast(list[int], self._processor_for(continued).encode(text, return_type=int))

    def _processor_for(self, continued: bool) -> sentencepiece.SentencePieceProcessor:
        return self._continuing_processor if continued else self._processor

    @functools.cached_property
    def _continuing_processor(self) -> sentencepiece.SentencePieceProcessor:
        """Encodes text that continues another one without a space between them."""
        return sentencepiece.SentencePieceProcessor(model_proto=self._model + _NO_PREFIX)

    @functools.cached_property
    def _cuts(self) -> SafeCuts:
        pieces = (self.id_to_piece(id) for id in range(self.UNK + 1, self.vocab_size))
        return SafeCuts(pieces, self._continuing_processor.normalize)

    def _segments(self, text: str, *, continued: bool = False) -> list[tuple[str, bool]]:
        """Splits a long text before spaces or at safe cuts; a short one is a single segment.

        The pieces of a word do not depend on the neighbouring words. But the best pieces of a text
        are found by sums of scores. If the sums are too large to be exact, the choice between
        equally good pieces of a word is random, and differs between versions of the library.

        Returns:
            Each segment, and whether it continues the one before without a space.
        """
        text = valid_unicode(text)
        if len(text) <= LONG_TEXT or not self.words_apart:
            return [(text, continued)]
        return self._cuts.split(text, continued=continued)

    def encode_batch(
        self,
        texts: Sequence[str],
        *,
        num_threads: int | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> list[npt.NDArray[np.int32]]:
        """Returns the ids of many texts, the same as `encode` returns for each.

        Args:
            texts: The texts.
            num_threads: How many texts are encoded at the same time; None: as many as this
                process has processors.
            on_progress: Called after each block of texts with the number of texts in it.

        Returns:
            One int32 array `[T]` per text, where T is the number of its pieces.

        Raises:
            ConfigError: `num_threads` is less than 1.
        """
        threads = count_cores() if num_threads is None else num_threads
        if threads < 1:
            raise ConfigError(f"`num_threads` must be at least 1, got {threads}.")
        ids: list[npt.NDArray[np.int32]] = []
        for start in range(0, len(texts), _BLOCK_TEXTS):
            block = texts[start : start + _BLOCK_TEXTS]
            ids += self._encode_block(block, threads=threads)
            if on_progress is not None:
                on_progress(len(block))
        return ids

    def _encode_block(
        self, texts: Sequence[str], *, threads: int
    ) -> Iterator[npt.NDArray[np.int32]]:
        block = [self._segments(text) for text in texts]
        encoded = {}
        for continued in (False, True):
            parts = [part for segments in block for part, joined in segments if joined == continued]
            processor = self._processor_for(continued and bool(parts))
            encoded[continued] = iter(
                processor.encode(parts, return_type="numpy", num_threads=threads) if parts else ()
            )
        for segments in block:
            # The library's arrays are read-only views of longer buffers.
            yield np.concatenate([next(encoded[joined]) for _, joined in segments], dtype=np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the normalised text of ids; PAD becomes nothing and UNK becomes " ⁇ ".

        Raises:
            IndexError: An id is not in 0 .. vocab_size - 1.
        """
        return cast(str, self._processor.decode([self._checked(id) for id in ids]))

    def pieces(self, text: str) -> list[str]:
        """Returns the pieces of a text, one for each id of `encode`; U+2581 stands for a space.

        An unknown piece has the spelling of the text.
        """
        return [
            piece
            for part, continued in self._segments(text)
            for piece in self._processor_for(continued).encode(part, return_type=str)
        ]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Returns where each id of `encode` begins and ends in the text, counted in characters.

        White space belongs to the piece after it. Several pieces may stand for one character of
        the text (its bytes, or the letters of a ligature): the last of them has its span, and the
        spans of the others are empty.
        """
        spans, start = [], 0
        for part, continued in self._segments(text):
            content = part.encode("utf-8")
            # How many characters begin before each byte.
            begins = np.frombuffer(content, np.uint8) & 0xC0 != 0x80
            characters = np.concatenate([[0], np.cumsum(begins)])
            encoded = self._processor_for(continued).encode(content, return_type="offset_mapping")
            spans += [
                (start + int(characters[begin]), start + int(characters[end]))
                for begin, end in encoded["offsets"]
            ]
            start += len(part)
        return spans

    def id_to_piece(self, id: int) -> str:
        """Returns the spelling of a piece; a byte piece is spelt like "<0x41>".

        Raises:
            IndexError: The id is not in 0 .. vocab_size - 1.
        """
        return str(self._processor.id_to_piece(self._checked(id)))

    def _checked(self, id: int) -> int:
        if not 0 <= id < self.vocab_size:
            raise IndexError(f"an id must be in 0 .. {self.vocab_size - 1}, got {id}.")
        return int(id)
