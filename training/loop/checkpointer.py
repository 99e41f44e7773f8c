"""What keeps a training safe: its state in memory and on disk, taken and put back as a whole."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from textrnn.errors import ModelError
from textrnn.progress import Reporter
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.checkpoints import Checkpoint, Checkpoints, TrainingState

__all__ = ["Keeper"]


class Keeper:
    """Takes checkpoints of a model and its optimizer, and puts them back.

    Every worker takes them at the same updates; the chief alone writes them.

    Args:
        model: Built, as all its weights and random generators are kept.
        optimizer: The same.
        checkpoints: The files.
        data_digest: Of the data, so that a checkpoint is not resumed on other data.
        distribution: Where the training runs.
        more: Other variables that the training goes on with.
        minutes: Between two checkpoints.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        *,
        checkpoints: Checkpoints,
        data_digest: str,
        distribution: Distribution,
        minutes: float,
        more: Sequence[Any] = (),
    ) -> None:
        self.checkpoints = checkpoints
        self.last: Checkpoint | None = None
        self._variables = [*model.variables, *optimizer.variables, *more]
        self._data_digest = data_digest
        self._distribution = distribution
        self._seconds = 60.0 * minutes
        self._saved = time.monotonic()
        generators = [v for v in model.non_trainable_variables if "seed_generator" in v.path]
        self._seeds = [(variable, int(variable.numpy()[0])) for variable in generators]
        self._spread_seeds()

    def is_due(self) -> bool:
        """Whether it is time for the next checkpoint."""
        return time.monotonic() - self._saved >= self._seconds

    def take(self, state: TrainingState, best: list[np.ndarray]) -> None:
        """Keeps the training as it stands in memory, as `last`."""
        variables = [variable.numpy() for variable in self._variables]
        self.last = Checkpoint(state.copy(), variables, list(best), self._data_digest)
        self._saved = time.monotonic()

    def save(
        self, state: TrainingState, best: list[np.ndarray], reporter: Reporter, *, must: bool
    ) -> None:
        """Keeps it in memory and, on the chief, in a file.

        Args:
            state: Where the training stands.
            best: The model's best weights so far.
            reporter: Told that the file cannot be written; the next one perhaps can.
            must: Whether to raise instead.

        Raises:
            ModelError: The file cannot be written, and must be.
        """
        self.take(state, best)
        if self.last is None or not self._distribution.is_chief:
            return
        try:
            self.checkpoints.save(self.last)
        except OSError as error:
            what = f"{self.checkpoints.folder}: the checkpoint was not written ({error.strerror})"
            if must:
                raise ModelError(
                    f"{what}; make room, then go on from the one before with --resume."
                ) from None
            reporter.message(f"warning: {what}; make room: training goes on without it")

    def load(self, reporter: Reporter) -> Checkpoint:
        """Puts back the chief's newest checkpoint that is whole, on every worker.

        Raises:
            ModelError: There is none, or it was made with other data or settings.
        """
        content = b""
        if self._distribution.is_chief:
            checkpoint, damaged = self.checkpoints.load()
            for problem in damaged:
                reporter.message(f"warning: {problem}; going on from the one before")
            content = checkpoint.to_bytes() if self._distribution.several_machines else b""
        if self._distribution.several_machines:
            checkpoint = Checkpoint.from_bytes(self._distribution.broadcast(content))
        folder = self.checkpoints.folder
        if checkpoint.data_digest != self._data_digest:
            raise ModelError(
                f"{folder}: made with other training data; "
                "put the data back as it was, or train again with --overwrite."
            )
        shapes = [tuple(variable.shape) for variable in self._variables]
        if [value.shape for value in checkpoint.variables] != shapes:
            raise ModelError(f"{folder}: made with other settings; train again with --overwrite.")
        self.restore(checkpoint)
        return checkpoint

    def restore(self, checkpoint: Checkpoint) -> None:
        """Gives all variables the values they had."""
        for variable, value in zip(self._variables, checkpoint.variables, strict=True):
            variable.assign(value)
        self._spread_seeds()

    def _spread_seeds(self) -> None:
        """Gives each replica random numbers of its own; the first one's are as they were."""
        if self._distribution.replicas > 1:
            self._distribution.spread_seeds([(v.value, seed) for v, seed in self._seeds])
