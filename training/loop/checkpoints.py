"""The state of a training under way, in files that appear whole, the newest few of them kept."""

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

__all__ = ["CHECKPOINTS", "Checkpoint", "Checkpoints", "TrainingState"]

CHECKPOINTS = "checkpoints"
"""The folder in a run folder: while it holds a checkpoint, the run is not finished."""

# What the readers of zip, npy and JSON raise; RuntimeError where a file looks encrypted.
_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
)


@dataclass
class TrainingState:
    """Where training stands, beside the values of the variables.

    Attributes:
        update: Updates made.
        epoch: Epochs completed.
        batch: Batches of the current epoch completed.
        loss_sum, correct_sum, row_sum, token_sum, seconds: Of the current epoch so far.
        history: One row of figures for each completed epoch.
        best_quality: Score and negative loss on the validation data of the best epoch.
        best_epoch: Which that is, from 1; 0 before the first.
        elapsed: Seconds since the training was started, without the time it stood still.
        time_share: The share of the time budget that is used up, 0 without one.
        rate_scale: What rollbacks have multiplied the learning rate by.
        valid_texts: How many validation texts each epoch is measured on; 0: not chosen yet.
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

    def copy(self) -> TrainingState:
        """Another one that stays as it is."""
        return dataclasses.replace(
            self, history=list(self.history), best_quality=list(self.best_quality)
        )

    def start_epoch(self) -> None:
        """Forgets the figures of the epoch that has ended."""
        self.batch = 0
        self.loss_sum = self.correct_sum = self.row_sum = self.token_sum = self.seconds = 0.0


@dataclass(frozen=True)
class Checkpoint:
    """Everything that training needs to go on as if it had not stopped.

    Attributes:
        state: Where training stands.
        variables: The values of the model's, the random generators' and the optimizer's
            variables, in the trainer's order.
        best: The model's weights of the best epoch, empty before the first.
        data_digest: Of the data that training reads.
    """

    state: TrainingState
    variables: Sequence[np.ndarray]
    best: Sequence[np.ndarray]
    data_digest: str

    def to_bytes(self) -> bytes:
        """The content of a file."""
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
        """Reads what `to_bytes` wrote, and checks that it is whole.

        Raises:
            ModelError: It is cut short or changed.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                about = json.loads(str(arrays["about"]))
                variables = [arrays[f"variable_{i}"] for i in range(about["variables"])]
                best = [arrays[f"best_{i}"] for i in range(about["best"])]
            return cls(TrainingState(**about["state"]), variables, best, about["data_digest"])
        except _DAMAGE as error:
            raise ModelError(f"not a whole checkpoint ({error})") from None

    def save(self, path: Path) -> None:
        """Writes a file; a kill leaves the one before, or none."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Reads a file.

        Raises:
            ModelError: It cannot be read, or is cut short or changed.
        """
        try:
            return cls.from_bytes(path.read_bytes())
        except (OSError, ModelError) as error:
            what = error.strerror if isinstance(error, OSError) else error
            raise ModelError(f"{path}: {what}") from None


class Checkpoints:
    """The checkpoints of a run, `update-00001234.npz` after so many updates.

    Args:
        folder: Where they are.
        keep: How many of the newest are kept.
    """

    def __init__(self, folder: Path, *, keep: int = 3) -> None:
        self.folder = folder
        self._keep = keep

    def paths(self) -> list[Path]:
        """The files, the newest first."""
        return sorted(self.folder.glob("update-*.npz"), reverse=True)

    def save(self, checkpoint: Checkpoint) -> None:
        """Writes one and removes the oldest; a kill at any moment leaves whole files.

        Raises:
            OSError: The folder cannot be written to, or the disk is full; those before are kept.
        """
        checkpoint.save(self.folder / f"update-{checkpoint.state.update:08d}.npz")
        for old in self.paths()[self._keep :]:
            old.unlink(missing_ok=True)

    def load(self) -> tuple[Checkpoint, list[str]]:
        """The newest one that is whole, and what is wrong with newer ones.

        Raises:
            ModelError: There is none.
        """
        damaged: list[str] = []
        for path in self.paths():
            try:
                return Checkpoint.load(path), damaged
            except ModelError as error:
                damaged.append(str(error))
        if damaged:
            raise ModelError(f"{damaged[0]}, and no other is whole; train again with --overwrite.")
        raise ModelError(f"{self.folder}: nothing to resume from; train without --resume.")
