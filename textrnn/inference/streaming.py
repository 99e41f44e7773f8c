"""Answers to texts that are still being read: piece by piece, without an end, many at a time."""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.errors import ModelError
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.text.cuts import LONG_TEXT
from textrnn.text.incremental import TokenStream
from textrnn.text.scripts import SENTENCE_END
from textrnn.text.tokenizer import Tokenizer

__all__ = [
    "PIECE_TOKENS",
    "Reader",
    "Stream",
    "Streams",
    "follow_sentences",
    "follow_tokens",
    "model_digest",
]

PIECE_TOKENS = 256
"""Tokens that are read at once; so the memory does not depend on how long a piece is."""

Rows = list[np.ndarray]
"""The memory of some texts, `[B, ...]` each."""


class Reader:
    """Reads ids with a model, from one memory to the next; one graph for all lengths.

    Args:
        model: One that reads forwards only; see `TextClassifier.start`.
        label_space: The labels.

    Raises:
        ConfigError: The model needs the whole text at once.
    """

    def __init__(self, model: TextClassifier, *, label_space: LabelSpace) -> None:
        start = model.start(1)
        specs = [tf.TensorSpec([None, *t.shape[1:]], t.dtype) for t in tf.nest.flatten(start)]
        self._start = [t.numpy() for t in tf.nest.flatten(start)]
        ids_spec = tf.TensorSpec([None, None], tf.int32)

        @tf.function(input_signature=[specs, ids_spec])
        def advance(flat: list[tf.Tensor], ids: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
            memory = tf.nest.pack_sequence_as(start, flat)
            logits, memory = model.advance_aligned(memory, ids)
            return label_space.activation(tf.cast(logits, tf.float32)), tf.nest.flatten(memory)

        @tf.function(input_signature=[specs, ids_spec])
        def advance_each(
            flat: list[tf.Tensor], ids: tf.Tensor
        ) -> tuple[tf.Tensor, list[tf.Tensor]]:
            memory = tf.nest.pack_sequence_as(start, flat)
            logits, memory = model.advance_each(memory, ids)
            return label_space.activation(tf.cast(logits, tf.float32)), tf.nest.flatten(memory)

        self._advance, self._advance_each = advance, advance_each

    def start(self, rows: int) -> Rows:
        """The memory of texts of which nothing was read."""
        return [np.repeat(array, rows, axis=0) for array in self._start]

    def read(self, memory: Rows, ids: Sequence[Any]) -> tuple[np.ndarray, Rows]:
        """The probabilities `[B, C]` of some texts after their next ids, and their memory."""
        longest = max(1, *map(len, ids))
        for start in range(0, longest, PIECE_TOKENS):
            pieces = [row[start : start + PIECE_TOKENS] for row in ids]
            padded = np.zeros([len(ids), max(1, *map(len, pieces))], np.int32)
            for place, piece in enumerate(pieces):
                padded[place, : len(piece)] = piece
            scores, flat = self._advance([tf.constant(m) for m in memory], tf.constant(padded))
            memory = [tensor.numpy() for tensor in flat]
        return scores.numpy(), memory

    def read_each(self, memory: Rows, ids: Sequence[int]) -> tuple[np.ndarray, Rows]:
        """The probabilities `[T, C]` of one text after each of its next ids, and its memory."""
        found = []
        for start in range(0, len(ids), PIECE_TOKENS):
            piece = ids[start : start + PIECE_TOKENS]
            row = tf.constant([piece], tf.int32)
            scores, flat = self._advance_each([tf.constant(m) for m in memory], row)
            found.append(scores.numpy()[0, : len(piece)])
            memory = [tensor.numpy() for tensor in flat]
        return np.concatenate(found), memory


@dataclass
class _Text:
    """A text that is being read."""

    memory: Rows
    words: TokenStream | None
    tokens: int = 0
    answered: int = 0


class Streams:
    """Independent texts, each read piece by piece and answered after every piece.

    The answer is that for the whole text as far as it is known, however it was cut: a word that has
    only begun counts as it stands. The memory of each is constant.

    Args:
        reader: Of the model.
        tokenizer: Its tokenizer.
        answer: Makes a prediction of probabilities `[C]`.
        digest: Of the model, so that a state is not given to another.
    """

    def __init__(
        self,
        reader: Reader,
        tokenizer: Tokenizer,
        answer: Callable[[np.ndarray], Any],
        *,
        digest: str,
    ) -> None:
        self._reader, self._tokenizer = reader, tokenizer
        self._answer, self._digest = answer, digest
        self._texts: dict[Hashable, _Text] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._texts

    def feed(self, pieces: Mapping[Any, str | bytes]) -> dict[Any, Any]:
        """The next pieces of some texts; a key that is new begins a text.

        Args:
            pieces: Text, or bytes of UTF-8, by key.

        Returns:
            The prediction for each of these texts, by key.

        Raises:
            ConfigError: The tokenizer's pieces reach across words.
            TypeError: A piece is neither a string nor bytes.
        """
        ids: dict[Hashable, list[int]] = {}
        for key, piece in pieces.items():
            ids[key] = self.words_of(key).feed(piece)
        self.read(ids)
        return self._answers(list(ids))

    def feed_ids(self, ids: Mapping[Any, Sequence[int]]) -> dict[Any, Any]:
        """As `feed`, of token ids that are known already, none of them PAD.

        Raises:
            ValueError: A piece of text is held back that these ids would come before.
            IndexError: An id is not in 1 .. vocab_size - 1.
        """
        for key, row in ids.items():
            if key in self._texts and self._texts[key].words and self.words_of(key).rest():
                raise ValueError(f"expected whole words before ids, got part of one in {key!r}.")
            if len(row) and not 0 < min(row) <= max(row) < self._tokenizer.vocab_size:
                raise IndexError(f"an id must be in 1 .. {self._tokenizer.vocab_size - 1}.")
        for key in ids:
            self._text(key)
        self.read({key: list(map(int, row)) for key, row in ids.items()})
        return self._answers(list(ids))

    def tokens(self, key: Hashable) -> int:
        """How many tokens of a text have been read, but for those of a word that goes on."""
        return self._texts[key].tokens

    def answered(self, key: Hashable) -> int:
        """How many tokens the last answer of a text has seen, those of a word that goes on too."""
        return self._texts[key].answered

    def leave(self, key: Hashable) -> None:
        """Forgets a text.

        Raises:
            KeyError: There is none of this key.
        """
        del self._texts[key]

    def reset(self, key: Hashable) -> None:
        """Begins a text of this key anew."""
        self._texts.pop(key, None)
        self._text(key)

    def state(self, key: Hashable) -> bytes:
        """Everything that is known of a text; `restore` goes on from it, in another process too."""
        text = self._texts[key]
        held, inside, undecoded = text.words.state() if text.words else ("", False, b"")
        about = {
            "digest": self._digest,
            "tokens": text.tokens,
            "held": held,
            "inside": inside,
            "undecoded": undecoded.hex(),
            "words": text.words is not None,
        }
        content = io.BytesIO()
        arrays: dict[str, Any] = {"about": np.array(json.dumps(about))}
        arrays |= {f"memory_{i}": array for i, array in enumerate(text.memory)}
        np.savez(content, **arrays)
        return content.getvalue()

    def restore(self, key: Hashable, state: bytes) -> None:
        """Goes on with a text from what `state` gave.

        Raises:
            ModelError: The bytes are no whole state, or one of another model.
        """
        try:
            with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
                about = json.loads(str(arrays["about"]))
                memory = [arrays[f"memory_{i}"] for i in range(len(self._reader.start(1)))]
            digest, tokens = about["digest"], int(about["tokens"])
            held = (str(about["held"]), bool(about["inside"]), bytes.fromhex(about["undecoded"]))
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"expected a stream's state, got other bytes ({error}).") from None
        if digest != self._digest:
            raise ModelError("the state is that of another model; read the text again.")
        self._texts[key] = text = _Text(memory, None, tokens)
        if about["words"]:
            text.words = TokenStream(self._tokenizer)
            text.words.restore(held)

    def _text(self, key: Hashable) -> _Text:
        if key not in self._texts:
            self._texts[key] = _Text(self._reader.start(1), None)
        return self._texts[key]

    def words_of(self, key: Hashable) -> TokenStream:
        """What makes ids of the pieces of a text."""
        text = self._text(key)
        if text.words is None:
            text.words = TokenStream(self._tokenizer)
        return text.words

    def read(self, ids: Mapping[Any, list[int]]) -> dict[Any, Any]:
        """Reads ids of whole words; the predictions after them, without what is held back."""
        some = {key: row for key, row in ids.items() if row}
        if not some:
            return {}
        scores, memory = self._reader.read(self._stack(some), list(some.values()))
        for place, (key, row) in enumerate(some.items()):
            text = self._texts[key]
            text.memory = [array[place : place + 1] for array in memory]
            text.tokens += len(row)
            text.answered = text.tokens
        return {key: self._answer(row) for key, row in zip(some, scores, strict=True)}

    def _answers(self, keys: list[Hashable]) -> dict[Hashable, Any]:
        """The predictions, as if the texts ended here."""
        if not keys:
            return {}
        words = [self._texts[key].words for key in keys]
        rest = [held.rest() if held else [] for held in words]
        scores, _ = self._reader.read(self._stack(keys), rest)
        for key, row in zip(keys, rest, strict=True):
            self._texts[key].answered = self._texts[key].tokens + len(row)
        return {key: self._answer(row) for key, row in zip(keys, scores, strict=True)}

    def _stack(self, keys: Iterable[Hashable]) -> Rows:
        texts = [self._texts[key] for key in keys]
        rows = zip(*(text.memory for text in texts), strict=True)
        return [np.concatenate(arrays) for arrays in rows]


