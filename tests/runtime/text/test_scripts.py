import pytest
import unspaced

from textrnn.runtime.text.scripts import SENTENCE_END, UNSPACED, count_unspaced_words, count_words


@pytest.mark.parametrize(
    "text", ["", " a  word, don't\tstop ", "هذا الكتاب جميل", "한국어 문장은 띄어 씁니다"]
)
def test_words_stand_between_spaces(text):
    assert count_words(text) == len(text.split())
    assert count_unspaced_words(text) == 0


@pytest.mark.parametrize("script", ["chinese", "japanese", "thai"])
def test_words_are_counted_without_spaces(script):
    _, *lists = unspaced.WORDS[script]
    words = [word for word_list in lists for word in word_list if len(word) > 1]
    assert len(words) / 2 < count_words("".join(words)) < 2.5 * len(words)


def test_words_of_several_scripts_are_counted_together():
    assert count_words("我喜欢 iPhone手机, really") == pytest.approx(5 / 1.6 + 2)
    assert count_words("我 喜欢 手机") == pytest.approx(5 / 1.6)


@pytest.mark.parametrize("text", [*"我々かカｶㄅกກཀကក\U00020000"])
def test_scripts_without_spaces_are_known(text):
    assert UNSPACED.fullmatch(text)


@pytest.mark.parametrize("text", [*"aé1Ａ。，가ㄱяअب \u3000"])
def test_other_characters_are_none_of_them(text):
    assert not UNSPACED.search(text)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two!? 3.5 “Yes.” x", ["One. ", "Two!? ", "3.5 “Yes.” "]),
        ("很好。“真的！”他说？！对。", ["很好。", "“真的！”", "他说？！"]),
        ("好快!俺没赶上!:(", ["好快!"]),
        ("一\n二。 三", ["一\n", "二。 "]),
        ("ठीक है। अच्छा", ["ठीक है। "]),
        ("هل هذا جميل؟ نعم", ["هل هذا جميل؟ "]),
        ("www.例子.com v2.0", []),
    ],
)
def test_sentences_end_where_what_follows_is_known(text, sentences):
    words, begin = [], 0
    for match in SENTENCE_END.finditer(text):
        words.append(text[begin : match.end()])
        begin = match.end()
    assert words == sentences
