"""Commands that use a run read new data by the settings of the run's own data."""

import json
import shutil
from pathlib import Path

import pytest
from tiny import labelled_texts

from textrnn.inference.run_files import CONFIG

TINY = (
    *("--cell", "none", "--embedding-units", "4", "--vocab-size", "60", "--batch-texts", "8"),
    *("--learning-rate", "0.1", "--epochs", "4"),
)
NAMES = {"neg": "été", "pos": "hiver"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of a Latin-1 table with its own columns, trained from another folder."""
    from click.testing import CliRunner

    from textrnn.cli.main import main

    home = tmp_path_factory.mktemp("trained")
    for name, seed in (("train", 0), ("test", 1)):
        texts = labelled_texts(40, seed=seed)
        rows = [f"{i};{text} ü;{NAMES[label]}\n" for i, (text, label) in enumerate(texts)]
        (home / f"{name}.csv").write_text("id;Wörter;Klasse\n" + "".join(rows), encoding="latin-1")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("TEXTRNN_CACHE_DIR", str(home / "cache"))
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        arguments = ("train", "--train-file", "train.csv", "--test-file", "test.csv")
        arguments += ("--text-column", "Wörter", "--label-column", "Klasse")
        result = CliRunner().invoke(
            main, [*arguments, "--encoding", "latin-1", "--output", "run", *TINY]
        )
    assert result.exit_code == 0, result.output
    return home


@pytest.fixture
def run(trained, home):
    """The run, in the folder `home`, which is not that of its data."""
    return Path(shutil.copytree(trained / "run", home / "run"))


def answers(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_evaluate_finds_the_run_s_data_from_any_folder(textrnn, trained, run):
    measured = json.loads(textrnn("evaluate", run, "--json").stdout)
    assert measured["texts"] == 40
    assert set(measured["per_class"]) == {"été", "hiver"}
    textrnn("train", "--config", run / CONFIG, "--output", "again")


def test_data_that_is_gone_is_told_with_where_its_path_came_from(textrnn, trained, run):
    moved = (trained / "test.csv").rename(trained / "moved.csv")
    try:
        for command in (["evaluate"], ["report"]):
            result = textrnn(*command, run, code=1)
            assert result.stderr == (
                f"textrnn: error: {run}: expected the test data that the run was trained with, "
                f"{trained / 'test.csv'} (from {run / CONFIG}), got no such file; put it back, or "
                "name the data by `test_file`.\n"
            )
        again = textrnn("train", "--config", run / CONFIG, "--output", "again", code=1)
        assert f"(`test_file` of {run / CONFIG}): expected a file, got none" in again.stderr
        assert json.loads(textrnn("evaluate", run, "--test-file", moved, "--json").stdout)
    finally:
        moved.rename(trained / "test.csv")


def test_data_that_changed_is_noticed(textrnn, trained, run):
    path = trained / "test.csv"
    before = path.read_bytes()
    try:
        path.write_bytes(before + "99;x ü;hiver\n".encode("latin-1"))
        noticed = "the test data has changed since the run was trained (40 texts then, 41 now)"
        assert noticed in textrnn("evaluate", run).stderr
        other = shutil.copytree(run, "other")
        assert noticed in textrnn("compare", run, other).stderr
    finally:
        path.write_bytes(before)
    assert "changed" not in textrnn("evaluate", run).stderr


def test_validation_texts_of_a_changed_training_file_are_refused(textrnn, trained, run):
    path = trained / "train.csv"
    before = path.read_bytes()
    try:
        path.write_bytes(before + "99;x x ü;hiver\n".encode("latin-1"))
        for command in (["evaluate", run, "--split", "validation"], ["export", run]):
            result = textrnn(*command, code=1)
            assert "the validation data has changed since the run was trained" in result.stderr
            assert "restore the file" in result.stderr
    finally:
        path.write_bytes(before)


def test_predict_reads_files_as_the_run_s_own(textrnn, trained, run):
    result = textrnn("predict", run, "--file", trained / "test.csv", "--json")
    assert [answer["text"] for answer in answers(result)] == [
        f"{text} ü" for text, _ in labelled_texts(40, seed=1)
    ]
    assert {answer["label"] for answer in answers(result)} == {"été", "hiver"}


def test_stdin_is_read_in_the_run_s_encoding_or_the_given_one(textrnn, run):
    for options, content in [
        ((), "x ü\n".encode("latin-1")),
        (("--encoding", "utf-8"), "\ufeffx ü\n".encode()),
        (("--encoding", "utf-16"), "x ü\n".encode("utf-16")),
    ]:
        (answer,) = answers(textrnn("predict", run, "-", "--json", *options, input=content))
        assert answer["text"] == "x ü"


def test_bytes_of_another_encoding_are_an_error(textrnn, run):
    result = textrnn("predict", run, "-", "--encoding", "utf-8", input=b"x\ny \xfc\nx\n", code=1)
    assert len(result.stdout.splitlines()) == 1
    assert "stdin:2: expected utf-8 text, got the byte 0xfc" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x", "--encoding", "latin-1"], "--encoding says nothing about texts that are given as"),
        (["x", "--text-column", "a"], "--text-column says nothing about texts that are given as"),
        (["-", "--text-column", "a"], "--text-column says nothing about stdin"),
        (["--file", "a.txt", "--delimiter", ";"], "--delimiter says nothing about a.txt"),
        (["--file", "a.jsonl", "--delimiter", ";"], "--delimiter says nothing about a.jsonl"),
    ],
)
def test_an_option_is_obeyed_or_refused(textrnn, run, arguments, message):
    assert message in textrnn("predict", run, *arguments, code=2).stderr


def test_rows_that_cannot_be_read_are_an_error_after_the_answers_before(textrnn, run, home):
    (home / "a.csv").write_text("Wörter;id\nx;1\ny;2\nx;3;4\ny;5\n", encoding="latin-1")
    result = textrnn("predict", run, "--file", "a.csv", code=1)
    assert [line.split("\t")[2] for line in result.stdout.splitlines()] == ["x", "y"]
    assert "a.csv:4: expected 2 columns, got 3" in result.stderr


def test_rows_that_cannot_be_read_have_an_empty_answer_on_demand(textrnn, run, home):
    (home / "a.csv").write_text("Wörter;id\n;0\nx;3;4\nx;1\n\ny;2\nx;3;4\n", encoding="latin-1")
    arguments = ("predict", run, "--file", "a.csv", "--skip-bad-rows")
    found = answers(textrnn(*arguments, "--json"))
    assert [answer["text"] for answer in found] == ["", None, "x", "y", None]
    assert "a.csv:3: expected 2 columns, got 3" in found[1]["error"]
    result = textrnn(*arguments)
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [len(line) for line in lines] == [3] * 5
    assert lines[1][:2] == ["", ""]
    assert "note: 1 text is blank" in result.stderr
    assert "1 blank line skipped" in result.stderr


def test_a_stream_is_read_in_its_encoding(tmp_path):
    from textrnn.cli.commands.predict import _utf8

    content = "\ufeffétés. Bien.".encode("utf-16")
    pieces = [content[i : i + 3] for i in range(0, len(content), 3)]
    assert b"".join(_utf8(pieces, "utf-16")) == "étés. Bien.".encode()
    assert b"".join(_utf8([b"\xe9t\xe9"], "latin-1")) == "été".encode()


def test_foreign_bytes_in_a_stream_are_noted(capsys):
    from textrnn.cli.commands.predict import _utf8

    assert b"".join(_utf8([b"a\xe9", b"b\xe9"], "utf-8")).decode() == "a\ufffdb\ufffd"
    assert capsys.readouterr().err.count("are no utf-8 text") == 1
