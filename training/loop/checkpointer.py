"""Saving and restoring the whole state of a training, in memory and on disk."""

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

__all__ = ["Checkpointer"]


class Checkpointer:
    """Takes checkpoints of a model and its optimizer, and restores them.

    All workers take them at the same updates; only the chief writes them.

    Args:
        model: The model, built; all its weights and random generators are saved.
        checkpoints: The files.
        other_variables: Variables of the training that are not the model's, such as the
            optimizer's.
        data_digest: The digest of the data; a checkpoint is only resumed with the same data.
        distribution: The devices that the training runs on.
        minutes: The time between two checkpoints.

    Attributes:
        checkpoints: The files.
        last: The last checkpoint, in memory; None before the first.
        variables: All variables of the training.
    """

    def __init__(
        self,
        model: keras.Model,
        checkpoints: Checkpoints,
        *,
        other_variables: Sequence[Any],
        data_digest: str,
        distribution: Distribution,
        minutes: float,
    ) -> None:
        self.checkpoints = checkpoints
        self.last: Checkpoint | None = None
        self.variables = [*model.variables, *other_variables]
        self._data_digest = data_digest
        self._distribution = distribution
        self._seconds = 60.0 * minutes
        self._saved = time.monotonic()
        generators = [v for v in model.non_trainable_variables if "seed_generator" in v.path]
        self._seeds = [(variable, int(variable.numpy()[0])) for variable in generators]
        self._spread_seeds()

    def is_due(self) -> bool:
        """Returns whether it is time for the next checkpoint."""
        return time.monotonic() - self._saved >= self._seconds

    def take(self, state: TrainingState, best_weights: list[np.ndarray]) -> None:
        """Takes a checkpoint in memory, as `last`.

        Args:
            state: The state of the training.
            best_weights: The weights of the best epoch so far; empty before the first.
        """
        variables = [variable.numpy() for variable in self.variables]
        self.last = Checkpoint(state.copy(), variables, list(best_weights), self._data_digest)
        self._saved = time.monotonic()

    def save(
        self,
        state: TrainingState,
        best_weights: list[np.ndarray],
        *,
        reporter: Reporter,
        must: bool = False,
    ) -> None:
        """Takes a checkpoint in memory and, on the chief, in a file.

        Args:
            state: The state of the training.
            best_weights: The weights of the best epoch so far; empty before the first.
            reporter: Receives a warning if the file cannot be written.
            must: Whether to raise an error instead of the warning.

        Raises:
            ModelError: The file cannot be written, and `must` is true.
        """
        self.take(state, best_weights)
        if self.last is None or not self._distribution.is_chief:
            return
        try:
            self.checkpoints.save(self.last)
        except OSError as error:
            problem = (
                f"{self.checkpoints.folder}: the checkpoint was not written ({error.strerror})"
            )
            if must:
                raise ModelError(
                    f"{problem}; make room, then continue from the previous one with `resume`."
                ) from None
            reporter.message(f"warning: {problem}; make room: the training continues without it")

    def load(self, *, reporter: Reporter) -> Checkpoint:
        """Restores the chief's newest intact checkpoint on all workers.

        Args:
            reporter: Receives a warning for each damaged checkpoint.

        Raises:
            ModelError: There is none, or it was made with other data or settings.
        """
        content = b""
        if self._distribution.is_chief:
            checkpoint, problems = self.checkpoints.load()
            for problem in problems:
                reporter.message(f"warning: {problem}; continuing from the previous checkpoint")
            content = checkpoint.to_bytes() if self._distribution.several_machines else b""
        if self._distribution.several_machines:
            checkpoint = Checkpoint.from_bytes(self._distribution.broadcast(content))
        folder = self.checkpoints.folder
        if checkpoint.data_digest != self._data_digest:
            raise ModelError(
                f"{folder}: made with other training data; "
                "put the data back as it was, or train again with `overwrite`."
            )
        shapes = [tuple(variable.shape) for variable in self.variables]
        if [value.shape for value in checkpoint.variables] != shapes:
            raise ModelError(f"{folder}: made with other settings; train again with `overwrite`.")
        self.restore(checkpoint)
        return checkpoint

    def restore(self, checkpoint: Checkpoint) -> None:
        """Assigns the values of a checkpoint to all variables."""
        for variable, value in zip(self.variables, checkpoint.variables, strict=True):
            variable.assign(value)
        self._spread_seeds()

    def _spread_seeds(self) -> None:
        """Gives each replica its own random numbers; those of the first stay as they were."""
        if self._distribution.replicas > 1:
            self._distribution.spread_seeds([(v.value, seed) for v, seed in self._seeds])
