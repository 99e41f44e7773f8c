"""Texts in scripts without spaces, cut where no piece reaches across."""

import functools

import pytest
import unspaced
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.runtime.text.cuts import LONG_TEXT
from textrnn.runtime.text.incremental import TokenStream
from textrnn.text.tokenizer import Tokenizer

PIECE_TYPES = ("unigram", "bpe", "char")
NORMALIZATIONS = ("nfkc", "plain")
CORPUS = [text for script in unspaced.WORDS for text in unspaced.texts(script, 30)]


@functools.cache
def trained(piece_type: str, normalization: str = "nfkc") -> Tokenizer:
    config = TokenizerConfig(piece_type=piece_type, normalization=normalization, vocab_size=250)
    return Tokenizer.train([*CORPUS, "がぎぐ ｶﾞ 한국 É e\u0301t"], config, cache=False)


# Known words, and characters that are unknown, change what stands before them, or vanish.
part = st.sampled_from(
    [word for _, *lists in unspaced.WORDS.values() for words in lists for word in words]
) | st.sampled_from([*"龘鬱が\u3099\uff9eｶヘ\u0301ำ ​\u3000\u200b\x07\x00▁<br/>aÉ가한"])
texts = st.lists(part, max_size=12).map("".join)


@examples(400)
@given(
    text=texts,
    size=st.integers(1, 7),
    piece_type=st.sampled_from(PIECE_TYPES),
    normalization=st.sampled_from(NORMALIZATIONS),
)
def test_however_a_text_arrives_its_ids_are_the_same(text, size, piece_type, normalization):
    tokenizer = trained(piece_type, normalization)
    stream, ids = TokenStream(tokenizer), []
    for start in range(0, len(text), size):
        ids += stream.feed(text[start : start + size])
        assert ids + stream.rest() == tokenizer.encode(text[: start + size])
    assert ids + stream.rest() == tokenizer.encode(text)


@pytest.mark.parametrize("piece_type", ["unigram", "char"])  # BPE's are whole clauses here.
@pytest.mark.parametrize("script", ["chinese", "japanese", "thai", "mixed"])
def test_texts_without_spaces_are_cut(piece_type, script):
    tokenizer = trained(piece_type)
    assert all(tokenizer.last_cut(text) > 0 for text in unspaced.texts(script, 30))


def test_words_between_spaces_are_not_cut():
    tokenizer = trained("char")
    assert tokenizer.last_cut("one longword") == 0
    assert tokenizer.last_cut("الغرفة") == 0


@pytest.mark.parametrize("options", [{"piece_type": "word"}, {"piece_type": "byte"}])
def test_pieces_that_are_no_parts_of_words_are_not_cut(options):
    tokenizer = Tokenizer.train(["a film 我们 很好"] * 9, TokenizerConfig(**options), cache=False)
    assert tokenizer.last_cut("我们很好我们很好") == 0


def test_a_cut_is_not_after_a_given_place():
    tokenizer = trained("char")
    assert tokenizer.last_cut("我们很好我们", 3) == 3
    assert tokenizer.last_cut("我们很好我们") == 4, "two characters behind it are known"


@pytest.mark.parametrize("piece_type", PIECE_TYPES)
def test_a_long_text_without_spaces_is_read_in_parts(piece_type):
    tokenizer = trained(piece_type)
    text = "".join(unspaced.texts("chinese", 400) * 8)
    assert len(text) > 2 * LONG_TEXT
    ids = tokenizer.encode(text)
    assert tokenizer.encode_batch(["a", text, "很好"])[1].tolist() == ids
    assert len(tokenizer.pieces(text)) == len(ids)
    spans = tokenizer.spans(text)
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
    assert spans[-1][1] == len(text)
    whole = tokenizer._processor.encode(text, return_type=int)
    assert len(ids) == len(whole)
    if piece_type != "unigram":  # Whose sums over all of the text are not exact.
        assert ids == whole


@pytest.mark.parametrize("script", ["chinese", "japanese", "thai", "mixed"])
def test_a_stream_without_spaces_holds_little_back(script):
    tokenizer = trained("unigram")
    stream, ids, longest_held = TokenStream(tokenizer), [], 0
    text = "".join(unspaced.texts(script, 400)).replace(" ", "")
    for start in range(0, len(text), 50):
        ids += stream.feed(text[start : start + 50])
        longest_held = max(longest_held, len(stream.state()[0]))
    assert longest_held < 500
    assert ids + stream.rest() == tokenizer.encode(text)


def test_a_restored_stream_continues_within_a_word():
    tokenizer = trained("char")
    stream, again = TokenStream(tokenizer), TokenStream(tokenizer)
    ids = stream.feed("我们很好我们")
    again.restore(stream.state())
    assert ids + again.feed("很好") + again.rest() == tokenizer.encode("我们很好我们很好")
