"""Text files in any encoding, and files that are not text."""

import codecs
import gzip

import pytest

from textrnn.data import opening
from textrnn.data.opening import open_text
from textrnn.errors import ConfigError, DataError


def read(path, encoding="utf-8"):
    with open_text(path, encoding, newline="") as file:
        return file.read()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_text_is_read_without_its_byte_order_mark(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_text("é\r\n", encoding=encoding, newline="")
    assert read(path, encoding) == "é\r\n"


def test_compressed_text_is_read(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress("é".encode()))
    assert read(path) == "é"


def test_other_bytes_become_lone_surrogates(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"caf\xe9")
    assert read(path) == "caf\udce9"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"a", mtime=0), "got data compressed by gzip; give its name the ending .gz"),
        (b"PK\x03\x04...", "got an Excel, Word or zip file"),
        (b"PAR1", "got a Parquet file"),
        (b"%PDF-1.7", "got a PDF"),
    ],
)
def test_a_file_that_is_not_such_text_says_what_it_is(tmp_path, content, message):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(path)


def test_a_missing_file_and_an_unknown_encoding_are_errors(tmp_path):
    with pytest.raises(DataError, match=r"a\.txt: expected a file, got none; check the path"):
        read(tmp_path / "a.txt")
    with pytest.raises(ConfigError, match=r"`encoding` must be a text encoding .*'klingon'"):
        read(tmp_path / "a.txt", "klingon")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_has_precedence_over_the_default(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_text("é\r\n", encoding=encoding, newline="")
    assert read(path) == "é\r\n"


@pytest.mark.parametrize("marked", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_that_contradicts_the_encoding_is_an_error(tmp_path, marked):
    path = tmp_path / "a.txt"
    path.write_text("a", encoding=marked)
    with pytest.raises(
        DataError, match=r"got the byte order mark of (utf-\d+); set `encoding='\1'`"
    ):
        read(path, "latin-1")


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_the_mark_of_utf_8_before_other_text_is_an_error_with_a_way_out(tmp_path, name):
    content = codecs.BOM_UTF8 + "text\nschön\n".encode("latin-1")
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    message = r"mark of utf-8, but line 2 is not utf-8 \(probably latin-1\); save the file again"
    with pytest.raises(DataError, match=message):
        read(path, "latin-1")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "gbk"])
def test_utf8_is_not_read_as_another_encoding(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_text("a caf\u00e9 \u65e5\u672c", encoding="utf-8")
    with pytest.raises(DataError, match="got UTF-8, in which the word 'caf\u00e9' is; set `enc"):
        read(path, encoding)


@pytest.mark.parametrize(("text", "encoding"), [("plain", "cp1252"), ("\u00e9t\u00e9", "latin-1")])
def test_text_of_the_encoding_is_read(tmp_path, text, encoding):
    path = tmp_path / "a.txt"
    path.write_text(text, encoding=encoding)
    assert read(path, encoding) == text


def test_a_character_that_is_cut_at_the_end_is_no_other_encoding(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "_LOOKED_AT", 6)
    path = tmp_path / "a.txt"
    path.write_text("\u00e9\u00e9 \u00e9", encoding="utf-8")
    with pytest.raises(DataError, match="got UTF-8"):
        read(path, "cp1252")
