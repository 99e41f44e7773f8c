"""The tokenizer in JavaScript: the ids and places of the library, for all piece types."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from py_mini_racer import MiniRacer

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.runtime.text.cuts import LONG_TEXT
from textrnn.text.tokenizer import Tokenizer

SOURCE = Path(__file__).parents[3] / "runtime/playground/sentencepiece.js"

SENTENCE = "the film was great but long, a dull and slow plot; actors 1990 über naïve 电影很好看"
CHARACTERS = [
    *"abcABC .,!?<>_▁١ـ\t\n\r\u00a0\u200b\u3000éÉßﬁ①\u0301가漢字ไทย😀👨‍👩‍👧\x00\x01\x7f\ufffd",
    *("<br />", "<BR>", "<0x41>", "  "),
]
READ = """
let tokenizer;
const begin = (bytes) => { tokenizer = new SentencePiece(Uint8Array.from(bytes)); };
const numbers = ({ id, start, end }) => [id, start, end];
const read = (texts) =>
  JSON.stringify(texts.map((text) => tokenizer.encodeWithSpans(text).map(numbers)));
"""


def read_in_javascript(tokenizer: Tokenizer, texts: list[str]) -> list[list[list[int]]]:
    """The id, the start and the end of each piece, in UTF-16 units, of each text."""
    with MiniRacer() as engine:
        engine.eval(SOURCE.read_text(encoding="utf-8") + READ)
        engine.eval(f"begin({json.dumps(list(tokenizer.to_bytes()))})")
        return json.loads(str(engine.eval(f"read({json.dumps(texts)})")))


def read_by_the_library(tokenizer: Tokenizer, text: str) -> list[list[int]]:
    places = [0]
    for character in text:
        places.append(places[-1] + (2 if character > "\uffff" else 1))
    spans = tokenizer.spans(text)
    return [
        [id, places[start], places[end]]
        for id, (start, end) in zip(tokenizer.encode(text), spans, strict=True)
    ]


def sentences(count: int, rng: random.Random) -> list[str]:
    return [" ".join(rng.choices(SENTENCE.split(), k=rng.randint(1, 30))) for _ in range(count)]


def strange_texts(count: int, rng: random.Random) -> list[str]:
    return ["".join(rng.choices(CHARACTERS, k=rng.randint(0, 40))) for _ in range(count)]


def any_unicode(count: int, rng: random.Random) -> list[str]:
    blocks = [(32, 127), (128, 0x3000), (0x3000, 0xD7FF), (0xE000, 0x110000)]
    return [
        "".join(chr(rng.randrange(*rng.choice(blocks))) for _ in range(rng.randint(0, 30)))
        for _ in range(count)
    ]


def compare(piece_type: str, normalization: str, count: int) -> None:
    rng = random.Random(count)
    config = TokenizerConfig(
        piece_type=piece_type,
        normalization=normalization,
        lowercase=normalization == "plain" or piece_type != "bpe",
        vocab_size=None if piece_type == "byte" else 120,
    )
    corpus = sentences(500, rng) + strange_texts(100, rng)
    tokenizer = Tokenizer.train(corpus, config, cache=False)
    texts = ["", " ", "a", "  a  b  ", "\x00"]
    texts += sentences(count, rng) + strange_texts(count, rng) + any_unicode(count, rng)
    read = read_in_javascript(tokenizer, texts)
    different = [
        text
        for text, pieces in zip(texts, read, strict=True)
        if pieces != read_by_the_library(tokenizer, text)
    ]
    assert different == []


def test_a_text_that_the_library_reads_in_parts_has_the_same_ids() -> None:
    rng = random.Random(0)
    corpus = sentences(900, rng)
    tokenizer = Tokenizer.train(corpus, TokenizerConfig(vocab_size=120), cache=False)
    text = " ".join(corpus)
    assert len(text) > LONG_TEXT
    (pieces,) = read_in_javascript(tokenizer, [text])
    assert [id for id, _, _ in pieces] == tokenizer.encode(text)


@pytest.mark.parametrize("normalization", ["nfkc", "plain"])
@pytest.mark.parametrize("piece_type", ["unigram", "bpe", "char", "byte", "word"])
def test_the_ids_and_places_are_those_of_the_library(piece_type: str, normalization: str) -> None:
    compare(piece_type, normalization, 100)


@pytest.mark.slow
@pytest.mark.parametrize("piece_type", ["unigram", "bpe", "char", "byte", "word"])
def test_ten_thousand_texts(piece_type: str) -> None:
    compare(piece_type, "nfkc", 3400)
