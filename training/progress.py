"""What a long run shows: bars with rate and time left on a terminal, log lines elsewhere."""

from __future__ import annotations

import contextlib
import datetime
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["Advance", "JsonReporter", "Reporter"]

Advance = Callable[..., None]
"""`advance(count, text="")`: so much more is done, with a few figures to show beside it."""

LOG_SECONDS = 10.0
MOST_LOG_SECONDS = 300.0
"""Between two log lines of one step, where there is no terminal: a twentieth of the time that the
reporter has been there, within these bounds."""


class Reporter:
    """Messages and progress, on stderr.

    Args:
        console: Where to write; stderr if None.
        quiet: Whether to say nothing at all.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console = console or Console(stderr=True, highlight=False, quiet=quiet)
        self._begin = time.monotonic()

    def message(self, text: str) -> None:
        """One line, as it is."""
        self.console.print(text, markup=False, soft_wrap=True)

    def epoch(self, row: Mapping[str, float]) -> None:
        """The figures of an epoch that has ended."""
        self.message(
            f"epoch {row['epoch']}: loss {row['train_loss']:.4f}, validation loss "
            f"{row['valid_loss']:.4f}, validation accuracy {row['valid_accuracy']:.4f}, "
            f"{row['seconds']:.0f} s at {row['tokens_per_second']:,.0f} tokens/s"
        )

    @contextlib.contextmanager
    def step(self, name: str, *, total: int) -> Iterator[Advance]:
        """Shows the progress of one step of `total` parts while the context is open."""
        if self.console.is_terminal:
            with Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[text]}"),
                console=self.console,
            ) as bar:
                task = bar.add_task(name, total=total, text="")
                yield lambda count, text="": bar.update(task, advance=count, text=text)
        else:
            yield self._now_and_then(name, total)

    @contextlib.contextmanager
    def wait(self, name: str) -> Iterator[None]:
        """Says that something of unknown length is going on."""
        if self.console.is_terminal:
            with self.console.status(name):
                yield
        else:
            self.message(name)
            yield

    def _now_and_then(self, name: str, total: int) -> Advance:
        """Tells `progress` after some time at first, then more and more seldom."""
        last = time.monotonic()
        calls = done = 0
        first = (0.0, 0)

        def advance(count: int, text: str = "") -> None:
            nonlocal calls, done, first, last
            calls, done, now = calls + 1, done + count, time.monotonic()
            if calls == 2:  # The first says what was done before; the second traced the graph.
                first = (now, done)
            pause = min(max((now - self._begin) / 20, LOG_SECONDS), MOST_LOG_SECONDS)
            if now - last >= pause:
                last = now
                begin, before = first
                known = calls > 2 and done > before
                left = (now - begin) / (done - before) * (total - done) if known else None
                self.progress(name, done, total, left, text)

        return advance

    def progress(self, name: str, done: int, total: int, left: float | None, text: str) -> None:
        """How far a step is, with the seconds that are left of it, if known, and a few figures."""
        told = "" if left is None else f", {left:.0f} s left"
        self.message(f"{name} {done}/{total}{told} {text}".rstrip())


class JsonReporter(Reporter):
    """The same as JSON lines on stderr, each with its time (ISO 8601, UTC) and its `event`.

    `message` has a `text`; `progress` the `step`, `done`, `total`, `seconds_left` (null while that
    is unknown) and `text`; `epoch` all figures of one.
    """

    def __init__(self) -> None:
        super().__init__(Console(stderr=True, force_terminal=False))

    def message(self, text: str) -> None:
        """One line."""
        self._write("message", text=text)

    def epoch(self, row: Mapping[str, float]) -> None:
        """The figures of an epoch that has ended."""
        self._write("epoch", **row)

    def progress(self, name: str, done: int, total: int, left: float | None, text: str) -> None:
        """How far a step is."""
        self._write("progress", step=name, done=done, total=total, seconds_left=left, text=text)

    def _write(self, event: str, **fields: Any) -> None:
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **fields}, ensure_ascii=False)
        self.console.out(line, highlight=False)
