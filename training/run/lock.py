"""The lock of a run folder, by which one process at a time writes into it."""

from __future__ import annotations

from pathlib import Path

import filelock

from textrnn.errors import ConfigError
from textrnn.inference.run_files import LOCK

__all__ = ["in_use", "wait_until_free"]


def in_use(folder: Path) -> ConfigError:
    """Returns the error about a folder that another process has locked."""
    return ConfigError(
        f"{folder} is in use by another process; wait for it, or choose another `output`."
    )


def wait_until_free(folder: Path, *, seconds: float) -> None:
    """Waits until no process has locked a folder.

    The process of an earlier attempt may still write its checkpoint.

    Args:
        folder: The run folder; it need not exist.
        seconds: The longest time to wait.

    Raises:
        ConfigError: The folder is still locked after this time.
    """
    if not (folder / LOCK).exists():
        return
    try:
        with filelock.FileLock(folder / LOCK).acquire(timeout=seconds):
            (folder / LOCK).unlink(missing_ok=True)
    except filelock.Timeout:
        raise in_use(folder) from None
