import pytest

from textrnn.runtime.text.unicode import valid_unicode


@pytest.mark.parametrize("text", ["", "plain", "café 北京 \U0001f600", "\0"])
def test_valid_text_stays(text):
    assert valid_unicode(text) == text


def test_each_lone_surrogate_becomes_a_replacement_character():
    assert valid_unicode("a\ud83d\udce9b") == "a\ufffd\ufffdb"
    valid_unicode("\udfff").encode()
