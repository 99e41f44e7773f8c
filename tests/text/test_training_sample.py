import pytest

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, DataError
from textrnn.text.normalization import configured_normalizer
from textrnn.text.training_sample import sample_chunks, training_chunks


def chunks_for(texts, **settings):
    config = TokenizerConfig(**settings)
    return training_chunks(texts, config, seed=0, rules=configured_normalizer(config))


def test_a_small_corpus_is_used_whole_and_in_order():
    assert sample_chunks(["one", "two", "three"], 11, seed=0) == ["one", "two", "three"]


def test_a_sample_has_the_number_of_characters():
    texts = [f"text number {i}" for i in range(1000)]
    chunks = sample_chunks(texts, 500, seed=1)
    assert sum(map(len, chunks)) == 500
    assert chunks == sample_chunks(texts, 500, seed=1) != sample_chunks(texts, 500, seed=2)


@pytest.mark.parametrize("text", ["word " * 1000, "z" * 5000, "很好。" * 1500, "a<br />" * 900])
def test_a_long_text_is_cut_into_chunks_without_a_loss(text):
    chunks = sample_chunks([text], 10**6, seed=0)
    assert "".join(chunks) == text
    assert max(map(len, chunks)) <= 1000


def test_a_chunk_ends_before_white_space_but_not_within_a_tag():
    first, second = sample_chunks(["x" * 990 + " end<br />" + "y" * 5], 10**6, seed=0)
    assert (first, second) == ("x" * 990, " end<br />yyyyy")


def test_characters_that_the_trainer_cannot_read_are_replaced():
    assert sample_chunks(["a\u2585b", "\ud800"], 100, seed=0) == ["a b", "\ufffd"]


@pytest.mark.thorough
def test_bytes_need_no_texts_but_room():
    assert chunks_for([], piece_type="byte") == ["a"]
    with pytest.raises(ConfigError, match="at least 258 for byte pieces, got 100"):
        chunks_for([], piece_type="byte", vocab_size=100)


def test_texts_without_a_character_are_an_error():
    with pytest.raises(DataError, match="got 2 without a character"):
        chunks_for(["", " \n"])
