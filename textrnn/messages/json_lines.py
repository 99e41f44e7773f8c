"""A reporter that writes JSON lines on stderr, for programs that watch a training."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Mapping
from typing import Any

from textrnn.messages.terminal import Stderr, TerminalReporter

__all__ = ["JsonReporter"]


class JsonReporter(TerminalReporter):
    """Writes JSON lines on stderr, each with its `time` (ISO 8601, UTC) and its `event`.

    A `message` has a `text`. A `progress` has `step`, `done`, `total`, `seconds_left` (null while
    it is unknown) and `text`. An `epoch` has all figures of the epoch.
    """

    def __init__(self) -> None:
        super().__init__(Stderr(stderr=True, force_terminal=False))

    def message(self, text: str) -> None:
        """Writes one line."""
        self._write("message", text=text)

    def epoch(self, row: Mapping[str, float]) -> None:
        """Writes the figures of an epoch that has ended."""
        self._write("epoch", **row)

    def progress(self, name: str, done: int, total: int, left: float | None, text: str) -> None:
        """Writes how far a step has come."""
        self._write("progress", step=name, done=done, total=total, seconds_left=left, text=text)

    def _write(self, event: str, **fields: Any) -> None:
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **fields}, ensure_ascii=False)
        with contextlib.suppress(OSError):
            self.console.out(line, highlight=False)
