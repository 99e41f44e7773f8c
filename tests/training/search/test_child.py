import subprocess

import pytest

from textrnn.training.search.child import train_child


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
