"""What a long run shows: bars with rate and time left on a terminal, log lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["Advance", "Reporter"]

Advance = Callable[..., None]
"""`advance(count, text="")`: so much more is done, with a few figures to show beside it."""

LOG_SECONDS = 10.0
"""Between two log lines of one step, where there is no terminal."""


class Reporter:
    """Messages and progress, on stderr.

    Args:
        console: Where to write; stderr if None.
        quiet: Whether to say nothing at all.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console = console or Console(stderr=True, highlight=False, quiet=quiet)

    def message(self, text: str) -> None:
        """One line, as it is."""
        self.console.print(text, markup=False, soft_wrap=True)

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
            yield self._log_lines(name, total)

    @contextlib.contextmanager
    def wait(self, name: str) -> Iterator[None]:
        """Says that something of unknown length is going on."""
        if self.console.is_terminal:
            with self.console.status(name):
                yield
        else:
            self.message(name)
            yield

    def _log_lines(self, name: str, total: int) -> Advance:
        start = last = time.monotonic()
        done = 0

        def advance(count: int, text: str = "") -> None:
            nonlocal done, last
            done += count
            now = time.monotonic()
            if now - last >= LOG_SECONDS:
                last = now
                left = (now - start) / done * (total - done) if done else 0.0
                self.message(f"{name} {done}/{total}, {left:.0f} s left {text}".rstrip())

        return advance
