import pytest
import unspaced

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.text.tokenizer import Tokenizer
from textrnn.text.vocabulary_size import choose_vocab_size, count_characters, most_pieces


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


@pytest.mark.parametrize(
    ("labels", "classes", "pieces"),
    [
        (15_000, 150, 2000),  # 20 for each of the 100 texts of a class.
        (100_000, 1000, 12_500),  # One for 8 texts.
        (25_000, 2, 16_000),
        (90, 9, 1000),
        (0, 3, 1000),
    ],
)
def test_few_texts_of_a_class_have_few_pieces(labels, classes, pieces):
    assert most_pieces(labels, classes=classes) == pieces


def test_a_limit_does_not_add_pieces_and_leaves_room_for_characters():
    chunks = ["one two three four five six seven eight nine ten"] * 4000
    assert choose_vocab_size(chunks, chunks[:1], most=3000) == 2000
    assert choose_vocab_size(chunks, chunks[:1], most=1500) == 1500
    characters = ["".join(map(chr, range(0x4E00, 0x4E00 + 2000)))]
    assert choose_vocab_size(characters, characters, most=1000) > 1250


def test_characters_are_counted_over_all_texts():
    assert count_characters(["aab", "b"]) == {"a": 2, "b": 2}
