"""The folder of a run: kept to one process, and made ready once the input has been read."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import filelock

from textrnn.config.data import DataConfig
from textrnn.config.language_model import TextConfig
from textrnn.config.section import Settings
from textrnn.errors import ConfigError, ModelError
from textrnn.inference import run_files, run_folder
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.loop.checkpoints import CHECKPOINTS, Checkpoints

__all__ = [
    "LOCK",
    "begin",
    "check_folder",
    "check_started",
    "default_folder",
    "hold",
    "is_started",
]

LOCK = ".lock"
"""The file in a run folder that a process holds while it trains."""


def default_folder(data: DataConfig | TextConfig) -> Path:
    """Returns the run folder of a training that names none: `runs/` and the name of the data."""
    if isinstance(data, TextConfig):
        return Path("runs") / f"{run_files.default_name(data.dataset, data.text_file)}_lm"
    return Path("runs") / run_files.default_name(data.dataset, data.train_file)


def is_started(folder: Path) -> bool:
    """Whether a run in the folder can be gone on with."""
    return bool(Checkpoints(folder / CHECKPOINTS).paths())


def check_started(folder: Path) -> None:
    """Raises ModelError if there is nothing to go on with."""
    if not is_started(folder):
        raise ModelError(f"{folder / CHECKPOINTS}: nothing to resume from; train without --resume.")


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Keeps other processes from training into the folder, which is made; a kill lets go of it.

    Raises:
        ConfigError: Another process holds it, or it cannot be written to.
    """
    lock = filelock.FileLock(folder / LOCK)
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise ConfigError(
            f"{folder} is in use by another process; wait for it, or choose another --output."
        ) from None
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        yield
    finally:
        (folder / LOCK).unlink(missing_ok=True)
        lock.release()
        with contextlib.suppress(OSError):  # A start that failed leaves nothing behind.
            for parent in made:
                parent.rmdir()


def check_folder(folder: Path, config: Settings, *, resume: bool, overwrite: bool) -> None:
    """Says why a folder cannot be trained into, if so; changes nothing.

    Raises:
        ConfigError: It holds something else.
        ModelError: There is nothing to resume.
    """
    if run_folder.is_complete(folder) and resume:
        raise ConfigError(
            f"{folder} holds a finished run; there is nothing to resume; --overwrite replaces it."
        )
    if run_folder.is_complete(folder) and not overwrite:
        raise ConfigError(
            f"{folder} holds a finished run; choose another --output, or replace it by --overwrite."
        )
    if resume:
        check_started(folder)
        if not config.resumes(run_folder.read_settings(folder / run_folder.CONFIG, type(config))):
            raise ConfigError(
                "a run resumes with its own settings; give those of "
                f"{folder / run_folder.CONFIG}, or train anew with --overwrite."
            )
    elif is_started(folder) and not overwrite:
        raise ConfigError(
            f"{folder} holds an unfinished run; go on with --resume, or replace it by --overwrite."
        )
    # A run writes a README.md, for one, and clears folders away: not in just any folder.
    foreign = not (folder / run_folder.CONFIG).is_file() and any(folder.glob("[!.]*"))
    if foreign and not overwrite:
        raise ConfigError(
            f"{folder} holds files that are no run's; choose another --output, or write "
            "among them by --overwrite."
        )


def begin(folder: Path, config: Settings, tokenizer: Tokenizer, *, resume: bool) -> None:
    """Makes a checked folder this run's, in place of what it held.

    All that can be wrong with the input is to be found before: a run that is to be replaced is lost
    from here on.

    Raises:
        ConfigError: It cannot be written to.
        ModelError: The tokenizer cannot.
    """
    try:
        if not resume:
            for stale in (CHECKPOINTS, "tensorboard"):
                shutil.rmtree(folder / stale, ignore_errors=True)
        run_folder.begin(folder, config)
        tokenizer.save(folder / run_folder.TOKENIZER)
        (folder / CHECKPOINTS).mkdir(exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{folder}: cannot be written to ({error.strerror}); choose another --output."
    )
