"""Follows a text as its bytes arrive, and answers after each sentence or number of tokens."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import Any

from .streaming import Stream
from .text.cuts import LONG_TEXT
from .text.scripts import SENTENCE_END

__all__ = ["follow_sentences", "follow_tokens"]


def follow_sentences(stream: Stream, pieces: Iterable[bytes]) -> Iterator[tuple[str, Any]]:
    """Reads a text as its pieces arrive, and yields each sentence with the prediction after it.

    A sentence ends where `text.scripts.SENTENCE_END` matches, or after 20,000
    characters.

    Args:
        stream: The stream that reads the text.
        pieces: Bytes of UTF-8, cut anywhere.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text = ""
    for piece in pieces:
        text += decoder.decode(piece)
        begin = 0
        for match in SENTENCE_END.finditer(text):
            sentence = text[begin : match.end()]
            if not sentence.isspace():  # White space belongs to the next sentence.
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
    """Reads a text as its pieces arrive, and yields the prediction at regular distances.

    Args:
        stream: The stream that reads the text.
        pieces: Bytes of UTF-8, cut anywhere.
        every: How many tokens lie between two predictions.

    Yields:
        The number of tokens read, and the prediction after them. The last pair is that of the whole
        text.
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
