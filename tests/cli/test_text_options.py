from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from textrnn.cli.text_options import TextOptions, text_options
from textrnn.config.data import DataConfig
from textrnn.errors import ConfigError, DataError


def test_a_command_receives_them_as_one_object():
    received = []

    @click.command()
    @text_options
    def command(source):
        received.append(source)

    arguments = ["a", "b", "--encoding", "latin-1", "--skip-bad-rows"]
    CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert received == [TextOptions(("a", "b"), encoding="latin-1", skip_bad_rows=True)]


@pytest.mark.parametrize(
    "options",
    [
        TextOptions(),
        TextOptions(("x",), file=Path("texts.txt")),
        TextOptions(("-", "more")),
    ],
)
def test_texts_come_from_one_place(options):
    with pytest.raises(click.UsageError, match="give either TEXTS, or - for stdin, or --file"):
        options.check()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (TextOptions(("x",), encoding="latin-1"), "--encoding has no meaning for texts that are"),
        (TextOptions(("x",), text_column="a"), "--text-column has no meaning for texts that are"),
        (TextOptions(("-",), text_join=" "), "--text-join has no meaning for stdin, which has no"),
        (
            TextOptions(file=Path("a.parquet"), delimiter=";"),
            "--delimiter has no meaning for a.par",
        ),
        (TextOptions(("-",), text_column="a"), "--text-column has no meaning for stdin, which has"),
        (TextOptions(file=Path("a.txt"), delimiter=";"), "--delimiter has no meaning for a.txt"),
        (TextOptions(file=Path("a.jsonl"), delimiter=";"), "--delimiter has no meaning for a.json"),
    ],
)
def test_an_option_without_meaning_is_refused(options, message):
    with pytest.raises(click.UsageError, match=message):
        options.check()


def test_a_missing_file_is_named():
    with pytest.raises(DataError, match=r"none.txt: expected a file, got none"):
        TextOptions(file=Path("none.txt")).check()


def test_stdin_may_be_named_as_argument_or_as_file():
    for options in (TextOptions(("-",)), TextOptions(file=Path("-"))):
        options.check()
        assert options.path == Path("-")
    assert TextOptions(("x",)).path is None


def test_the_run_s_data_hold_where_the_options_say_nothing():
    data = DataConfig(text_column="words", encoding="latin-1", delimiter=";", label_column="class")
    expected = ("words", "latin-1", ";", "class")
    file_format = TextOptions().file_format(data)
    assert (
        file_format.text_column,
        file_format.encoding,
        file_format.delimiter,
        file_format.label_column,
    ) == expected
    file_format = TextOptions(text_column="a", encoding="utf-8", delimiter="tab").file_format(data)
    assert (file_format.text_column, file_format.encoding, file_format.delimiter) == (
        "a",
        "utf-8",
        "\t",
    )


def test_a_delimiter_is_one_character():
    with pytest.raises(ConfigError, match="`delimiter` must be one character"):
        TextOptions(delimiter="ab").file_format(DataConfig())


def test_files_may_be_a_pattern(home):
    with pytest.raises(DataError, match=r"\*\.csv: expected files that match this pattern"):
        TextOptions(file=Path("*.csv")).check()
    (home / "a.csv").write_text("text\n")
    TextOptions(file=Path("*.csv"), delimiter=";").check()


def test_the_texts_of_several_columns_are_joined_as_in_the_run_or_as_the_option_says():
    data = DataConfig(text_column="title,body", text_join=" - ")
    assert TextOptions().file_format(data).text_join == " - "
    assert TextOptions(text_join=r"\n").file_format(data).text_join == "\n"
