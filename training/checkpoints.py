"""The state of a training under way, in one file that is replaced at once."""

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

from textrnn.atomic import write_atomically
from textrnn.errors import ModelError

__all__ = ["LATEST", "Checkpoint", "TrainingState"]

LATEST = Path("checkpoints", "latest.npz")
"""The checkpoint in a run folder: while it is there, the run is not finished."""

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
        epoch: Epochs completed.
        batch: Batches of the current epoch completed.
        loss_sum, correct_sum, row_sum, token_sum, seconds: Of the current epoch so far.
        history: One row of figures for each completed epoch.
        best_quality: Score and negative loss on the validation data of the best epoch.
        best_epoch: Which that is, from 1; 0 before the first.
    """

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

    def save(self, path: Path) -> None:
        """Writes the file; a kill leaves the one before."""
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
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content.getvalue())

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Reads the file.

        Raises:
            ModelError: It is missing, cut short or changed.
        """
        try:
            # Opened here: given a path to a broken archive, NumPy leaves it open.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                about = json.loads(str(arrays["about"]))
                variables = [arrays[f"variable_{i}"] for i in range(about["variables"])]
                best = [arrays[f"best_{i}"] for i in range(about["best"])]
            return cls(TrainingState(**about["state"]), variables, best, about["data_digest"])
        except FileNotFoundError:
            raise ModelError(f"{path}: nothing to resume from; train without --resume.") from None
        except _DAMAGE as error:
            raise ModelError(
                f"{path}: not a whole checkpoint ({error}); train again with --overwrite."
            ) from None
