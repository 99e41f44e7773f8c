import gzip
import io
import json
from pathlib import Path

import click
import pytest

from textrnn.cli.text_options import TextOptions
from textrnn.cli.texts import BadRow, TextSource, printable
from textrnn.config.data import DataConfig
from textrnn.errors import ConfigError, DataError

TEXTS = ["a x b", "y", "c c x", "b y"]


class Log:
    """A reporter that remembers its messages."""

    def __init__(self):
        self.messages = []

    def message(self, text):
        self.messages.append(text)


@pytest.fixture
def stdin(monkeypatch):
    def write(content: bytes):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))

    return write


def read(*texts, data=None, **options):
    return list(TextSource(TextOptions(texts, **options)).read(data or DataConfig()))


def answer(source, data=None):
    """Answers each text by its length; gives the printed lines, bad rows by their reason."""
    log, texts = Log(), source.read(data or DataConfig())

    def line(answer):
        return f"bad: {answer.reason}" if isinstance(answer, BadRow) else str(answer)

    source.print_answers(map(len, texts), line, reporter=log)
    return log.messages


def test_texts_are_arguments():
    assert read("a", "b c") == ["a", "b c"]


def test_lines_of_stdin_are_texts(stdin):
    stdin("\n".join(TEXTS).encode() + b"\r\n\n x\n")
    assert read("-") == [*TEXTS, "", " x"]
    stdin(b"x\n")
    assert read(file=Path("-")) == ["x"]
    stdin(b"")
    assert read("-") == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("texts.txt", "\n".join(TEXTS) + "\n"),
        ("texts.csv", "id,text\n" + "".join(f'{i},"{t}"\n' for i, t in enumerate(TEXTS))),
        ("texts.tsv", "text\tid\n" + "".join(f"{t}\t{i}\n" for i, t in enumerate(TEXTS))),
        ("texts.jsonl", "".join(json.dumps({"text": t}) + "\n" for t in TEXTS)),
        ("texts.txt.gz", "\n".join(TEXTS)),
    ],
)
def test_rows_of_a_file_are_texts(home, name, content):
    packed = gzip.compress(content.encode()) if name.endswith(".gz") else content.encode()
    (home / name).write_bytes(packed)
    assert read(file=home / name) == TEXTS


def test_a_file_is_read_as_the_run_s_data_or_as_the_options_say(home):
    (home / "a.csv").write_bytes("id;wörter\n1;é x\n".encode("latin-1"))
    run = DataConfig(text_column="wörter", encoding="latin-1")
    assert read(file=home / "a.csv", data=run) == ["é x"]
    assert read(file=home / "a.csv", text_column="wörter", encoding="latin-1") == ["é x"]


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        (None, "x ü\n".encode("latin-1")),
        ("utf-8", "\ufeffx ü\n".encode()),
        ("utf-16", "x ü\n".encode("utf-16")),
    ],
)
def test_stdin_is_read_in_the_run_s_encoding_or_the_given_one(stdin, encoding, content):
    stdin(content)
    assert read("-", encoding=encoding, data=DataConfig(encoding="latin-1")) == ["x ü"]


def test_wrong_bytes_and_encodings_are_errors(stdin):
    stdin(b"x\ny \xfc\n")
    with pytest.raises(DataError, match="stdin:2: expected utf-8 text, got the byte 0xfc"):
        read("-")
    with pytest.raises(ConfigError, match="`encoding` must be"):
        read("-", encoding="utf-5")


def test_the_options_are_checked_at_once():
    with pytest.raises(click.UsageError):
        TextSource(TextOptions())


def test_bytes_that_are_no_text_become_replacement_characters():
    assert printable("\udcff x") == "\ufffd x"
    assert printable("y\ud83d") == "y\ufffd"
    assert printable("é 😀") == "é 😀"


# Answers


def test_answers_are_printed_in_order(capsys):
    assert answer(TextSource(TextOptions(("ab", "c")))) == []
    assert capsys.readouterr().out == "2\n1\n"


def test_a_bad_row_is_an_error_after_the_answers_before(home, capsys):
    (home / "a.csv").write_text("text;id\nx;1\nyy;2\nx;3;4\ny;5\n")
    with pytest.raises(DataError, match=r"a.csv:4: expected 2 columns, got 3"):
        answer(TextSource(TextOptions(file=home / "a.csv")))
    assert capsys.readouterr().out == "1\n2\n"


def test_a_bad_row_has_its_place_if_it_is_skipped(home, capsys):
    (home / "a.csv").write_text("text;id\nx;3;4\nxx;1\n\nx;3;4\nyyy;2\nx;3;4\n")
    messages = answer(TextSource(TextOptions(file=home / "a.csv", skip_bad_rows=True)))
    lines = capsys.readouterr().out.splitlines()
    assert [line[:4] for line in lines] == ["bad:", "2", "bad:", "3", "bad:"]
    assert "a.csv:2: expected 2 columns, got 3" in lines[0]
    assert any("1 blank line skipped" in message for message in messages)


def test_blank_texts_are_noted(stdin):
    stdin(b"x\n\n  \n")
    assert answer(TextSource(TextOptions(("-",)))) == [
        "note: 2 texts are blank; the answer to a blank text is the answer to no words."
    ]
    stdin(b"\n")
    (note,) = answer(TextSource(TextOptions(("-",))))
    assert note.startswith("note: 1 text is blank")


def test_a_text_that_is_the_name_of_a_file_is_noted(home):
    (home / "texts.txt").write_text("x")
    assert answer(TextSource(TextOptions(("texts.txt",)))) == [
        "note: the text is the name of a file; to read the file, pass --file texts.txt."
    ]


def test_no_text_at_all_is_noted(home):
    (home / "texts.txt").write_text("")
    source = TextSource(TextOptions(file=home / "texts.txt"))
    assert answer(source) == ["note: there is no text to answer."]
