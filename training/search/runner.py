"""What carries out the trainings of a search; here one after the other, in this process."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from textrnn.training.search.child import Ended, TrainChild, Training, carry_out, train_child

__all__ = ["OneByOne", "Runner"]


class Runner(Protocol):
    """Carries out trainings."""

    @property
    def parallel(self) -> int:
        """The number of trainings that are carried out at the same time."""

    def start(self, name: str, training: Training) -> None:
        """Begins a training, or queues it until there is room.

        Args:
            name: The name by which `next` returns its end; no other one that runs has it.
            training: The training.
        """

    def next(self) -> tuple[str, Ended]:
        """Waits until any training has ended, and returns its name and its end.

        Raises:
            TextRNNError: The trainings cannot be carried out.
            KeyboardInterrupt: The user interrupted them.
        """


class OneByOne:
    """Carries out one training after the other, in the order in which they were started.

    Args:
        train: Trains one run in another process.
    """

    parallel = 1

    def __init__(self, train: TrainChild = train_child) -> None:
        self._train = train
        self._queue: deque[tuple[str, Training]] = deque()

    def start(self, name: str, training: Training) -> None:
        """Queues a training."""
        self._queue.append((name, training))

    def next(self) -> tuple[str, Ended]:
        """Carries out the first training of the queue."""
        name, training = self._queue.popleft()
        return name, carry_out(training, self._train)
