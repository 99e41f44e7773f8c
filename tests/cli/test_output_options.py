from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from textrnn.cli.output_options import OutputOptions, check_output_options, output_options
from textrnn.errors import DataError


@pytest.fixture
def texts(home):
    (home / "in.csv").write_text("text\na\n")
    return Path("in.csv")


def test_a_command_receives_them_as_one_object():
    received = []

    @click.command()
    @output_options
    def command(written):
        received.append(written)

    arguments = ["--output", "a.csv", "--top-k", "3", "--all-scores", "--explain-words", "2"]
    CliRunner().invoke(command, arguments, catch_exceptions=False)
    (written,) = received
    assert written == OutputOptions(Path("a.csv"), top_k=3, all_scores=True, explain_words=2)
    assert (written.columns.top_k, written.columns.explain_words) == (3, 2)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (OutputOptions(resume=True), "expected --output FILE with --resume, got none."),
        (OutputOptions(token_counts=True), "expected --output FILE with --token-counts, got none."),
        (
            OutputOptions(top_k=2, explain_words=1),
            "expected --output FILE with --top-k, --explain-words, got none; --json prints the "
            "scores of all labels.",
        ),
    ],
)
def test_options_of_a_file_need_one(written, message, texts):
    with pytest.raises(click.UsageError) as caught:
        check_output_options(written, texts)
    assert str(caught.value) == message
    check_output_options(OutputOptions(), None)


def test_a_file_of_answers_needs_a_file_of_texts():
    with pytest.raises(click.UsageError, match="--output needs --file"):
        check_output_options(OutputOptions(Path("a.csv")), None)
    with pytest.raises(click.UsageError, match="stdin cannot be read twice"):
        check_output_options(OutputOptions(Path("a.csv"), resume=True), Path("-"))
    check_output_options(OutputOptions(Path("a.csv")), Path("-"))


@pytest.mark.parametrize("name", ["a.xls", "a", "a.csv.gz", "a.txt"])
def test_the_extension_names_the_format(name, texts):
    with pytest.raises(DataError, match=r"expected the name of a \.csv, \.tsv, \.jsonl"):
        check_output_options(OutputOptions(Path(name)), texts)


def test_the_texts_are_not_overwritten(texts, home):
    (home / "link.csv").symlink_to(home / "in.csv")
    for name in ("in.csv", "../home/in.csv", "link.csv"):
        with pytest.raises(DataError, match="expected another file than that of the texts"):
            check_output_options(OutputOptions(Path(name)), Path("*.csv"))
