"""A tokenizer whose pieces are words."""

import pytest
import sentencepiece
from tiny_tokenizers import train

from textrnn.config.choices import NORMALIZATIONS
from textrnn.text.tokenizer import Tokenizer


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_the_most_frequent_words_are_pieces_and_a_run_of_others_is_one_unknown(normalization):
    texts = ["the film, the FILM; the plot", "the film."]
    tokenizer = train(texts, piece_type="word", normalization=normalization, vocab_size=8)
    assert [tokenizer.id_to_piece(id) for id in (2, 3)] == ["▁the", "▁film"]
    assert tokenizer.vocab_size <= 8
    assert tokenizer.encode("zz yy The zz\nFilm") == [1, 2, 1, 3]
    assert tokenizer.pieces("the film.") == ["▁the", "▁film", "▁."]
    assert tokenizer.decode(tokenizer.encode("THE film.")) == "the film ."


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_words_outside_the_vocabulary_are_rare_ones(normalization):
    texts = [f"common{i} " * (30 - i) for i in range(30)]
    tokenizer = train(texts, piece_type="word", normalization=normalization, vocab_size=12)
    assert tokenizer.vocab_size == 12
    assert [tokenizer.id_to_piece(id) for id in range(2, 12)] == [f"▁common{i}" for i in range(10)]


@pytest.mark.parametrize("word", ["zz", "\ue001"])
def test_unknown_words_of_a_long_text_are_one_run_whatever_words_are_known(word):
    tokenizer = train(["a film \ue000"], piece_type="word")
    assert not tokenizer.words_apart
    (film,) = tokenizer.encode("film")
    assert tokenizer.encode(f"{word} " * 30_000 + "film") == [Tokenizer.UNK, film]


@pytest.mark.parametrize("piece_type", ["unigram", "bpe", "char"])
def test_other_pieces_know_each_word_by_itself(piece_type):
    assert train(piece_type=piece_type).words_apart


def test_long_words_have_exact_scores():
    tokenizer = train(["a a a", "b" * 130, "c" * 400], piece_type="word")
    model = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.to_bytes())
    assert all((model.get_score(id) * 64).is_integer() for id in range(tokenizer.vocab_size))
    assert tokenizer.pieces("b" * 130) == ["▁" + "b" * 130]
