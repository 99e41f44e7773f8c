"""The workers of a training on a cluster of two nodes, one core each."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from textrnn.cluster.job import RunState, TrainingJob
from textrnn.cluster.training import train_together
from textrnn.cluster.training_worker import LOGS
from textrnn.cluster.worker_group import Room, equal_share, worker_group
from textrnn.errors import ConfigError, ModelError

MODULE = """
import json, os, signal, sys, time
from pathlib import Path
config = json.loads(os.environ["TF_CONFIG"])
rank = config["task"]["index"]
Path(f"pid-{rank}").write_text(str(os.getpid()))
print(json.dumps(config["cluster"]["worker"]), flush=True)
start = Path(f"start-{rank}")
is_first = not start.exists()
start.touch()
if sys.argv[1] == "dies" and is_first:
    if rank == 1:
        os.kill(os.getppid() if sys.argv[2] == "watching" else os.getpid(), signal.SIGKILL)
    time.sleep(60)
if sys.argv[1] == "fails" and rank == 1:
    sys.exit("textrnn: error: no such file.")
if sys.argv[1] == "fails":
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("sizes", "workers", "share"),
    [
        ([4], 1, 4),
        ([4, 4], 3, 2),
        ([16, 2], 2, 8),
        ([1, 1], 3, 0),
        ([], 1, 0),
        ([0, 5], 2, 2),
    ],
)
def test_the_share_of_each_worker(sizes, workers, share):
    assert equal_share(sizes, workers) == share


@pytest.mark.parametrize(
    ("room", "resources"),
    [
        (Room(1), {"CPU": 8, "GPU": 2}),
        (Room(3), {"CPU": 4, "GPU": 1}),
        (Room(4), {"CPU": 4}),  # Three GPUs are not enough for four.
        (Room(2, cores=1, gpus=False), {"CPU": 1}),
        (Room(2, cores=5), {"CPU": 5, "GPU": 1}),
        (Room(3, cores=5), None),
        (Room(17), None),
    ],
)
def test_what_each_worker_gets(room, resources):
    machines = [{"CPU": 8.0, "GPU": 1.0}, {"CPU": 8.0, "GPU": 2.0, "memory": 1e9}, {}]
    assert room.resources(machines) == resources


@pytest.fixture
def job(tmp_path):
    (tmp_path / "command.py").write_text(MODULE)
    environment = {"PYTHONPATH": str(tmp_path)}

    def make(*command: str) -> TrainingJob:
        return TrainingJob(
            command,
            home=str(tmp_path),
            environment=environment,
            look=_no_run,
            module="command",
        )

    return make


def _no_run(folder: str) -> RunState:
    return RunState()


@pytest.fixture(autouse=True)
def _by_value(request):
    """The workers cannot import this file."""
    if "cluster" in request.fixturenames:
        from ray import cloudpickle

        cloudpickle.register_pickle_by_value(sys.modules[__name__])


def train(job: TrainingJob, room: Room) -> tuple[bool, list[Any]]:
    events: list[Any] = []
    done = train_together(
        job,
        lambda at_once: worker_group(job, room, at_once=at_once, say=events.append),
        say=events.append,
    )
    return done, events


def messages(events: list[Any], start: str) -> list[str]:
    """The messages that begin so; a busy machine may cause others, about the wait for room."""
    texts = [event["text"] for event in events if event["event"] == "message"]
    return [text for text in texts if text.startswith(start)]


@pytest.mark.slow
def test_each_worker_is_on_a_node_of_its_own(cluster, job, tmp_path):
    done, events = train(job("trains"), Room(2))
    assert done
    (result,) = [event["text"] for event in events if event["event"] == "result"]
    first, second = json.loads(result)
    assert first != second
    assert not (tmp_path / "run" / LOGS).exists()


@pytest.mark.slow
@pytest.mark.parametrize("struck", ["command", "watching"])
def test_a_killed_worker_and_all_others_start_again(cluster, job, tmp_path, struck):
    done, events = train(job("dies", struck), Room(2))
    assert done
    (message,) = messages(events, "worker")
    how = "was killed by signal 9" if struck == "command" else "was lost"
    assert message.startswith("worker 1 on ")
    assert f") {how} (log: {tmp_path / 'run' / LOGS / 'worker-1.log'}); starting all" in message
    assert len([event for event in events if event["event"] == "result"]) == 2


@pytest.mark.slow
def test_the_others_end_with_a_worker_that_fails(cluster, job, tmp_path):
    with pytest.raises(ModelError, match=r"worker 1 on .* failed: no such file \(log: .*r-1\.log"):
        train(job("fails"), Room(2))
    for rank in (0, 1):
        pid = int((tmp_path / f"pid-{rank}").read_text())
        while _is_alive(pid):
            pass


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_a_cluster_that_is_too_small_is_an_error_at_once(cluster, job):
    with pytest.raises(ConfigError, match="room for 3 workers of 1 core each, got a cluster of 2"):
        train(job("trains"), Room(3))
    with pytest.raises(ConfigError, match="a worker of 2 cores, got a cluster of 2 machines with"):
        train(job("trains"), Room(1, cores=2))


@pytest.mark.slow
def test_after_a_loss_it_waits_for_a_machine_that_joins(cluster, job):
    events: list[Any] = []
    joined: list[Any] = []

    def say(event: Any) -> None:
        events.append(event)
        if not joined:
            joined.append(cluster.add_node(num_cpus=1, object_store_memory=80_000_000))

    try:
        with worker_group(job("x"), Room(3), at_once=False, say=say) as group:
            assert group.prepare(wait_for_lock=False) == RunState()
        assert messages(events, "waiting for a machine") == [
            "waiting for a machine: no room for 3 workers of 1 core each, only 2 cores"
        ]
    finally:
        for node in joined:
            cluster.remove_node(node)
