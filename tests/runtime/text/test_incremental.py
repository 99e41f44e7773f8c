import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples
from tiny import labelled_texts

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError
from textrnn.runtime.text.incremental import TokenStream
from textrnn.text.tokenizer import Tokenizer

CORPUS = [text for text, _ in labelled_texts(80)] + [
    "Straße, naïve café — “déjà vu” 北京 <br /><br /> 12,345.67!",
    "one\ttwo\nthree  four <br/>five ﬁ ½ e\u0301",
] * 4


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(CORPUS, TokenizerConfig(vocab_size=120), cache=False)


def cut(text: bytes, places: list[int]) -> list[bytes]:
    places = sorted({min(place, len(text)) for place in places})
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


texts = st.text(
    st.sampled_from("abcdxy  \t\n<br/>éß北½ﬁ\u0301\u00a0\u3000\ud800😀.,"), max_size=60
) | st.sampled_from(CORPUS)


@examples(300)
@given(text=texts, places=st.lists(st.integers(0, 200), max_size=8))
def test_however_a_text_is_cut_its_ids_are_the_same(tokenizer, text, places):
    content = text.encode("utf-8", errors="replace")
    stream, ids = TokenStream(tokenizer), []
    for piece in cut(content, places):
        ids += stream.feed(piece)
    assert ids + stream.rest() == tokenizer.encode(content.decode())


@examples(100)
@given(text=texts, place=st.integers(0, 60))
def test_after_each_piece_the_ids_are_those_of_the_text_so_far(tokenizer, text, place):
    stream = TokenStream(tokenizer)
    ids = stream.feed(text[:place])
    assert ids + stream.rest() == tokenizer.encode(text[:place])


def test_little_is_held_back(tokenizer):
    stream = TokenStream(tokenizer)
    stream.feed("a b cde")
    assert stream.state() == (" cde", False, b"")
    stream.feed("é".encode()[:1])
    assert stream.state() == (" cde", False, b"\xc3")
    stream.feed(b"\xa9 f")
    assert stream.state()[0] == " f"
    for _ in range(50):
        stream.feed("x" * 1000)
    assert len(stream.state()[0]) <= 21_000


def test_bytes_that_are_not_utf_8_become_replacement_characters(tokenizer):
    stream = TokenStream(tokenizer)
    ids = stream.feed(b"a \xff\xfe b ")
    assert ids + stream.rest() == tokenizer.encode("a \ufffd\ufffd b ")


def test_pieces_across_words_cannot_be_streamed():
    tokenizer = Tokenizer.train(
        ["a"], TokenizerConfig(piece_type="byte", vocab_size=300), cache=False
    )
    with pytest.raises(ConfigError, match="another `piece_type` than byte, or feed ids"):
        TokenStream(tokenizer)


def test_a_piece_that_is_no_text_is_refused(tokenizer):
    with pytest.raises(TypeError, match="a piece must be a string or bytes, got nan"):
        TokenStream(tokenizer).feed(float("nan"))  # type: ignore[arg-type]
