"""Checks a run folder, locks it against other processes and prepares it for a new run."""

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
from textrnn.inference.run_files import LOCK
from textrnn.messages.wording import listed
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.loop.checkpoints import CHECKPOINTS, OWN_TEXTS, Checkpoints
from textrnn.training.run.lock import in_use
from textrnn.training.run.origin import ORIGIN

__all__ = [
    "TARGETS",
    "begin",
    "check_folder",
    "check_started",
    "check_unchanged",
    "default_folder",
    "hold",
    "is_started",
]

TARGETS = ".targets.npy"
"""The file in a run folder that contains the answers of teachers while a training needs them."""


def default_folder(data: DataConfig | TextConfig) -> Path:
    """Returns the default run folder: `runs/` and the name of the data."""
    if isinstance(data, TextConfig):
        return Path("runs") / f"{run_files.default_name(data.dataset, data.text_file)}_lm"
    return Path("runs") / run_files.default_name(data.dataset, data.train_file)


def is_started(folder: Path) -> bool:
    """Returns whether the folder contains a checkpoint from which a run can resume."""
    folders = (folder / CHECKPOINTS, folder / CHECKPOINTS / OWN_TEXTS)
    return any(Checkpoints(place).paths() for place in folders)


def check_started(folder: Path) -> None:
    """Raises ModelError if the folder contains no checkpoint."""
    if not is_started(folder):
        raise ModelError(f"{folder / CHECKPOINTS}: nothing to resume from; train without `resume`.")


def check_unchanged(config: Settings, saved: Settings, *, path: Path) -> None:
    """Checks that an unfinished run may continue with some settings.

    Args:
        config: The settings to continue with; those that it leaves to the run are not compared.
        saved: The settings of the run.
        path: The file that has them, for the message.

    Raises:
        ConfigError: A setting that is not operational differs.
    """
    different = config.with_choices_of(saved).differences(saved)
    if different:
        values = listed(
            [f"`{name}` {new} in place of {old}" for name, (new, old) in different.items()]
        )
        raise ConfigError(
            f"a run resumes only with unchanged settings, got {values}; leave out what differs "
            f"from {path}, or train anew with `overwrite`."
        )


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Makes the folder and locks it against other processes.

    The operating system releases the lock if the process is killed.

    Raises:
        ConfigError: Another process has locked the folder, or it cannot be written to.
    """
    lock = filelock.FileLock(folder / LOCK)
    new_folders = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise in_use(folder) from None
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        yield
    finally:
        (folder / LOCK).unlink(missing_ok=True)
        lock.release()
        with contextlib.suppress(OSError):  # Folders with content stay.
            for parent in new_folders:
                parent.rmdir()


def check_folder(folder: Path, config: Settings, *, resume: bool, overwrite: bool) -> None:
    """Checks that a training may write into the folder; changes nothing.

    Args:
        folder: The run folder.
        config: The settings of the training.
        resume: Whether the training continues from a checkpoint.
        overwrite: Whether the training may replace a run in the folder.

    Raises:
        ConfigError: The folder contains another run or other files.
        ModelError: There is no checkpoint to resume from.
    """
    run_files.check_replaceable(folder, resume=resume, overwrite=overwrite)
    if resume:
        check_started(folder)
        saved = run_folder.read_settings(folder / run_folder.CONFIG, type(config))
        check_unchanged(config, saved, path=folder / run_folder.CONFIG)
    elif is_started(folder) and not overwrite:
        raise ConfigError(
            f"{folder} contains an unfinished run; continue with `resume`, or replace it by "
            "`overwrite`."
        )
    # A run overwrites README.md and deletes folders, which must not hit files of the user.
    foreign = not (folder / run_folder.CONFIG).is_file() and any(folder.glob("[!.]*"))
    if foreign and not overwrite:
        raise ConfigError(
            f"{folder} contains files that belong to no run; choose another `output`, or write "
            "into it by `overwrite`."
        )


def begin(folder: Path, config: Settings, *, tokenizer: Tokenizer, resume: bool) -> None:
    """Writes settings and tokenizer into a checked folder and deletes an earlier run in it.

    Call it after all input has been read without an error, because the earlier run is lost.

    Args:
        folder: The run folder.
        config: The settings of the training.
        tokenizer: The tokenizer of the run.
        resume: Whether the checkpoints in the folder remain.

    Raises:
        ConfigError: The folder cannot be written to.
        ModelError: The tokenizer cannot be saved.
    """
    try:
        if not resume:
            for stale in (CHECKPOINTS, "tensorboard"):
                shutil.rmtree(folder / stale, ignore_errors=True)
            for name in (TARGETS, ORIGIN):
                (folder / name).unlink(missing_ok=True)
        run_folder.begin(folder, config)
        tokenizer.save(folder / run_folder.TOKENIZER)
        (folder / CHECKPOINTS).mkdir(exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{folder}: cannot be written to ({error.strerror}); choose another `output`."
    )