class Stream:
    """One text that is read piece by piece; see `Streams`.

    Args:
        streams: What reads it.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._streams.reset(0)

    def feed(self, piece: str | bytes) -> Any:
        """The prediction for the text as far as it is known, after this piece."""
        return self._streams.feed({0: piece})[0]

    def feed_ids(self, ids: Sequence[int]) -> Any:
        """The same after some token ids."""
        return self._streams.feed_ids({0: ids})[0]

    @property
    def tokens(self) -> int:
        """How many tokens have been read, but for those of a word that goes on."""
        return self._streams.tokens(0)

    @property
    def answered(self) -> int:
        """How many tokens the last answer has seen, those of a word that goes on too."""
        return self._streams.answered(0)

    @property
    def state(self) -> bytes:
        """Everything that is known of the text."""
        return self._streams.state(0)

    def restore(self, state: bytes) -> None:
        """Goes on from what `state` gave."""
        self._streams.restore(0, state)

    def reset(self) -> None:
        """Begins a new text."""
        self._streams.reset(0)

    def tokens_of(self, piece: str | bytes) -> list[int]:
        """The ids of the words that a piece makes whole; they are to be given to `read`."""
        return self._streams.words_of(0).feed(piece)

    def read(self, ids: Sequence[int]) -> Any:
        """Reads ids of whole words; the prediction after them, without what is held back."""
        return self._streams.read({0: list(ids)})[0]

    @property
    def held(self) -> bool:
        """Whether there is a word that has only begun."""
        return bool(self._streams.words_of(0).rest())


def follow_sentences(stream: Stream, pieces: Iterable[bytes]) -> Iterator[tuple[str, Any]]:
    """Reads a text as its pieces arrive; gives each sentence with the prediction after it.

    A sentence ends as `textrnn.text.scripts.SENTENCE_END` says, or after 20,000 characters.

    Args:
        stream: What reads it.
        pieces: Bytes of UTF-8, cut anywhere.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text = ""
    for piece in pieces:
        text += decoder.decode(piece)
        begin = 0
        for match in SENTENCE_END.finditer(text):
            sentence = text[begin : match.end()]
            if not sentence.isspace():  # White space goes to the next one.
                begin = match.end()
                yield sentence, stream.feed(sentence)
        text = text[begin:]
        if len(text) > LONG_TEXT:
            yield text, stream.feed(text)
            text = ""
    text += decoder.decode(b"", final=True)
    if text:
        yield text, stream.feed(text)


def follow_tokens(
    stream: Stream, pieces: Iterable[bytes], *, every: int
) -> Iterator[tuple[int, Any]]:
    """Reads a text as its pieces arrive; gives the prediction every so many tokens, and at the end.

    Args:
        stream: What reads it.
        pieces: Bytes of UTF-8, cut anywhere.
        every: So many tokens.
    """
    last = -1
    for piece in pieces:
        ids = stream.tokens_of(piece)
        while ids:
            count = every - stream.tokens % every
            due, ids = ids[:count], ids[count:]
            if len(due) == count:
                prediction = stream.read(due)
                last = stream.tokens
                yield last, prediction
            else:
                stream.read(due)
    if stream.tokens != last or stream.held:
        prediction = stream.feed("")
        yield stream.answered, prediction


def model_digest(model: TextClassifier) -> str:
    """Of all weights and the settings."""
    digest = hashlib.sha256(json.dumps(model.config.to_dict(), sort_keys=True).encode())
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
