"""How many pieces a tokenizer gets, and of which texts."""

import pytest
import unspaced

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError
from textrnn.text.tokenizer import Tokenizer

TEXTS = ["the film was great", "the play was bad"] * 20


def train(texts, **settings) -> tuple[Tokenizer, list[str]]:
    """A tokenizer, and what was said of it."""
    said: list[str] = []
    tokenizer = Tokenizer.train(
        texts, TokenizerConfig(**settings), cache=False, progress=said.append
    )
    return tokenizer, said[1:]


@pytest.mark.parametrize("script", unspaced.WORDS)
@pytest.mark.parametrize("piece_type", ["unigram", "bpe", "char"])
def test_every_script_is_learned_from_with_the_defaults(script, piece_type):
    texts = unspaced.texts(script)
    tokenizer, said = train(texts, piece_type=piece_type)
    assert said == []
    for text in texts:
        assert Tokenizer.UNK not in tokenizer.encode(text)


def test_words_without_spaces_make_a_larger_vocabulary():
    texts = unspaced.many_characters(1000, rare=0.0)
    assert sum(map(len, texts)) == 100_000
    assert train(texts, piece_type="bpe")[0].vocab_size == 100_000 / 1.6 / 20


@pytest.mark.parametrize("piece_type", ["unigram", "bpe", "char"])
def test_rare_characters_are_unknown_where_there_are_too_many(piece_type):
    texts = unspaced.many_characters()
    tokenizer, said = train(texts, piece_type=piece_type)
    assert 2000 < tokenizer.vocab_size < len(set("".join(texts)))
    (note,) = said
    assert note.startswith("note: ")
    assert note.endswith("characters are rare, 2.0% of the text, and will be unknown.") or (
        piece_type == "char"
    )
    unknown = int(note.split()[1].replace(",", ""))
    known = {tokenizer.id_to_piece(id) for id in range(tokenizer.vocab_size)}
    assert unknown == len(set("".join(texts)) - known)


def test_a_few_texts_of_many_characters_are_learned_from():
    texts = unspaced.many_characters(200, 20, rare=0.4)
    assert len(set("".join(texts))) > 1000
    tokenizer, said = train(texts)
    assert tokenizer.vocab_size > 1000
    assert said == []


def test_a_given_size_is_taken():
    texts = [f"word{i} and number{i}" for i in range(3000)]
    automatic, _ = train(texts)
    assert automatic.vocab_size == 1000
    given, said = train(texts, vocab_size=1500)
    assert (given.vocab_size, said) == (1500, [])


def test_fewer_pieces_than_given_are_told():
    tokenizer, said = train(TEXTS, vocab_size=5000)
    assert said == [
        f"note: found {tokenizer.vocab_size} pieces, fewer than the 5,000 of --vocab-size: the "
        "texts give no more."
    ]


def test_a_size_that_is_too_small_is_refused_by_its_name():
    with pytest.raises(ConfigError, match=r"\(--vocab-size\) must be at least 29\d .*, got 99;"):
        train(unspaced.many_characters(rare=0.0), vocab_size=99)


def test_notes_are_told_of_a_tokenizer_from_the_cache_too(tmp_path, monkeypatch):
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path))
    said: list[list[str]] = [[], []]
    for each in said:
        Tokenizer.train(TEXTS, TokenizerConfig(vocab_size=5000), progress=each.append)
    assert said[0][1:] == said[1][1:] != []
    assert said[1][0] == "reading the tokenizer from the cache"


@pytest.mark.parametrize("script", ["chinese", "japanese", "thai", "mixed"])
def test_sentences_without_spaces_are_no_words(script):
    if script == "mixed":  # Its words are mostly those of a script without spaces.
        texts = [text.replace(" ", "") for text in unspaced.texts(script)]
    else:
        texts = unspaced.texts(script)
    with pytest.raises(ConfigError, match="choose --piece-type unigram or char"):
        train(texts, piece_type="word")


@pytest.mark.parametrize("script", ["chinese", "japanese", "thai"])
def test_words_that_spaces_set_apart_are_words_in_every_script(script):
    _, *lists = unspaced.WORDS[script]
    words = [word for each in lists for word in each]
    tokenizer, said = train([" ".join(words)] * 9, piece_type="word")
    assert said == []
    assert len(tokenizer.encode(" ".join(words))) == len(words)


def test_some_sentences_without_spaces_among_words_are_told():
    texts = ["the film was great and the play was bad"] * 4 + ["我们今天很喜欢这本书"]
    _, said = train(texts, piece_type="word")
    assert len(said) == 1
    assert said[0].endswith("--piece-type unigram or char reads them.")
