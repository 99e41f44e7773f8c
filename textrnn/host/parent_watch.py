"""Runs a module in a process that ends with the process that started it.

    python -m textrnn.host.parent_watch MODULE ARGUMENTS

The parent opens a pipe as standard input and writes nothing into it. The operating system closes
the pipe when the parent ends, however it ends, and this process then kills itself. So no training
goes on, holds the lock of its run folder or writes into it after its parent was killed.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
from collections.abc import Sequence

__all__ = ["end_with_parent", "watched_command"]

_STDIN = 0


def watched_command(module: str, arguments: Sequence[str]) -> list[str]:
    """Returns the command that runs a module so; start it with a pipe as standard input.

    Args:
        module: The module, which is run as by `python -m`.
        arguments: Its arguments.
    """
    return [sys.executable, "-m", "textrnn.host.parent_watch", module, *arguments]


def end_with_parent() -> None:
    """Kills this process as soon as its standard input is closed by the other side.

    It also lets SIGINT through, which Ray blocks in the processes that it starts.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(_STDIN, 1024):
        pass
    # Nothing may be cleaned up: another process may have taken the place of this one.
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


if __name__ == "__main__":
    end_with_parent()
    module_name = sys.argv.pop(1)
    runpy.run_module(module_name, run_name="__main__", alter_sys=True)
