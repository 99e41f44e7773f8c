import pytest
import unspaced

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.text.tokenizer import Tokenizer

TEXTS = ["the film was great", "the play was bad"] * 20


def train(texts, **settings) -> tuple[Tokenizer, list[str]]:
    """Returns a tokenizer and the notices about it."""
    messages: list[str] = []
    tokenizer = Tokenizer.train(
        texts, TokenizerConfig(**settings), cache=False, progress=messages.append
    )
    return tokenizer, messages[1:]


@pytest.mark.parametrize("piece_type", ["unigram", "bpe", "char"])
def test_rare_characters_are_unknown_where_there_are_too_many(piece_type):
    texts = unspaced.many_characters()
    tokenizer, notices = train(texts, piece_type=piece_type)
    assert 2000 < tokenizer.vocab_size < len(set("".join(texts)))
    (notice,) = notices
    assert notice.startswith("note: ")
    assert notice.endswith("characters are rare, 2.0% of the text, and will be unknown.") or (
        piece_type == "char"
    )
    unknown = int(notice.split()[1].replace(",", ""))
    known = {tokenizer.id_to_piece(id) for id in range(tokenizer.vocab_size)}
    assert unknown == len(set("".join(texts)) - known)


def test_fewer_pieces_than_given_are_reported():
    tokenizer, notices = train(TEXTS, vocab_size=5000)
    assert notices == [
        f"note: the texts gave {tokenizer.vocab_size} pieces, fewer than the 5,000 of `vocab_size`."
    ]


def test_a_tokenizer_from_the_cache_has_the_same_notices(tmp_path, monkeypatch):
    monkeypatch.setenv("TEXTRNN_CACHE_DIR", str(tmp_path))
    messages: list[list[str]] = [[], []]
    for run_messages in messages:
        Tokenizer.train(TEXTS, TokenizerConfig(vocab_size=5000), progress=run_messages.append)
    assert messages[0][1:] == messages[1][1:] != []
    assert messages[1][0] == "reading the tokenizer from the cache"


@pytest.mark.thorough
def test_some_sentences_without_spaces_among_words_are_reported():
    texts = ["the film was great and the play was bad"] * 4 + ["我们今天很喜欢这本书"]
    _, notices = train(texts, piece_type="word")
    assert len(notices) == 1
    assert notices[0].endswith("choose the `piece_type` unigram or char.")
