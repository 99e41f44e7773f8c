"""Commands report wrong options and paths before they import TensorFlow, and leave no files."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from click.testing import CliRunner
from textrnn.cli.main import main
for line in sys.stdin.read().splitlines():
    result = CliRunner().invoke(main, line.split("\\t"))
    heavy = {"tensorflow", "keras"} & set(sys.modules)
    print(result.exit_code, sorted(heavy), result.output.replace("\\n", " "), sep="|")
"""

WRONG = {
    ("train", "--dropout", "1.5"): "--dropout must be less than 1.0, got 1.5",
    ("train", "--train-file", "none.csv"): "none.csv: expected a file, got none",
    ("train", "--config", "none.yaml"): "none.yaml: expected a file of settings",
    ("train", "--delimiter", "ab"): "--delimiter must be one character",
    ("tune", "--train-file", "none.csv"): "none.csv: expected a file, got none",
    ("compare", "--vary", "head=last", "--train-file", "none.csv"): "none.csv: expected a file",
    ("pretrain", "--text-file", "none.txt"): "none.txt: expected a file, got none",
    ("pretrain", "--dropout", "1.5"): "--dropout must be less than 1.0, got 1.5",
    ("predict", "runs/nope", "x"): "runs/nope: expected a run folder, found none; make one by",
    ("evaluate", "runs/nope"): "runs/nope: expected a run folder, found none; make one by",
    ("explain", "runs/nope", "x"): "runs/nope: expected a run folder, found none; make one by",
    ("report", "runs/nope"): "runs/nope: expected a run folder, found none; make one by",
    ("compare", "runs/nope", "runs/no"): "runs/nope: expected a run folder, found none; make one",
    ("export", "runs/nope"): "runs/nope: expected a run folder, found none; make one by",
    ("score", "runs/nope", "x"): "runs/nope: expected a run folder, found none; make one by",
}


def test_errors_in_options_and_paths_need_no_tensorflow(home):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input="\n".join("\t".join(arguments) for arguments in WRONG),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    for line, message in zip(lines, WRONG.values(), strict=True):
        code, heavy, output = line.split("|", 2)
        assert (code, heavy) == ("1", "[]"), line
        assert message in output
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "meant"), [("prdict", "predict"), ("trian", "train"), ("evalute", "evaluate")]
)
def test_a_misspelt_command_gets_a_suggestion(textrnn, typed, meant):
    assert f"No such command '{typed}'. Did you mean {meant}" in textrnn(typed, code=2).stderr


def test_a_misspelt_run_gets_a_suggestion(textrnn, finished, home):
    (home / "runs").mkdir()
    (home / "runs" / "letters").symlink_to(finished.folder)
    result = textrnn("predict", "runs/lettres", "x", code=1)
    assert "or name one of runs/letters." in result.stderr
    result = textrnn("predict", "runs", "x", code=1)
    assert "name one of the runs in it: runs/letters." in result.stderr


@pytest.mark.parametrize("content", ["text,label\n", "text,label\nx,a\n", "id\n1\n"])
def test_a_start_that_fails_leaves_no_folder(textrnn, home, content):
    (home / "bad.csv").write_text(content)
    textrnn("train", "--train-file", "bad.csv", code=1)
    assert not Path("runs").exists()
    Path("kept").mkdir()
    textrnn("train", "--train-file", "bad.csv", "--output", "kept/run", code=1)
    assert Path("kept").is_dir()
    assert list(Path("kept").iterdir()) == []


def test_a_shell_completes_the_options_that_are_paths():
    from click.shell_completion import ShellComplete

    from textrnn.cli.main import main

    for command, option in [("train", "--train-file"), ("tune", "--test-file")]:
        complete = ShellComplete(main, {}, "textrnn", "_TEXTRNN_COMPLETE")
        (completion,) = complete.get_completions([command, option], "")
        assert completion.type == "file"


def test_a_folder_that_tfds_is_to_make_need_not_exist(textrnn):
    result = textrnn("train", "--dataset", "no_such_set", "--data-dir", "new", code=1)
    assert "expected a name that TFDS knows" in result.stderr
