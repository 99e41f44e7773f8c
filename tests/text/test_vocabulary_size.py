import unspaced

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.text.tokenizer import Tokenizer
from textrnn.text.vocabulary_size import choose_vocab_size, count_characters


def train(texts, **settings) -> tuple[Tokenizer, list[str]]:
    """Returns a tokenizer and the notices about it."""
    messages: list[str] = []
    tokenizer = Tokenizer.train(
        texts, TokenizerConfig(**settings), cache=False, progress=messages.append
    )
    return tokenizer, messages[1:]


def test_a_piece_for_100_words_without_spaces():
    texts = unspaced.many_characters(1000, rare=0.0)
    assert sum(map(len, texts)) == 100_000
    assert choose_vocab_size(3 * texts, texts) == 300_000 / 1.6 / 100
    spaced = [" ".join(text) for text in texts]
    assert choose_vocab_size(spaced, spaced) == 100_000 / 1.6 / 20


def test_a_few_texts_of_many_characters_are_learned_from():
    texts = unspaced.many_characters(200, 20, rare=0.4)
    assert len(set("".join(texts))) > 1000
    tokenizer, notices = train(texts)
    assert tokenizer.vocab_size > 1000
    assert notices == []


def test_a_given_size_is_taken():
    texts = [f"word{i} and number{i}" for i in range(3000)]
    automatic, _ = train(texts)
    assert automatic.vocab_size == 1000
    given, notices = train(texts, vocab_size=1500)
    assert (given.vocab_size, notices) == (1500, [])


def test_a_large_corpus_has_no_more_than_16_000_pieces():
    chunks = ["one two three four five six seven eight nine ten"] * 40_000
    assert choose_vocab_size(chunks, chunks[:1]) == 16_000


def test_characters_are_counted_over_all_texts():
    assert count_characters(["aab", "b"]) == {"a": 2, "b": 2}
