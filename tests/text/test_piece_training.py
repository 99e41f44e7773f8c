"""The pieces that a tokenizer learns from its texts."""

import pytest
import unspaced

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError
from textrnn.text.tokenizer import Tokenizer


def train(texts, **settings) -> tuple[Tokenizer, list[str]]:
    """Returns a tokenizer and the notices about it."""
    messages: list[str] = []
    tokenizer = Tokenizer.train(
        texts, TokenizerConfig(**settings), cache=False, progress=messages.append
    )
    return tokenizer, messages[1:]


@pytest.mark.thorough
@pytest.mark.parametrize("script", unspaced.WORDS)
@pytest.mark.parametrize("piece_type", ["unigram", "bpe", "char"])
def test_every_script_is_learned_from_with_the_defaults(script, piece_type):
    texts = unspaced.texts(script)
    tokenizer, notices = train(texts, piece_type=piece_type)
    assert notices == []
    for text in texts:
        assert Tokenizer.UNK not in tokenizer.encode(text)


def test_a_size_that_is_too_small_is_refused_by_its_name():
    with pytest.raises(ConfigError, match=r"`vocab_size` must be at least 29\d .*, got 99;"):
        train(unspaced.many_characters(rare=0.0), vocab_size=99)


@pytest.mark.thorough
@pytest.mark.parametrize("script", ["chinese", "japanese", "thai", "mixed"])
def test_sentences_without_spaces_are_no_words(script):
    if script == "mixed":  # Its words are mostly those of a script without spaces.
        texts = [text.replace(" ", "") for text in unspaced.texts(script)]
    else:
        texts = unspaced.texts(script)
    with pytest.raises(ConfigError, match="choose unigram or char"):
        train(texts, piece_type="word")


@pytest.mark.parametrize("script", ["chinese", "japanese", "thai"])
def test_words_that_spaces_set_apart_are_words_in_every_script(script):
    _, *lists = unspaced.WORDS[script]
    words = [word for words in lists for word in words]
    tokenizer, notices = train([" ".join(words)] * 9, piece_type="word")
    assert notices == []
    assert len(tokenizer.encode(" ".join(words))) == len(words)
