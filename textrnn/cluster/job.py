"""A training that several workers make together, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["GivenFlag", "RunState", "TrainingJob"]

GivenFlag = Literal["", "resume", "resume_or_start", "overwrite"]
"""What the user wants to happen to a run that is in the folder already."""


@dataclass(frozen=True)
class RunState:
    """How far a run is, as the files of its folder say.

    Attributes:
        settings: Changes whenever a training begins or resumes in the folder; empty without a run.
        updates: The number of updates in the newest checkpoint; None without one.
        complete: Whether the run is finished.
    """

    settings: str = ""
    updates: int | None = None
    complete: bool = False


@dataclass(frozen=True)
class TrainingJob:
    """A command that trains, and where it trains.

    >>> job = TrainingJob(["train", "--epochs", "3"], given="overwrite")
    >>> old = RunState("a", updates=70)
    >>> job.arguments(old, before=old)
    ['train', '--epochs', '3', '--overwrite']
    >>> job.arguments(RunState("b", updates=20), before=old)
    ['train', '--epochs', '3', '--resume']

    Attributes:
        command: The arguments of `textrnn`, without those about a run that is in the folder.
        given: What the user wants to happen to such a run.
        home: The folder that the command is called in.
        folder: The run folder, from `home`.
        environment: The variables of the command's environment that the workers get.
        look: Returns the state of a run folder; called on the chief's machine.
        lock: The file in the run folder that the command locks.
        module: The module that is the command.
    """

    command: Sequence[str]
    given: GivenFlag = ""
    home: str = "."
    folder: str = "run"
    environment: Mapping[str, str] | None = None
    look: Callable[[str], RunState] = lambda folder: RunState()
    lock: str = ".lock"
    module: str = "textrnn"

    @property
    def continues(self) -> bool:
        """Whether the job may find a run that another process has just left."""
        return self.given in ("resume", "resume_or_start")

    def arguments(self, state: RunState, *, before: RunState) -> list[str] | None:
        """Returns the arguments with which all workers start; None if the run is finished.

        Args:
            state: The state of the run folder.
            before: Its state before this job. As long as the settings are those, the job has not
                begun its run, and what is in the folder is another run, or an earlier part of it.
        """
        flags = {"": [], "resume": ["--resume"], "overwrite": ["--overwrite"]}
        if state.settings != before.settings:  # The job has begun its run.
            if state.complete:
                return None
            given: str = "resume" if state.updates is not None else self.given
        elif self.given != "resume_or_start":
            given = self.given
        elif state.complete:
            return [*self.command, "--resume-or-start"]  # It prints the figures of the run.
        else:
            # With --resume-or-start, a worker would start itself again when another one is lost.
            given = "" if state.updates is None else "resume"
        return [*self.command, *flags.get(given, [])]
