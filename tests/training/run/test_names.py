"""Trainings on files of any name."""

import io
import os
import sys
from pathlib import Path

import pytest
from rich.console import Console
from tiny import QUIET, RUN_FILES, labelled_texts, names, run_config, stop_after, write_csv

from textrnn.inference import run_folder
from textrnn.messages.terminal import TerminalReporter
from textrnn.progress import Reporter
from textrnn.training.run.classifier import find_learning_rate, train

pytestmark = [
    pytest.mark.usefixtures("cache"),
    pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes"),
]
each_name = pytest.mark.parametrize(
    "name",
    [
        b"rev\xff",
        *(
            pytest.param(name, marks=pytest.mark.thorough)
            for name in [
                b"reviews $100_to_$200",
                "评论".encode(),
                b"tab\tnew\nline",
                b"a|b `c` [x](y)",
            ]
        ),
    ],
)


@pytest.fixture(autouse=True)
def quick_curves() -> None:
    """The names stand in the pictures, which are therefore drawn."""


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def reporter(log) -> Reporter:
    return TerminalReporter(Console(file=log, highlight=False))


def place(folder: Path, name: bytes) -> Path:
    """The path of a name, which may be no Unicode."""
    return folder / os.fsdecode(name)


@pytest.mark.thorough
@pytest.mark.usefixtures("eagerly")
@each_name
def test_a_run_of_any_name_can_be_interrupted_and_finished(name, tmp_path, reporter, log):
    data = write_csv(place(tmp_path, name + b".csv"), labelled_texts(40))
    run = place(tmp_path, name)
    config = run_config(data, epochs=2, checkpoint_minutes=0.0)
    with pytest.raises(KeyboardInterrupt):
        train(config, run, reporter=QUIET, should_stop=stop_after(7))
    assert run_folder.load_config(run / "config.yaml") == config
    assert train(config, run, reporter=reporter, resume=True)
    assert names(run) == RUN_FILES
    assert any((run / "tensorboard").iterdir())
    assert "warning" not in log.getvalue()
    assert run_folder.load(run).metrics["training"]["epochs"] == 2


def test_a_range_test_of_any_name(tmp_path, reporter, log):
    data = write_csv(place(tmp_path, b"rev\xff $a_$.csv"), labelled_texts(40))
    run = place(tmp_path, b"run\xff")
    assert find_learning_rate(run_config(data), run, reporter=reporter).suggestion > 0
    assert "find_lr.png" in names(run)
    assert "warning" not in log.getvalue()
