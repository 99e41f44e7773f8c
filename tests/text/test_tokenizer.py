"""Texts to ids and back."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples
from tiny_tokenizers import train

from textrnn.errors import ConfigError
from textrnn.text.normalization import normalizer
from textrnn.text.tokenizer import Tokenizer

TEXT = st.text(st.characters(codec=None), max_size=60)  # Lone surrogates and NUL among them.


@pytest.mark.parametrize("text", ["", " ", "\n\t", "<br />", chr(0xD800), "\ufffd", "\u200b"])
def test_a_text_without_characters_has_no_ids(tokenizer, text):
    assert tokenizer.encode(text) == []


def test_normalisation_is_part_of_the_model(tokenizer):
    assert tokenizer.encode("FINE<BR/>Film") == tokenizer.encode("fine film")
    assert tokenizer.encode(" fine\n\nfilm ") == tokenizer.encode("fine film")


@pytest.mark.thorough
def test_case_is_kept_where_wished():
    tokenizer = train(lowercase=False)
    assert tokenizer.encode("A") != tokenizer.encode("a")
    assert tokenizer.decode(tokenizer.encode("A fine<br />Film")) == "A fine Film"


def test_a_lone_surrogate_is_a_replacement_character(tokenizer):
    assert tokenizer.encode("fine\ud83dfilm") == tokenizer.encode("fine\ufffdfilm")


def test_special_pieces_cannot_be_written_in_a_text(tokenizer):
    assert tokenizer.pieces("<pad><unk><s>")[0] != "<pad>"
    assert Tokenizer.PAD not in tokenizer.encode("<pad> <unk> <s>")


def test_a_very_long_text_is_encoded_whole(tokenizer):
    words = 20_000
    ids = tokenizer.encode("film " * words)
    assert tokenizer.decode(ids) == " ".join(["film"] * words)
    assert len(tokenizer.encode("x" * 100_000)) >= 1


@given(text=TEXT)
@examples(50)
def test_every_text_has_ids_in_range_and_none_is_padding(tokenizer, text):
    ids = tokenizer.encode(text)
    assert all(0 < id < tokenizer.vocab_size for id in ids)
    assert len(tokenizer.pieces(text)) == len(ids)


@given(texts=st.lists(TEXT, max_size=8), num_threads=st.sampled_from([None, 1, 2, 5]))
@examples(30)
def test_a_batch_gives_the_ids_of_each_text_alone(tokenizer, texts, num_threads):
    batch = tokenizer.encode_batch(texts, num_threads=num_threads)
    assert [ids.tolist() for ids in batch] == [tokenizer.encode(text) for text in texts]


@pytest.mark.thorough
@given(text=TEXT)
@examples(50)
def test_bytes_hold_every_normalised_text(byte_tokenizer, text):
    normalised = normalizer(lowercase=True, word_prefix=False).normalize(
        "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    )
    assert byte_tokenizer.decode(byte_tokenizer.encode(text)) == normalised.replace("▁", " ")


@pytest.fixture(scope="module")
def byte_tokenizer() -> Tokenizer:
    return train(piece_type="byte")


def test_a_batch_is_int32_arrays_of_their_own(tokenizer):
    short, empty = tokenizer.encode_batch(["fine", ""])
    assert short.dtype == empty.dtype == np.int32
    assert empty.shape == (0,)
    assert short.flags.owndata
    assert short.flags.writeable


def test_a_batch_tells_how_many_texts_each_block_had():
    counts: list[int] = []
    train().encode_batch(["fine film"] * 1100, on_progress=counts.append)
    assert counts == [512, 512, 76]


def test_a_batch_needs_a_thread():
    with pytest.raises(ConfigError, match="`num_threads` must be at least 1, got 0"):
        train().encode_batch(["a"], num_threads=0)


def test_decoding_gives_the_normalised_text(tokenizer):
    ids = tokenizer.encode("A FINE film,<br />and finely played.")
    # Punctuation is a word of its own to word pieces alone.
    words = "▁," in tokenizer.pieces("film,")
    expected = "a fine film , and finely played ." if words else "a fine film, and finely played."
    assert tokenizer.decode(ids) == expected
    assert tokenizer.decode(np.array([*ids, Tokenizer.PAD], np.int32)) == tokenizer.decode(ids)


def test_unknown_characters_keep_their_spelling_in_pieces():
    tokenizer = train()
    assert tokenizer.encode("字")[-1] == Tokenizer.UNK
    assert tokenizer.pieces("字")[-1] == "字"


def test_pieces_are_those_of_the_ids(tokenizer):
    text = "a fine film"
    assert tokenizer.pieces(text) == [tokenizer.id_to_piece(id) for id in tokenizer.encode(text)]


@given(text=TEXT)
@examples(50)
def test_each_id_has_its_place_in_the_text(tokenizer, text):
    spans = tokenizer.spans(text)
    assert len(spans) == len(tokenizer.encode(text))
    place = 0
    for start, end in spans:
        assert place <= start <= end <= len(text)
        place = end


def test_places_are_counted_in_characters():
    tokenizer = train(["ab é ab é"] * 9, piece_type="char")
    text = "ab é<br/>\U0001f600b"
    pieces = [text[start:end] for start, end in tokenizer.spans(text)]
    assert [piece for piece in pieces if piece] == ["a", "b", " ", "é", "<br/>", "\U0001f600", "b"]


def test_places_continue_in_the_parts_of_a_long_text(monkeypatch):
    monkeypatch.setattr("textrnn.runtime.text.encoder.LONG_TEXT", 8)
    monkeypatch.setattr("textrnn.runtime.text.cuts._LONG_PART", re.compile(r"(?s).{1,8}(?=\s|\Z)"))
    tokenizer = train(["ab cd"] * 9, piece_type="char")
    text = "ab cd ab cd ab cd"
    pieces = [(start, text[start:end]) for start, end in tokenizer.spans(text)]
    letters = [(start, letter) for start, letter in pieces if letter.strip()]
    assert letters == [(i, letter) for i, letter in enumerate(text) if letter != " "]


@pytest.mark.parametrize("beyond", [-1, 10_000])
def test_an_id_outside_the_vocabulary_is_an_error(tokenizer, beyond):
    with pytest.raises(IndexError, match=rf"must be in 0 \.\. \d+, got {beyond}"):
        tokenizer.decode([2, beyond])
    with pytest.raises(IndexError, match=f"got {beyond}"):
        tokenizer.id_to_piece(beyond)
