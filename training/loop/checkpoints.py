"""The checkpoints of a training: files that are written atomically, of which the newest stay."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.errors import ModelError
from textrnn.host.atomic import write_atomically

__all__ = ["CHECKPOINTS", "OWN_TEXTS", "Checkpoint", "Checkpoints", "TrainingState"]

CHECKPOINTS = "checkpoints"
"""The folder within a run folder; a run is unfinished while it holds a checkpoint."""

OWN_TEXTS = "own_texts"
"""The folder within it for the language model that reads the training texts first."""

# The errors of the readers of zip, npy and JSON; RuntimeError if a file looks encrypted,
# AttributeError on Python 3.10 if it is one array.
_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    AttributeError,
    TypeError,
    EOFError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
)


@dataclass
class TrainingState:
    """The state of a training, without the values of the variables.

    >>> state = TrainingState(update=7, epoch=1)
    >>> earlier = state.copy()
    >>> state.history.append({"epoch": 1.0})
    >>> earlier.history
    []

    Attributes:
        update: The number of updates made.
        epoch: The number of epochs completed.
        batch: The number of batches of the current epoch completed.
        loss_sum, correct_sum, row_sum, token_sum, seconds: Sums over the current epoch so far.
        history: One row of figures per completed epoch.
        best_quality: The score and the negative loss of the best epoch on the validation data.
        best_epoch: The number of the best epoch, from 1; 0 before the first.
        elapsed: The seconds of training, without interruptions.
        time_share: The share of the time budget that is used up; 0 without a budget.
        rate_scale: The product of the factors by which rollbacks have lowered the learning rate.
        valid_texts: The number of validation texts that each epoch is measured on; 0 if it is not
            chosen yet.
    """

    update: int = 0
    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    correct_sum: float = 0.0
    row_sum: float = 0.0
    token_sum: float = 0.0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    best_quality: list[float] = field(default_factory=list)
    best_epoch: int = 0
    elapsed: float = 0.0
    time_share: float = 0.0
    rate_scale: float = 1.0
    valid_texts: int = 0

    @property
    def mean_loss(self) -> float:
        """The mean loss of a text in the current epoch."""
        return self.loss_sum / self.row_sum

    @property
    def accuracy(self) -> float:
        """The share of the texts of the current epoch whose labels are all right."""
        return self.correct_sum / self.row_sum

    @property
    def tokens_per_second(self) -> float:
        """The speed of the current epoch."""
        return self.token_sum / self.seconds

    def copy(self) -> TrainingState:
        """Returns an independent copy."""
        return dataclasses.replace(
            self, history=list(self.history), best_quality=list(self.best_quality)
        )

    def start_epoch(self) -> None:
        """Resets the sums of the epoch that has ended."""
        self.batch = 0
        self.loss_sum = self.correct_sum = self.row_sum = self.token_sum = self.seconds = 0.0


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a training needs to continue as if it had not stopped.

    >>> checkpoint = Checkpoint(TrainingState(update=2), [np.zeros(3)], [], "digest")
    >>> Checkpoint.from_bytes(checkpoint.to_bytes()).state.update
    2

    Attributes:
        state: The state of the training.
        variables: The values of the model's, the random generators' and the optimizer's
            variables, in the trainer's order.
        best: The model's weights of the best epoch; empty before the first.
        data_digest: The digest of the training's data.
    """

    state: TrainingState
    variables: Sequence[np.ndarray]
    best: Sequence[np.ndarray]
    data_digest: str

    def to_bytes(self) -> bytes:
        """Returns the content of a file."""
        about = {
            "state": dataclasses.asdict(self.state),
            "data_digest": self.data_digest,
            "variables": len(self.variables),
            "best": len(self.best),
        }
        arrays: dict[str, Any] = {"about": np.array(json.dumps(about))}
        arrays |= {f"variable_{i}": value for i, value in enumerate(self.variables)}
        arrays |= {f"best_{i}": value for i, value in enumerate(self.best)}
        content = io.BytesIO()
        np.savez(content, **arrays)
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Checkpoint:
        """Reads the result of `to_bytes` and checks that it is intact.

        Raises:
            ModelError: The content is cut short or changed.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                about = json.loads(str(arrays["about"]))
                variables = [arrays[f"variable_{i}"] for i in range(about["variables"])]
                best = [arrays[f"best_{i}"] for i in range(about["best"])]
            return cls(TrainingState(**about["state"]), variables, best, about["data_digest"])
        except _DAMAGE as error:
            raise ModelError(f"not an intact checkpoint ({error})") from None

    def save(self, path: Path) -> None:
        """Writes a file atomically: a kill leaves the previous file, or none."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Reads a file.

        Raises:
            ModelError: The file cannot be read, or it is cut short or changed.
        """
        try:
            return cls.from_bytes(path.read_bytes())
        except (OSError, ModelError) as error:
            problem = error.strerror if isinstance(error, OSError) else error
            raise ModelError(f"{path}: {problem}") from None


class Checkpoints:
    """The checkpoints of a run; `update-00001234.npz` is the one after 1234 updates.

    Args:
        folder: The folder of the files.
        keep_count: The number of newest files that stay.
    """

    def __init__(self, folder: Path, *, keep_count: int = 3) -> None:
        self.folder = folder
        self._keep_count = keep_count

    def paths(self) -> list[Path]:
        """Returns the files, the newest first."""
        return sorted(self.folder.glob("update-*.npz"), reverse=True)

    def save(self, checkpoint: Checkpoint) -> None:
        """Writes a checkpoint and removes the oldest; a kill at any moment leaves intact files.

        Raises:
            OSError: The folder cannot be written to, or the disk is full; the older files stay.
        """
        checkpoint.save(self.folder / f"update-{checkpoint.state.update:08d}.npz")
        for old in self.paths()[self._keep_count :]:
            old.unlink(missing_ok=True)

    def load(self) -> tuple[Checkpoint, list[str]]:
        """Returns the newest intact checkpoint, and the problems of newer ones.

        Raises:
            ModelError: There is no intact checkpoint.
        """
        problems: list[str] = []
        for path in self.paths():
            try:
                return Checkpoint.load(path), problems
            except ModelError as error:
                problems.append(str(error))
        if problems:
            raise ModelError(
                f"{problems[0]}, and no other checkpoint is intact; train again with `overwrite`."
            )
        raise ModelError(f"{self.folder}: nothing to resume from; train without `resume`.")
