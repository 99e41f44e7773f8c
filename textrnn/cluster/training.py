"""A training on a cluster, which survives the loss of workers and of their machines.

Ray Train does the same for functions. It is not used here: its workers, and the process that
watches them, import TensorFlow although the command that trains needs a process of its own; it
switches TensorFlow to Keras 2 in them; and it starts workers again without a pause. docs/cluster.md
has the figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from textrnn.cluster.connection import connected
from textrnn.cluster.job import RunState, TrainingJob
from textrnn.cluster.restarts import Restarts
from textrnn.cluster.worker_group import End, Room, Say, WorkersLost, worker_group
from textrnn.errors import ModelError

__all__ = ["Group", "OpenGroup", "cause_of", "train_on_cluster", "train_together"]


class Group(Protocol):
    """Workers that are placed; see `WorkerGroup`."""

    def prepare(self, *, wait_for_lock: bool) -> RunState:
        """Checks the machines and returns the state of the run folder."""

    def run(self, arguments: Sequence[str], say: Say, /) -> list[End]:
        """Runs the command on all workers; returns how they ended."""

    def clean(self) -> None:
        """Removes the logs of all workers, whose training is finished."""


OpenGroup = Callable[[bool], AbstractContextManager[Group]]
"""Places workers until a context ends; the argument is `at_once` of `worker_group`."""


def train_on_cluster(job: TrainingJob, room: Room, *, cluster: str, say: Say) -> bool:
    """Trains on a cluster; the workers write the run folder.

    Args:
        job: The training.
        room: The workers, and what each needs.
        cluster: The address of the cluster; see `check_address`.
        say: Receives the events of the chief, and messages about restarts.

    Returns:
        Whether the chief has given its results; it has not if it was lost after its last step.

    Raises:
        ConfigError: Ray is missing, no cluster answers, or it cannot train this job.
        ModelError: A worker failed, or workers were lost too often.
        KeyboardInterrupt: The user pressed Ctrl-C.
    """
    with connected(cluster):
        place = partial(worker_group, job, room, say=say)
        return train_together(job, lambda at_once: place(at_once=at_once), say=say)


def train_together(
    job: TrainingJob, open_group: OpenGroup, *, say: Say, restarts: Restarts | None = None
) -> bool:
    """Does what `train_on_cluster` does, with workers that something else places.

    All workers start again when one is lost, from the last checkpoint in the run folder.

    Args:
        job: The training.
        open_group: Places the workers.
        say: Receives the events of the chief, and messages about restarts.
        restarts: When to start again; None: as a cluster does.
    """
    restarts = restarts or Restarts()
    before: RunState | None = None
    state = RunState()
    while True:
        first = restarts.count == 0
        try:
            with open_group(first) as group:
                state = group.prepare(wait_for_lock=job.continues or not first)
                before = before or state
                arguments = job.arguments(state, before=before)
                if arguments is None:
                    group.clean()
                    return False
                cause = cause_of(group.run(arguments, say))
            if cause is None:
                return True
            if cause.is_final:
                raise ModelError(f"{cause}.")
            reason = str(cause)
        except WorkersLost as error:
            reason = f"workers were lost before they began ({error})"
        begun = before is not None and state.settings != before.settings
        pause = restarts.pause_after(state.updates or 0 if begun else 0)
        if pause is None:
            raise ModelError(
                f"{reason}, after {restarts.count} restarts; look at the logs, and continue with "
                "`resume`."
            )
        text = f"{reason}; starting all workers again in {pause:g} s"
        say({"event": "message", "text": text})
        time.sleep(pause)


def cause_of(ends: Sequence[End]) -> End | None:
    """Returns the end to which a training owes that it failed; None if it did not.

    A worker that was killed comes before errors, which the others may have because of it; an error
    of the user comes before workers that lost another one.

    >>> lost, wrong = End(0, "a", 75), End(1, "b", 1, "no such file.")
    >>> cause_of([lost, wrong]).rank, cause_of([End(0, "a", 0), lost])
    (1, None)

    Args:
        ends: How workers ended, the first one at the front.
    """
    if any(end.rank == 0 and end.code == 0 for end in ends):
        return None
    failed = [end for end in ends if end.code != 0]
    kills = [end for end in failed if end.is_kill]
    final = [end for end in failed if end.is_final]
    return next(iter([*kills, *final, *failed]))
