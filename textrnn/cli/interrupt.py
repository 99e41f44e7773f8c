"""What Ctrl-C does while a model is trained."""

from __future__ import annotations

import signal
from collections.abc import Callable

__all__ = ["interrupt_once"]


class interrupt_once:
    """While open, the first Ctrl-C only asks training to stop; a second one stops at once.

    Before the first update there is nothing to save, and the first Ctrl-C stops at once too.
    """

    def __init__(self, message: Callable[[str], None]) -> None:
        self._message = message
        self._training = False
        self._asked = False

    def __enter__(self) -> Callable[[], bool]:
        self._previous = signal.signal(signal.SIGINT, self._handle)
        return self._should_stop

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _should_stop(self) -> bool:
        self._training = True
        return self._asked

    def _handle(self, *_: object) -> None:
        if self._asked or not self._training:
            raise KeyboardInterrupt
        self._asked = True
        self._message("stopping after this batch; Ctrl-C again stops at once")
