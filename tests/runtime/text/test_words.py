import itertools
import unicodedata

import numpy as np
import pytest
import unspaced

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.runtime.text.words import Word, merge_words, word_groups
from textrnn.text.tokenizer import Tokenizer

CORPUS = ["the striker scored twice in the second half of the film", "don't, say well-known 我们"]
TEXTS = [
    ("The film scored.", ["The", "film", "scored", "."]),
    ("  don't\t STOP — now! ", ["don", "'", "t", "STOP", "—", "now", "!"]),
    ("one<br />two <br/> three", ["one", "two", "three"]),
    ("ﬁlm e\u0301t \U0001f600", ["ﬁlm", "e\u0301t", "\U0001f600"]),
    ("", []),
    (" \n ", []),
]


@pytest.fixture(scope="module", params=["unigram", "char", "byte"])
def tokenizer(request) -> Tokenizer:
    size = 300 if request.param == "byte" else 60
    config = TokenizerConfig(piece_type=request.param, vocab_size=size)
    return Tokenizer.train(CORPUS * 20, config, cache=False)


def words_of(tokenizer, text, scores=None):
    spans = tokenizer.spans(text)
    assert len(spans) == len(tokenizer.encode(text))
    scores = np.arange(len(spans)) if scores is None else scores
    groups = word_groups(text, spans)
    return merge_words(text, spans, groups=groups, scores=scores), len(spans)


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_words_stand_where_the_text_has_them(tokenizer, text, expected):
    words, _ = words_of(tokenizer, text)
    assert [word.text for word in words if not word.text.isspace()] == expected
    for word in words:
        assert text[word.start : word.end] == word.text


@pytest.mark.parametrize("text", [text for text, _ in TEXTS] + ["我们 film我们", "a" * 70])
def test_every_token_is_in_one_word_and_no_score_is_lost(tokenizer, text):
    words, count = words_of(tokenizer, text)
    assert [i for word in words for i in range(word.first, word.stop)] == list(range(count))
    assert sum(word.score for word in words) == pytest.approx(sum(range(count)))
    for first, second in itertools.pairwise(words):
        assert first.end <= second.start


def test_wide_characters_are_words_of_their_own():
    spans = [(0, 1), (1, 2), (2, 3), (3, 5)]
    assert word_groups("我们是ab", spans) == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert word_groups("abcde", spans) == [(0, 4)]


UNSPACED = [
    ("我喜欢 iPhone手机，好", ["我", "喜", "欢", "iPhone", "手", "机", "，", "好"]),
    ("ｶﾞﾗｽです", ["ｶﾞ", "ﾗ", "ｽ", "で", "す"]),
    ("ที่นี้ดี", ["ที่", "นี้", "ดี"]),
    ("한국어 문장ＡＢＣ", ["한국어", "문장ＡＢＣ"]),
    ("مُدُن جميلة", ["مُدُن", "جميلة"]),
]


@pytest.mark.parametrize(("text", "expected"), UNSPACED)
@pytest.mark.parametrize("piece_type", ["char", "byte"])
def test_characters_of_scripts_without_spaces_are_words(piece_type, text, expected):
    config = TokenizerConfig(piece_type=piece_type)
    tokenizer = Tokenizer.train([text for text, _ in UNSPACED], config, cache=False)
    words, _ = words_of(tokenizer, text)
    assert [word.text for word in words] == expected


@pytest.mark.parametrize("script", ["chinese", "japanese", "thai", "mixed"])
def test_sentences_without_spaces_are_explained_piece_by_piece(script):
    texts = unspaced.texts(script)
    tokenizer = Tokenizer.train(texts, TokenizerConfig(), cache=False)

    def pieces(word: Word, text: str) -> list[str]:
        inside = tokenizer.pieces(text)[word.first : word.stop]
        return [piece for piece in inside if piece != "▁"]

    for text in texts:
        words, count = words_of(tokenizer, text)
        assert [i for word in words for i in range(word.first, word.stop)] == list(range(count))
        assert len(words) > 1
        for word in words:
            marks = sum(unicodedata.category(piece[0])[0] == "M" for piece in pieces(word, text))
            assert len(pieces(word, text)) - marks == 1 or word.text.isascii()


def test_the_bytes_of_a_character_are_together():
    spans = [(0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 2)]
    assert word_groups("我们", spans) == [(0, 3), (3, 6)]
    assert word_groups("我们", spans[:5]) == [(0, 5)], "cut within a character"


def test_a_word_is_plain_values():
    (word,) = merge_words("ab", [(0, 1), (1, 2)], groups=[(0, 2)], scores=np.array([0.25, 0.5]))
    assert word.to_dict() == {"text": "ab", "start": 0, "end": 2, "score": 0.75}
