import os

import pytest

from textrnn.cli.stdin_pieces import stdin_pieces, utf8_pieces
from textrnn.errors import ConfigError


def test_another_encoding_becomes_utf_8_however_the_text_is_cut():
    content = "\ufeffétés. Bien.".encode("utf-16")
    pieces = [content[i : i + 3] for i in range(0, len(content), 3)]
    assert b"".join(utf8_pieces(pieces, "utf-16")) == "étés. Bien.".encode()
    assert b"".join(utf8_pieces([b"\xe9t\xe9"], "latin-1")) == "été".encode()


def test_wrong_bytes_are_noted_once(capsys):
    assert b"".join(utf8_pieces([b"a\xe9", b"b\xe9"], "utf-8")).decode() == "a\ufffdb\ufffd"
    assert capsys.readouterr().err.count("are not valid utf-8") == 1


def test_a_cut_character_at_the_end_is_wrong_too(capsys):
    assert b"".join(utf8_pieces(["é".encode()[:1]], "utf-8")).decode() == "\ufffd"
    assert "note: " in capsys.readouterr().err


def test_an_unknown_encoding_is_an_error():
    with pytest.raises(ConfigError, match="`encoding` must be a text encoding"):
        list(utf8_pieces([b"a"], "utf-5"))


def test_stdin_arrives_in_pieces(monkeypatch):
    read, write = os.pipe()
    with os.fdopen(read) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        pieces = stdin_pieces()
        os.write(write, b"one")
        assert next(pieces) == b"one"
        os.write(write, b"two")
        assert next(pieces) == b"two"
        os.close(write)
        assert list(pieces) == []
