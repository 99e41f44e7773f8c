"""The probable encoding of a file, as messages name it."""

import codecs
import gzip

import pytest

from textrnn.data.encodings import Guess, encoding_remedy, likely_encoding

GERMAN = (
    "Die Größe passt überhaupt nicht, schöne Farbe aber.\n"
    "Lieferung kam spät, die Verpackung war beschädigt.\n"
    "Sehr gutes Gerät, das würde ich jederzeit wieder kaufen!\n"
    "Bitte überweisen Sie die Rückerstattung auf mein Konto.\n"
)
TEXTS = {
    "cp1252": GERMAN,
    "cp1251": "Очень плохое качество, не советую.\nДоставка была быстрой, спасибо.\n",
    "koi8_r": "Очень плохое качество, не советую.\nДоставка была быстрой, спасибо.\n",
    "gb18030": "质量很差,不推荐购买。\n非常好的电影,推荐给大家。\n",
    "big5": "品質很差,不推薦購買。\n非常好的電影,推薦給大家。\n",
    "euc_kr": "품질이 매우 나쁩니다. 추천하지 않습니다.\n배송이 빨랐습니다.\n",
}


@pytest.mark.parametrize(("encoding", "text"), TEXTS.items())
def test_the_probable_encoding_is_named_with_a_word_in_it(tmp_path, encoding, text):
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,label\n" * 1000 + text.encode(encoding))
    guess = likely_encoding(path, encoding="utf-8")
    assert guess is not None
    assert guess.encoding == encoding
    assert guess.example
    assert guess.example in text


def test_a_compressed_file_is_looked_into(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(GERMAN.encode("cp1252")))
    assert likely_encoding(path, encoding="utf-8") == Guess("cp1252", "Größe")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_null_bytes_show_the_order_of_the_bytes(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\na film,pos\n".encode(encoding))
    assert likely_encoding(path, encoding="utf-8") == Guess(encoding)


def test_a_damaged_line_among_others_is_no_other_encoding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(GERMAN.encode() + "schön\n".encode("cp1252"))
    assert likely_encoding(path, encoding="utf-8") == Guess("")
    remedy = encoding_remedy(f"{path}:5", encoding="utf-8")
    assert remedy == "most other lines are utf-8, so correct this line"


def test_bytes_without_a_pattern_have_no_encoding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(range(0x80, 0x100)) * 20 + b"\n")
    assert encoding_remedy(str(path), encoding="utf-8") == (
        "save the file as utf-8, or name its encoding by `encoding`"
    )


@pytest.mark.parametrize("origin", ["stdin", "row 3", "missing.csv:7", "a\0b", ""])
def test_what_is_no_file_has_no_guess(origin):
    assert encoding_remedy(origin, encoding="utf-8").startswith("save the file as utf-8, or name")


def test_the_remedy_names_the_setting_and_shows_a_word(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(GERMAN.encode("cp1252"))
    assert encoding_remedy(f"{path}:2-3", encoding="utf-8") == (
        "the file looks like cp1252, in which it has 'Größe'; set `encoding='cp1252'`, or save it "
        "as utf-8"
    )


def test_the_mark_of_utf_8_before_other_text_cannot_be_answered_by_an_encoding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(codecs.BOM_UTF8 + b"text\n" + GERMAN.splitlines()[0].encode("cp1252"))
    assert encoding_remedy(f"{path}:2", encoding="utf-8") == (
        "the file begins with the byte order mark of utf-8, but is not utf-8 (probably cp1252); "
        "save it again in one encoding"
    )


def test_another_file_of_the_same_name_is_looked_into_again(tmp_path):
    path = tmp_path / "a.csv"
    for encoding in ("cp1252", "cp1251"):
        path.write_bytes(TEXTS[encoding].encode(encoding))
        assert f"looks like {encoding}" in encoding_remedy(str(path), encoding="utf-8")
