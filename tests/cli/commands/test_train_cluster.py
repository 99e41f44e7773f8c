"""`textrnn train --cluster` and `textrnn pretrain --cluster`."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

TINY = (
    *("--cell", "none", "--embedding-units", "4", "--vocab-size", "60", "--batch-texts", "8"),
    *("--learning-rate", "0.1", "--epochs", "1", "--deterministic"),
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--workers", "2"], "need --cluster"),
        (["pretrain", "--worker-cores", "2"], "need --cluster"),
        (["train", "--cluster", "auto", "--find-lr"], "--cluster excludes --find-lr"),
        (["train", "--cluster", "auto", "--workers", "0"], "Invalid value for '--workers'"),
    ],
)
def test_options_that_cannot_be(textrnn, arguments, message):
    assert message in textrnn(*arguments, code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cluster", "here"], "--cluster must be auto, local or ray://HOST:PORT, got 'here'"),
        (
            ["--cluster", "local", "--workers", "2", "--strategy", "single"],
            "several --workers train by the --strategy multiworker, got single",
        ),
        (["--cluster", "local", "--train-file", "none.csv"], "none.csv: expected a file, got none"),
    ],
)
def test_a_wrong_option_is_told_before_anything_starts(textrnn, arguments, message):
    result = textrnn("train", *arguments, code=1)
    assert message in result.stderr
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ([], "contains a finished run; choose another --output, or replace it by --overwrite"),
        (["--resume"], "contains a finished run; there is nothing to resume"),
    ],
)
def test_a_finished_run_is_found_before_anything_starts(textrnn, finished, home, option, message):
    run = home / "run"
    shutil.copytree(finished.folder, run)
    result = textrnn("train", "--cluster", "local", "--output", run, *option, code=1)
    assert message in result.stderr
    assert not (run / ".workers").exists()


@pytest.fixture
def call(home, monkeypatch):
    """Calls the command in a process of its own, as Ray needs it."""
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")

    def run(*arguments: object) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "textrnn", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    return run


@pytest.mark.slow
def test_one_worker_does_what_this_process_does(call, data):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    command = ("train", "--train-file", data, *TINY, "--json")
    here = call(*command, "--output", "here")
    there = call(*command, "--output", "there", "--cluster", "local", "--log-format", "json")
    assert (here.returncode, there.returncode) == (0, 0), there.stderr
    digests = [json.loads(Path(run, "digests.json").read_text()) for run in ("here", "there")]
    assert digests[0]["sha256"]["model.weights.h5"] == digests[1]["sha256"]["model.weights.h5"]
    first, second = json.loads(here.stdout), json.loads(there.stdout)
    assert second["run"] == "there"
    assert second["validation"] == first["validation"]
    events = [json.loads(line) for line in there.stderr.splitlines()]
    assert {"message", "epoch"} <= {event["event"] for event in events}
    assert sorted(os.listdir("here")) == sorted(os.listdir("there"))


@pytest.mark.slow
def test_errors_come_at_once_and_in_one_line(call, data):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    command = ("train", *TINY, "--cluster", "local", "--train-file")
    many = call(*command, data, "--workers", "99")
    assert (many.returncode, many.stdout) == (1, "")
    assert "textrnn: error: expected room for 99 workers of 1 core each, got a cl" in many.stderr
    assert "start more machines, or lower --workers or --worker-cores." in many.stderr
    wrong = call(*command, data, "--text-column", "nothing")
    assert wrong.returncode == 1
    assert "textrnn: error: worker 0 on" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    (log,) = Path("runs").glob("**/worker-0.log")
    assert f"(log: {log.absolute()})" in wrong.stderr
    assert "textrnn: error: " in log.read_text()


@pytest.mark.slow
def test_nothing_survives_a_killed_command_and_resume_continues(call, data):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    settings = ["train", "--train-file", data, *TINY, "--epochs", "100", "--patience", "0"]
    settings += ["--checkpoint-minutes", "0", "--cluster", "local", "--output", "run"]
    command = [sys.executable, "-m", "textrnn", *map(str, settings)]
    driver = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not any(Path("run").glob("checkpoints/update-*.npz")):
        assert driver.poll() is None
    with pytest.raises(filelock.Timeout):
        filelock.FileLock("run/.lock").acquire(timeout=0)
    driver.kill()
    driver.wait()
    with filelock.FileLock("run/.lock", timeout=60):  # Its worker has ended.
        pass
    done = call(*settings, "--resume", "--checkpoint-minutes", "5")
    assert done.returncode == 0, done.stderr
    assert "resuming after" in done.stderr
    assert Path("run/digests.json").exists()


@pytest.mark.slow
def test_a_cluster_elsewhere_trains_and_ctrl_c_stops_it(call, data, head):
    command = ("train", "--train-file", data, *TINY)
    assert call(*command, "--output", "here").returncode == 0
    there = call(*command, "--output", "there", "--cluster", head)
    assert there.returncode == 0, there.stderr
    digests = [json.loads(Path(run, "digests.json").read_text()) for run in ("here", "there")]
    assert digests[0]["sha256"]["model.weights.h5"] == digests[1]["sha256"]["model.weights.h5"]
    settings = [*command, "--epochs", "100000", "--patience", "0", "--output", "stopped"]
    typed = [sys.executable, "-m", "textrnn", *map(str, settings), "--cluster", head]
    driver = subprocess.Popen(typed, stderr=subprocess.PIPE, text=True)
    assert driver.stderr is not None
    while not driver.stderr.readline().startswith("epoch 2:"):
        assert driver.poll() is None
    driver.send_signal(signal.SIGINT)
    _, said = driver.communicate(timeout=120)
    assert driver.returncode == 130
    assert "saved; continue with: textrnn train --resume --output stopped" in said
    assert "note: the same command with --resume continues this training." in said
    assert any(Path("stopped").glob("checkpoints/update-*.npz"))
    assert not Path("stopped/.lock").exists()
