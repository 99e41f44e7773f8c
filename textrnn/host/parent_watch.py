"""Runs a module in a process that ends with the process that started it.

    python -m textrnn.host.parent_watch SECONDS MODULE ARGUMENTS

The parent opens a pipe as standard input and writes nothing into it. The operating system closes
the pipe when the parent ends, however it ends. This process is then interrupted, as by Ctrl-C, and
kills itself after SECONDS; with 0, or if it ignores Ctrl-C, it kills itself at once. So no training
goes on, holds the lock of its run folder or writes into it for long after its parent was killed.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Sequence

__all__ = ["end_with_parent", "watched_command"]

_STDIN = 0


def watched_command(module: str, arguments: Sequence[str], *, grace: float = 0.0) -> list[str]:
    """Returns the command that runs a module so; start it with a pipe as standard input.

    Args:
        module: The module, which is run as by `python -m`.
        arguments: Its arguments.
        grace: Seconds between the interruption and the end of the process; 0: no interruption.
    """
    start = (sys.executable, "-m", "textrnn.host.parent_watch")
    return [*start, f"{grace:g}", module, *arguments]


def end_with_parent(*, grace: float = 0.0) -> None:
    """Ends this process when its standard input is closed by the other side.

    It also lets SIGINT through, which Ray blocks in the processes that it starts.

    Args:
        grace: Seconds between an interruption, as by Ctrl-C, and the end; 0: no interruption. A
            process that ignores SIGINT is not interrupted either, and ends at once.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_wait_for_the_end, args=[grace], daemon=True).start()


def _wait_for_the_end(grace: float) -> None:
    # sys.stdin would be locked by this thread when the interpreter ends.
    while os.read(_STDIN, 1024):
        pass
    # A shell lets its background jobs ignore SIGINT. Until a training sets its own handler, it has
    # nothing to save.
    if grace and callable(signal.getsignal(signal.SIGINT)):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        time.sleep(grace)
    # Nothing may be cleaned up: another process may have taken the place of this one.
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    end_with_parent(grace=float(sys.argv.pop(1)))
    module_name = sys.argv.pop(1)
    runpy.run_module(module_name, run_name="__main__", alter_sys=True)
