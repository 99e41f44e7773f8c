"""Texts tokenised in a graph by TF Text, as by SentencePiece."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.config.choices import NORMALIZATIONS
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.runtime.text.cuts import LONG_TEXT
from textrnn.text.tokenizer import Tokenizer

pytest.importorskip("tensorflow_text")
from textrnn.export.graphs.sentencepiece_ops import PieceTokenizer

CORPUS = ["Hello, world! It is (a) test.", "the cat's 3 hats and größe, naïve 東京"] * 3
# What may stand between words, or only seems to.
GAPS = ["\x0b", "\x0c", "\t", "\r\n", " ", "\u00a0", "\u3000", "<br />", "<BR/>", "\x1c", "\x00"]


@functools.cache
def tokenizers(piece_type: str, normalization: str) -> tuple[Tokenizer, Any]:
    config = TokenizerConfig(piece_type=piece_type, normalization=normalization, vocab_size=300)
    tokenizer = Tokenizer.train(CORPUS, config, cache=False)
    return tokenizer, tf.function(
        PieceTokenizer(tokenizer).tokenize,
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )


def check(piece_type: str, normalization: str, texts: list[bytes]) -> None:
    tokenizer, tokenize = tokenizers(piece_type, normalization)
    wanted = [tokenizer.encode(text.decode("utf-8", errors="replace")) for text in texts]
    assert tokenize(tf.constant(texts, tf.string)).to_list() == wanted


each_tokenizer = pytest.mark.parametrize("normalization", NORMALIZATIONS)
each_piece_type = pytest.mark.parametrize("piece_type", ["unigram", "bpe", "char", "byte", "word"])


@each_tokenizer
@each_piece_type
def test_long_texts(piece_type: str, normalization: str) -> None:
    line = "".join(f"the{gap}cat's hats 東京{gap}" for gap in GAPS).encode()
    long = line * (LONG_TEXT // len(line) + 2)
    check(piece_type, normalization, [long, b"a test", b"", b"x" * (LONG_TEXT + 5) + b" the"])


@each_tokenizer
@examples(60)
@given(raw=st.binary(max_size=40))
def test_any_bytes_short_and_long(normalization: str, raw: bytes) -> None:
    check("unigram", normalization, [raw])
    check("unigram", normalization, [(raw + b" the ") * (LONG_TEXT // (len(raw) + 5) + 1)])


def test_no_texts() -> None:
    check("unigram", "nfkc", [])
