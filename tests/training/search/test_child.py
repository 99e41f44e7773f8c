import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from tiny import labelled_texts, run_config, write_csv

from textrnn.training.search.child import Ended, Training, carry_out, read_record, train_child


@pytest.mark.process
def test_a_training_that_fails_says_so_in_its_log(tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    code = train_child(tmp_path / "none.yaml", tmp_path / "run", log=log, options=("--no-test",))
    assert code == 1
    lines = log.read_text().splitlines()
    assert lines[0] == "before"
    assert "none.yaml: expected a file of settings" in lines[-1]


class Interrupted:
    """A process during whose training the user presses Ctrl-C."""

    def __init__(self, command, *, ends: bool, **files) -> None:
        self.ends = ends
        self.calls: list[tuple[str, float | None]] = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def wait(self, seconds=None):
        self.calls.append(("wait", seconds))
        if seconds is None:
            raise KeyboardInterrupt
        if not self.ends:
            raise subprocess.TimeoutExpired("train", seconds)

    def terminate(self):
        self.calls.append(("terminate", None))


@pytest.mark.parametrize("ends", [True, False])
def test_an_interrupted_training_may_end_by_itself(tmp_path, monkeypatch, ends):
    processes = []

    def start(command, **files):
        processes.append(Interrupted(command, ends=ends, **files))
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(KeyboardInterrupt):
        train_child(tmp_path / "c.yaml", tmp_path / "run", log=tmp_path / "log.txt", options=())
    names = [name for name, _ in processes[0].calls]
    assert names == ["wait", "wait"] + ([] if ends else ["terminate"])


class Ends:
    """Stands for the process of a training, which ends with each of these codes in turn."""

    def __init__(self, *codes: int) -> None:
        self.codes, self.calls = list(codes), 0

    def __call__(self, config, run, *, log, options):
        self.calls += 1
        return self.codes.pop(0)


def training(folder: Path, *, record: bool = True) -> Training:
    return Training(
        folder / "c.yaml",
        folder / "run",
        folder / "log",
        ("--no-test",),
        folder / "end.json" if record else None,
    )


@pytest.mark.parametrize("code", [0, 1])
def test_a_training_with_a_record_is_not_repeated(tmp_path, code):
    train = Ends(code)
    ended = carry_out(training(tmp_path), train)
    assert ended.code == code
    assert carry_out(training(tmp_path), train) == ended == read_record(tmp_path / "end.json")
    assert train.calls == 1


def test_a_training_without_a_record_is_repeated(tmp_path):
    train = Ends(1, 0)
    codes = [carry_out(training(tmp_path, record=False), train).code for _ in range(2)]
    assert codes == [1, 0]
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_was_killed_has_a_successor(tmp_path):
    train = Ends(-9, -9, 0)
    assert carry_out(training(tmp_path), train).code == 0
    assert carry_out(training(tmp_path / "b", record=False), train := Ends(-9, -9, -9)).code == -9
    assert train.calls == 3


def test_a_record_has_the_code_and_the_seconds(tmp_path):
    path = tmp_path / "end.json"
    assert read_record(path) is None
    path.write_text('{"code": 1, "seconds": 2.5}')
    assert read_record(path) == Ended(1, 2.5)


PARENT = """
import sys
from pathlib import Path
from textrnn.training.search.child import train_child
home = Path(sys.argv[1])
train_child(home / "c.yaml", home / "run", log=home / "log", options=("--resume-or-start",))
"""


@pytest.mark.slow
def test_a_training_whose_parent_was_killed_saves_a_checkpoint_and_ends(tmp_path):
    data = write_csv(tmp_path / "letters.csv", labelled_texts(200))
    config = run_config(data, epochs=100_000, patience=0, linear_baseline=False)
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config.to_dict()))
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)])
    log = tmp_path / "log"
    while not (log.is_file() and "epoch 1:" in log.read_text()):
        assert parent.poll() is None
        time.sleep(0.1)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(config.replace(epochs=1).to_dict()))
    # The next process waits for the lock, and finds the checkpoint.
    ended = carry_out(
        Training(tmp_path / "short.yaml", tmp_path / "run", log, ("--resume-or-start",)),
        train_child,
    )
    assert ended.code == 1
    lines = log.read_text().splitlines()
    assert any(line.startswith("saved; continue with: textrnn train --resume") for line in lines)
    assert "a run resumes only with unchanged settings" in lines[-1]
