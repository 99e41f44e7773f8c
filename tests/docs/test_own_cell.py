"""The page about own cells does what it says, block by block."""

import contextlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny import TRAINING, labelled_texts, write_csv

import textrnn
from textrnn.export.options import ExportOptions

PAGE = Path(__file__).parents[2] / "docs" / "own_cell.md"
SMALL = {**TRAINING, "vocab_size": 60, "units": 4, "embedding_units": 4, "epochs": 1}
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """A working folder with the page's module and a small table of reviews."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "my_cells.py").write_text(BLOCKS[0], encoding="utf-8")
    write_csv(tmp_path / "reviews.csv", labelled_texts(40))
    yield tmp_path
    sys.modules.pop("my_cells", None)


def run(*blocks: str) -> list[str]:
    """The lines that some blocks of the page print."""
    printed = io.StringIO()
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(printed):
        for block in blocks:
            exec(compile(block, str(PAGE), "exec"), names)
    return printed.getvalue().splitlines()


def test_the_module_is_short_and_the_layers_run(folder):
    assert BLOCKS[0].startswith("# my_cells.py")
    assert len(BLOCKS[0].splitlines()) <= 30
    assert run(BLOCKS[1]) == ["(2, 7, 16)", "(2, 32)"]


@pytest.mark.slow
def test_a_classifier_with_the_cell_trains_streams_and_exports(folder, monkeypatch):
    train, export = textrnn.train, textrnn.export
    small = {**SMALL, "dataset": None, "train_file": "reviews.csv"}
    monkeypatch.setattr(textrnn, "train", lambda **given: train(**{**given, **small}))
    options = ExportOptions(
        ("saved_model", "tflite", "stream", "onnx"), lengths=(16,), precisions=()
    )
    monkeypatch.setattr(textrnn, "export", lambda path: export(path, options=options))
    first, second, *files = run(BLOCKS[1], BLOCKS[2])[2:]
    assert first == second
    assert first in ("neg", "pos")
    assert [line.split()[1] for line in files] == ["verified"] * 4
    written = (folder / "runs/python/config.yaml").read_text()
    assert "cell: mine>LeakyCell" in written
    assert "imports: my_cells" in written


@pytest.mark.process
def test_the_command_line_trains_with_the_cell_and_predicts_in_another_process(folder, monkeypatch):
    monkeypatch.delenv("PYTHONPATH")
    _, commands = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    train, predict = commands.replace("\\\n", "").splitlines()
    train = train.replace("--dataset bbc_news", "--train-file reviews.csv")
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items() if value]
    for command in (f"{train} {' '.join(options)}", predict):
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.split("\t")[0] in ("neg", "pos")
