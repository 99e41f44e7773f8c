"""One worker of a training, without Ray."""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import filelock
import pytest

from textrnn.cluster.job import RunState, TrainingJob
from textrnn.cluster.training_worker import LOGS, Report, TrainingWorker

MODULE = """
import os, signal, sys, time
# A shell lets its background jobs ignore SIGINT; a training sets its own handler.
signal.signal(signal.SIGINT, signal.default_int_handler)
print(os.environ.get("TF_CONFIG", "none"), flush=True)
print(os.environ.get("OMP_NUM_THREADS", "none"), os.environ.get("TF_SEEN"), flush=True)
print('{"time": 1, "event": "message", "text": "reading"}', file=sys.stderr)
print("a note", file=sys.stderr)
if sys.argv[1] == "fails":
    print("textrnn: error: no such file.", file=sys.stderr)
    sys.exit(1)
if sys.argv[1] == "breaks":
    raise ValueError("odd")
if sys.argv[1] == "waits":
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        print('{"time": 2, "event": "message", "text": "saved"}', file=sys.stderr)
        sys.exit(130)
"""
WHERE = "127.0.0.1"


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # A worker goes to another folder, and this process comes back.
    home = tmp_path / "home"
    home.mkdir()
    (home / "command.py").write_text(MODULE)
    return TrainingJob(
        [],
        home=str(home),
        folder="run",
        environment={"PYTHONPATH": str(home), "TF_SEEN": "yes"},
        look=lambda folder: RunState(folder),
        module="command",
    )


def worker(job: TrainingJob, rank: int = 0) -> TrainingWorker:
    made = TrainingWorker(job, rank, WHERE)
    assert not made.prepare("token", wait_for_lock=False).error
    return made


def finish(worker: TrainingWorker) -> tuple[list[dict], Report]:
    """All events, and the last report."""
    events: list[Any] = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        report = worker.poll()
        events += report.events
        if report.code is not None:
            return events, report
    raise AssertionError("it did not end")


def results(events: list[dict]) -> list[str]:
    return [event["text"] for event in events if event["event"] == "result"]


@pytest.mark.process
def test_each_worker_gets_its_place_in_the_cluster(job, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")  # As Ray sets it.
    addresses = ["10.0.0.1:1", "10.0.0.2:2"]
    for rank in (0, 1):
        made = worker(job, rank)
        made.start(["trains"], addresses)
        events, report = finish(made)
        assert (report.code, report.error) == (0, "")
        assert json.loads(results(events)[0]) == {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": rank},
        }
        assert results(events)[1] == "none yes"
        assert [e["text"] for e in events if e["event"] == "message"] == ["reading"]


@pytest.mark.process
def test_one_worker_is_no_cluster(job):
    made = worker(job)
    made.start(["trains"], ["10.0.0.1:1"])
    assert results(finish(made)[0])[0] == "none"


@pytest.mark.process
def test_errors_and_the_log(job):
    made = worker(job)
    made.start(["fails"], ["a:1"])
    _, report = finish(made)
    assert (report.code, report.error) == (1, "no such file.")
    log = (Path(job.home) / "run" / LOGS / "worker-0.log").read_text()
    assert log.index("a note") < log.index("textrnn: error: no such file.")
    made.clean()
    assert os.listdir(Path(job.home) / "run") == []


@pytest.mark.process
def test_a_bug_leaves_its_last_line(job):
    made = worker(job)
    made.start(["breaks"], ["a:1"])
    _, report = finish(made)
    assert (report.code, report.error, report.last_line) == (1, "", "ValueError: odd")


@pytest.mark.process
def test_an_interruption_lets_the_command_save(job):
    made = worker(job)
    made.start(["waits"], ["a:1"])
    while not any(event["event"] == "message" for event in made.poll().events):
        pass
    time.sleep(0.2)  # It goes to sleep.
    made.interrupt()
    events, report = finish(made)
    assert (report.code, events[-1]["text"]) == (130, "saved")


def test_a_worker_says_where_it_is(job):
    place = TrainingWorker(job, 0, WHERE).prepare("token", wait_for_lock=False)
    host, _, port = place.address.partition(":")
    assert host == WHERE
    assert int(port) > 0
    assert WHERE in place.machine
    assert place.state == RunState("run")
    assert place.log == str(Path(job.home) / "run" / LOGS / "worker-0.log")
    assert set(place.versions) == {"textrnn", "tensorflow", "keras", "numpy"}
    assert TrainingWorker(job, 1, WHERE).poll() == Report()  # It has not started.


def test_the_folder_of_the_command_must_be_there(job):
    other = TrainingJob([], home=f"{job.home}/nowhere")
    error = TrainingWorker(other, 1, WHERE).prepare("token", wait_for_lock=False).error
    assert "expected the folder" in error
    assert "at the same path on all machines, got on" in error


def test_the_run_folder_must_be_shared(job):
    error = TrainingWorker(job, 1, WHERE).prepare("token", wait_for_lock=False).error
    assert "on a disk that all machines share, got another folder on" in error
    worker(job)
    assert not TrainingWorker(job, 1, WHERE).prepare("token", wait_for_lock=False).error
    assert "share, got" in TrainingWorker(job, 1, WHERE).prepare("x", wait_for_lock=False).error


def test_a_run_folder_that_cannot_be_written_to(job):
    (Path(job.home) / "run").write_text("a file")
    error = TrainingWorker(job, 0, WHERE).prepare("token", wait_for_lock=False).error
    assert "run: cannot be written to on" in error


def test_the_chief_waits_for_the_lock_of_a_killed_training(job):
    (Path(job.home) / "run").mkdir()
    lock = filelock.FileLock(Path(job.home) / "run" / job.lock, thread_local=False)
    lock.acquire()
    threading.Timer(0.3, lock.release).start()
    assert not TrainingWorker(job, 0, WHERE).prepare("token", wait_for_lock=True).error
    assert not lock.is_locked


def test_it_leaves_a_lock_that_stays_to_the_command(job, monkeypatch):
    monkeypatch.setattr("textrnn.cluster.training_worker._LOCK_SECONDS", 0.1)
    (Path(job.home) / "run").mkdir()
    with filelock.FileLock(Path(job.home) / "run" / job.lock):
        assert not TrainingWorker(job, 0, WHERE).prepare("token", wait_for_lock=True).error
