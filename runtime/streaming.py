"""Answers to texts that are still being read: piece by piece, without an end, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .stream_snapshot import StateArrays, StreamSnapshot
from .text.encoder import Encoder
from .text.incremental import TokenStream

__all__ = ["Reader", "Stream", "Streams"]


class Reader(Protocol):
    """Reads token ids with a model, from one state to the next."""

    def start(self, texts: int, /) -> StateArrays:
        """Returns the state of texts of which nothing was read."""

    def read(self, state: StateArrays, ids: Sequence[Any], /) -> tuple[np.ndarray, StateArrays]:
        """Returns the probabilities `[B, C]` after the next ids of B texts, and the new state."""


@dataclass
class _Text:
    """A text that is being read.

    Attributes:
        state: The state of the model after the tokens that were read.
        words: Turns pieces of the text into ids; None as long as the text came as ids.
        tokens: How many tokens were read.
        answered: How many tokens the last answer includes.
    """

    state: StateArrays
    words: TokenStream | None
    tokens: int = 0
    answered: int = 0


class Streams:
    """Independent texts, each read piece by piece and answered after every piece.

    The answer is that for the whole text as far as it is known, wherever the pieces were cut. A
    word that is not complete yet counts as if it were. The memory per text is constant.

    Example:
        streams = textrnn.load("runs/bbc_news").streams()
        streams.feed({"first": "The match ", "second": "The market "})
        streams.feed({"second": "fell again."})["second"].label

    Args:
        reader: Reads ids with the model.
        tokenizer: The tokenizer of the model.
        answer: Makes a prediction from probabilities `[C]` and the number of tokens read.
        digest: The digest of the model, so that a state is not restored into another model.
    """

    def __init__(
        self,
        reader: Reader,
        tokenizer: Encoder,
        answer: Callable[[np.ndarray, int], Any],
        *,
        digest: str,
    ) -> None:
        self._reader, self._tokenizer = reader, tokenizer
        self._answer, self._digest = answer, digest
        self._texts: dict[Hashable, _Text] = {}

    def __len__(self) -> int:
        """Returns the number of texts."""
        return len(self._texts)

    def __contains__(self, key: Hashable) -> bool:
        """Returns whether there is a text of this key."""
        return key in self._texts

    def feed(self, pieces: Mapping[Any, str | bytes]) -> dict[Any, Any]:
        """Reads the next pieces of some texts; a new key begins a text.

        Args:
            pieces: Text, or bytes of UTF-8, by key.

        Returns:
            The prediction for each of these texts, by key.

        Raises:
            ConfigError: The pieces of the tokenizer reach across words.
            TypeError: A piece is neither a string nor bytes.
        """
        ids: dict[Hashable, list[int]] = {}
        for key, piece in pieces.items():
            ids[key] = self.words_of(key).feed(piece)
        self.read(ids)
        return self._answers(list(ids))

    def feed_ids(self, ids: Mapping[Any, Sequence[int]]) -> dict[Any, Any]:
        """Reads the next token ids of some texts; a new key begins a text.

        Args:
            ids: Token ids by key, none of them PAD.

        Returns:
            The prediction for each of these texts, by key.

        Raises:
            ValueError: A part of a word is held back, and the ids would come before it.
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
        """Returns how many tokens of a text were read, without those of an incomplete word."""
        return self._texts[key].tokens

    def answered(self, key: Hashable) -> int:
        """Returns how many tokens the last answer includes, with those of an incomplete word."""
        return self._texts[key].answered

    def leave(self, key: Hashable) -> None:
        """Forgets a text.

        Raises:
            KeyError: There is no text of this key.
        """
        del self._texts[key]

    def reset(self, key: Hashable) -> None:
        """Begins a new text of this key."""
        self._texts.pop(key, None)
        self._text(key)

    def state(self, key: Hashable) -> bytes:
        """Returns everything that is known of a text, for `restore` in this or another process."""
        text = self._texts[key]
        words = text.words.state() if text.words else None
        return StreamSnapshot(self._digest, text.state, text.tokens, words).to_bytes()

    def restore(self, key: Hashable, state: bytes) -> None:
        """Continues with a text from what `state` returned.

        Raises:
            ModelError: The bytes are no complete state, or belong to another model.
        """
        arrays = len(self._reader.start(1))
        snapshot = StreamSnapshot.from_bytes(state, digest=self._digest, arrays=arrays)
        self._texts[key] = text = _Text(snapshot.state, None, snapshot.tokens)
        if snapshot.words is not None:
            text.words = TokenStream(self._tokenizer)
            text.words.restore(snapshot.words)

    def words_of(self, key: Hashable) -> TokenStream:
        """Returns what turns the pieces of a text into ids."""
        text = self._text(key)
        if text.words is None:
            text.words = TokenStream(self._tokenizer)
        return text.words

    def read(self, ids: Mapping[Any, list[int]]) -> dict[Any, Any]:
        """Reads ids of complete words.

        Args:
            ids: Token ids by key.

        Returns:
            The predictions by key, without the parts of words that are held back. A text without
            ids has none.
        """
        rows = {key: row for key, row in ids.items() if row}
        if not rows:
            return {}
        scores, state = self._reader.read(self._stacked(rows), list(rows.values()))
        for place, (key, row) in enumerate(rows.items()):
            text = self._texts[key]
            text.state = [array[place : place + 1] for array in state]
            text.tokens += len(row)
            text.answered = text.tokens
        return self._predictions(rows, scores)

    def _text(self, key: Hashable) -> _Text:
        if key not in self._texts:
            self._texts[key] = _Text(self._reader.start(1), None)
        return self._texts[key]

    def _answers(self, keys: list[Hashable]) -> dict[Hashable, Any]:
        """Returns the predictions as if the texts ended here."""
        if not keys:
            return {}
        words = [self._texts[key].words for key in keys]
        held_ids = [stream.rest() if stream else [] for stream in words]
        scores, _ = self._reader.read(self._stacked(keys), held_ids)
        for key, row in zip(keys, held_ids, strict=True):
            self._texts[key].answered = self._texts[key].tokens + len(row)
        return self._predictions(keys, scores)

    def _predictions(self, keys: Iterable[Hashable], scores: np.ndarray) -> dict[Any, Any]:
        return {
            key: self._answer(row, self._texts[key].answered)
            for key, row in zip(keys, scores, strict=True)
        }

    def _stacked(self, keys: Iterable[Hashable]) -> StateArrays:
        """Returns the state of some texts together, arrays `[B, ...]`."""
        states = zip(*(self._texts[key].state for key in keys), strict=True)
        return [np.concatenate(arrays) for arrays in states]


