"""Stops a training on Ctrl-C, or on SIGTERM, which schedulers of jobs send."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["interrupt_once", "resumable"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class interrupt_once:
    """While the context is open, the first Ctrl-C asks the training to stop after its batch.

    A second Ctrl-C stops at once. So does the first one before the first update, because there is
    nothing to save yet. SIGTERM counts as Ctrl-C. The context gives the function that the training
    asks whether to stop.

    Args:
        message: Shows a line to the user.
    """

    def __init__(self, message: Callable[[str], None]) -> None:
        self._message = message
        self._training = False
        self._asked = False

    def __enter__(self) -> Callable[[], bool]:
        self._previous = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self._should_stop

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _should_stop(self) -> bool:
        self._training = True
        return self._asked

    def _handle(self, *_: object) -> None:
        if self._asked or not self._training:
            raise KeyboardInterrupt
        self._asked = True
        self._message("stopping after this batch; Ctrl-C again stops at once")


@contextlib.contextmanager
def resumable(
    folder: Path, *, command: str, message: Callable[[str], None]
) -> Iterator[Callable[[], bool]]:
    """An `interrupt_once` that also says how to resume the run, if it has a checkpoint.

    Args:
        folder: The run folder.
        command: Name of the command that trains, such as `train`.
        message: Shows a line to the user.
    """
    from textrnn.training.run.folder import is_started

    try:
        with interrupt_once(message) as should_stop:
            yield should_stop
    except KeyboardInterrupt:
        if is_started(folder):
            message(f"saved; continue with: textrnn {command} --resume --output {folder}")
        raise
