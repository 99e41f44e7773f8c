"""A training on a cluster that a stand-in takes the place of."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from textrnn.cluster.job import RunState, TrainingJob
from textrnn.cluster.restarts import Restarts
from textrnn.cluster.training import cause_of, train_together
from textrnn.cluster.worker_group import End, WorkersLost
from textrnn.errors import ConfigError, ModelError

DONE = [End(0, "a", 0), End(1, "b", 0)]
KILLED = End(1, "b", -9, log="/runs/x/.workers/worker-1.log")
LOST = End(0, "a", None)
LOST_ANOTHER = End(0, "a", 75, "another worker was lost.")
WRONG = End(1, "b", 1, "x.csv: no such file.", log="/runs/x/.workers/worker-1.log")
BROKEN = End(1, "b", 1, last_line="ValueError: odd", log="/log")


class Cluster:
    """Gives each start of the workers the next state of the run folder, and the next ends."""

    def __init__(self, *starts: tuple[RunState | Exception, list[End]]) -> None:
        self._starts = list(starts)
        self.at_once: list[bool] = []
        self.waits: list[bool] = []
        self.arguments: list[list[str]] = []
        self.events: list[str] = []
        self.open = 0
        self.is_clean = False

    @contextmanager
    def group(self, at_once: bool) -> Iterator["Cluster"]:
        assert self.open == 0  # The workers of the last start are gone.
        self.at_once.append(at_once)
        self.open += 1
        yield self
        self.open -= 1

    def prepare(self, *, wait_for_lock: bool) -> RunState:
        self.waits.append(wait_for_lock)
        state = self._starts[0][0]
        if isinstance(state, Exception):
            self.open -= 1
            self._starts.pop(0)
            raise state
        return state

    def run(self, arguments, say) -> list[End]:
        self.arguments.append(list(arguments)[1:])
        say({"event": "message", "text": "training"})
        return self._starts.pop(0)[1]

    def clean(self) -> None:
        self.is_clean = True

    def train(self, given="", most=3) -> bool:
        return train_together(
            TrainingJob(["train"], given=given),
            self.group,
            say=lambda event: self.events.append(event["text"]),
            restarts=Restarts(most=most, first_pause=0.0),
        )


def test_a_training_that_nothing_happens_to():
    cluster = Cluster((RunState(), DONE))
    assert cluster.train()
    assert (cluster.arguments, cluster.at_once, cluster.waits) == ([[]], [True], [False])
    assert cluster.events == ["training"]


def test_all_workers_start_again_from_the_checkpoint():
    cluster = Cluster(
        (RunState(), [KILLED]),
        (RunState("x", updates=7), [LOST]),
        (WorkersLost("no node"), []),
        (RunState("x", updates=9), [LOST_ANOTHER]),
        (RunState("x", updates=12), DONE),
    )
    assert cluster.train(most=2)
    assert cluster.arguments == [[], ["--resume"], ["--resume"], ["--resume"]]
    assert cluster.at_once == [True, False, False, False, False]
    assert cluster.waits == [False, True, True, True, True]
    first, second, third, fourth = (text for text in cluster.events if text != "training")
    assert first == (
        "worker 1 on b was killed by signal 9 (log: /runs/x/.workers/worker-1.log); starting all "
        "workers again in 0 s"
    )
    assert second == "worker 0 on a was lost; starting all workers again in 0 s"
    assert "before they began (no node)" in third
    assert fourth.startswith("worker 0 on a lost another worker;")


def test_a_continued_training_waits_for_the_lock_of_the_killed_one():
    cluster = Cluster((RunState("x", updates=7), DONE))
    assert cluster.train("resume")
    assert (cluster.arguments, cluster.waits) == ([["--resume"]], [True])


def test_an_error_of_the_user_is_not_tried_again():
    cluster = Cluster((RunState(), [LOST_ANOTHER, WRONG]))
    with pytest.raises(ModelError, match=r"^worker 1 on b failed: x\.csv: no such file \(log: /r"):
        cluster.train()
    assert cluster.events == ["training"]


def test_it_gives_up_where_there_is_no_progress():
    cluster = Cluster(*[(RunState("x", updates=7), [BROKEN])] * 4)
    with pytest.raises(ModelError, match=r"ValueError: odd \(log: /log\), after 3 restarts; look"):
        cluster.train("resume")
    assert len(cluster.arguments) == 4


def test_the_progress_of_an_earlier_training_does_not_count():
    cluster = Cluster(*[(RunState("x", updates=updates), [BROKEN]) for updates in (7, 8, 9)])
    with pytest.raises(ModelError, match="after 2 restarts"):
        cluster.train("resume", most=2)


def test_a_run_whose_worker_was_lost_after_the_last_step_is_finished():
    cluster = Cluster((RunState(), [LOST]), (RunState("x", complete=True), []))
    assert not cluster.train()
    assert cluster.is_clean


def test_what_is_wrong_with_a_machine_ends_the_job():
    cluster = Cluster((ConfigError("expected the run folder on a disk that is shared."), []))
    with pytest.raises(ConfigError, match="shared"):
        cluster.train()


@pytest.mark.parametrize(
    ("ends", "cause"),
    [
        (DONE, None),
        ([End(1, "b", 75), End(0, "a", 0)], None),
        ([LOST_ANOTHER, KILLED], KILLED),
        ([WRONG, KILLED], KILLED),
        ([LOST_ANOTHER, WRONG], WRONG),
        ([BROKEN, LOST_ANOTHER], BROKEN),
        ([End(1, "b", 0), LOST], LOST),
    ],
)
def test_the_cause_of_a_failure(ends, cause):
    assert cause_of(ends) == cause


@pytest.mark.parametrize(
    ("end", "final"),
    [(WRONG, True), (End(0, "a", 2), True), (BROKEN, False), (KILLED, False), (LOST, False)],
)
def test_only_errors_of_the_user_are_final(end, final):
    assert end.is_final == final