class Stream:
    """One text that is read piece by piece; see `Streams`.

    Example:
        stream = textrnn.load("runs/bbc_news").stream()
        stream.feed("The match ")
        stream.feed("ended in a draw.").label

    Args:
        streams: The streams that read the text.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._streams.reset(0)

    def feed(self, piece: str | bytes) -> Any:
        """Reads a piece, and returns the prediction for the text as far as it is known."""
        return self._streams.feed({0: piece})[0]

    def finish(self) -> Any:
        """Returns the prediction for the whole text."""
        return self.feed("")

    def feed_ids(self, ids: Sequence[int]) -> Any:
        """Reads token ids, and returns the prediction for the text as far as it is known."""
        return self._streams.feed_ids({0: ids})[0]

    @property
    def tokens(self) -> int:
        """The number of tokens that were read, without those of an incomplete word."""
        return self._streams.tokens(0)

    @property
    def answered(self) -> int:
        """The number of tokens in the last answer, with those of an incomplete word."""
        return self._streams.answered(0)

    @property
    def state(self) -> bytes:
        """Everything that is known of the text, for `restore` in this or another process."""
        return self._streams.state(0)

    def restore(self, state: bytes) -> None:
        """Continues from what `state` returned.

        Raises:
            ModelError: The bytes are no complete state, or belong to another model.
        """
        self._streams.restore(0, state)

    def reset(self) -> None:
        """Begins a new text."""
        self._streams.reset(0)

    def tokens_of(self, piece: str | bytes) -> list[int]:
        """Returns the ids of the words that a piece completes, which `read` expects."""
        return self._streams.words_of(0).feed(piece)

    def read(self, ids: Sequence[int]) -> Any:
        """Reads ids of complete words, and returns the prediction without what is held back."""
        return self._streams.read({0: list(ids)})[0]

    @property
    def held(self) -> bool:
        """Returns whether a part of a word is held back."""
        return bool(self._streams.words_of(0).rest())
