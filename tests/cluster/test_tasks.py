"""Tasks on a cluster of two nodes: each is carried out, also if its worker is killed."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from textrnn.cluster.tasks import Tasks
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError, DataError
from textrnn.training.search.child import Training
from textrnn.training.search.placement import ClusterRunner, Placement

pytestmark = pytest.mark.slow  # A cluster takes ten seconds to start.


@pytest.fixture(autouse=True)
def _by_value(cluster):
    """The workers cannot import this file."""
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])


@dataclass
class Counts:
    """Counts its attempts in a file; the first ones end their worker."""

    path: Path
    kills: int = 0

    def __call__(self):
        with self.path.open("a") as file:
            file.write("x")
        if self.path.stat().st_size <= self.kills:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"attempts": self.path.stat().st_size}


def fail():
    raise DataError("a.csv:7: expected a text.")


def test_each_task_has_its_result(tmp_path):
    with Tasks(cores=1) as tasks:
        assert tasks.room() == 2
        for number in range(5):
            tasks.start(str(number), Counts(tmp_path / str(number), kills=number % 2))
        results = dict(tasks.next() for _ in range(5))
    assert results == {str(number): {"attempts": 1 + number % 2} for number in range(5)}


def test_a_task_that_ends_all_its_workers_has_no_result(tmp_path):
    with Tasks(cores=1) as tasks:
        tasks.start("a", Counts(tmp_path / "a", kills=99))
        assert tasks.next() == ("a", None)
    assert 10 <= (tmp_path / "a").stat().st_size <= 12


def test_errors_of_the_user_come_through():
    with Tasks(cores=1) as tasks:
        tasks.start("a", fail)
        with pytest.raises(DataError, match=r"a\.csv:7: expected a text"):
            tasks.next()


def test_the_room_is_that_of_whole_machines():
    assert Tasks(cores=2).room() == 0
    assert Tasks(cores=1, gpus=1).room() == 0


def test_a_training_that_no_machine_has_room_for_is_an_error():
    with (
        Placement("auto", worker_cores=2).runner(ClassifierRunConfig()) as runner,
        pytest.raises(ConfigError, match="expected a machine with 2 cores in the cluster"),
    ):
        assert runner.parallel
    assert ClusterRunner("auto", cores=2, gpus=0, parallel=3).parallel == 1, "machines may join"
    assert ClusterRunner("auto", cores=1, gpus=0, parallel=3).parallel == 2


def test_a_training_that_waits_for_a_machine_says_so_once(tmp_path):
    said: list[str] = []
    training = Training(tmp_path / "c.yaml", tmp_path / "run", tmp_path / "log")
    with Placement("auto", worker_cores=2, workers=2).runner(
        ClassifierRunConfig(), say=said.append
    ) as runner:
        runner.start("a", training)
        runner.start("b", training)
    assert said == ["waiting for a machine with 2 cores; the cluster has none"]


def test_a_folder_that_the_machines_do_not_share_is_an_error(tmp_path):
    training = Training(tmp_path / "none.yaml", tmp_path / "run", tmp_path / "log")
    with Placement("auto").runner(ClassifierRunConfig()) as runner:
        runner.start("a", training)
        with pytest.raises(ConfigError, match="must share the folder `output`, at the same path"):
            runner.next()


def test_a_training_whose_workers_are_all_lost_has_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(Tasks, "next", lambda _: ("a", None))
    monkeypatch.setattr(Tasks, "start", lambda *_: None)
    with Placement("auto").runner(ClassifierRunConfig()) as runner:
        runner.start("a", Training(tmp_path / "c.yaml", tmp_path / "run", tmp_path / "log"))
        assert runner.next()[1].code == -9
    assert "workers were lost during this training" in (tmp_path / "log").read_text()
