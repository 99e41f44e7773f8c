"""A reporter for people: bars with the time left on a terminal, log lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table
from rich.text import Text

from textrnn.messages.shown import one_line
from textrnn.progress import Advance

__all__ = ["Stderr", "TerminalReporter"]

LOG_SECONDS = 10.0
MOST_LOG_SECONDS = 300.0
"""The bounds of the time between two log lines of one step without a terminal; between them it is a
twentieth of the reporter's age."""

BAR = 40
"""The width of a bar, in columns, if the terminal is wide enough."""
LEAST_BAR = 4
"""The least width of a bar; a narrower terminal shows none."""


class TerminalReporter:
    """Writes messages and progress to stderr; a failure to write never ends a training.

    >>> import sys
    >>> reporter = TerminalReporter(Console(file=sys.stdout, force_terminal=False))
    >>> reporter.message("reading the data")
    reading the data

    Args:
        console: The console to write to; None means stderr.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Stderr(stderr=True, highlight=False)
        self._begin = time.monotonic()

    def message(self, text: str) -> None:
        """Writes one line, without any markup."""
        with contextlib.suppress(OSError):  # Such as a full disk, where stderr is a file.
            self.console.print(text, markup=False, emoji=False, soft_wrap=True)

    def epoch(self, row: Mapping[str, float]) -> None:
        """Writes the figures of an epoch that has ended."""
        self.message(
            f"epoch {row['epoch']}: loss {row['train_loss']:.4f}, validation loss "
            f"{row['valid_loss']:.4f}, validation accuracy {row['valid_accuracy']:.4f}, "
            f"{row['seconds']:.0f} s at {row['tokens_per_second']:,.0f} tokens/s"
        )

    @contextlib.contextmanager
    def step(self, name: str, *, total: int) -> Iterator[Advance]:
        """Shows a bar on a terminal, and elsewhere a log line from time to time."""
        if self.console.is_terminal:
            with Progress(_StepColumn(), console=self.console) as bar:
                task = bar.add_task(one_line(name), total=total or None, text="")
                yield lambda count, text="": bar.update(task, advance=count, text=text)
        else:
            yield self._log_advance(name, total)

    @contextlib.contextmanager
    def wait(self, name: str) -> Iterator[None]:
        """Shows a spinner on a terminal, and elsewhere one log line."""
        if self.console.is_terminal:
            with self.console.status(Text(one_line(name))):
                yield
        else:
            self.message(name)
            yield

    def _log_advance(self, name: str, total: int) -> Advance:
        """Returns a callable that logs the progress, less often as the reporter grows older."""
        last = time.monotonic()
        calls = done = 0
        first = (0.0, 0)

        def advance(count: int, text: str = "") -> None:
            nonlocal calls, done, first, last
            calls, done, now = calls + 1, done + count, time.monotonic()
            if calls == 2:  # The first call counts earlier work; the second traced the graph.
                first = (now, done)
            pause = min(max((now - self._begin) / 20, LOG_SECONDS), MOST_LOG_SECONDS)
            if now - last >= pause:
                last = now
                begin, before = first
                known = total > 0 and calls > 2 and done > before
                left = (now - begin) / (done - before) * (total - done) if known else None
                self.progress(name, done, total, left, text)

        return advance

    def progress(self, name: str, done: int, total: int, left: float | None, text: str) -> None:
        """Writes how far a step has come.

        Args:
            name: The name of the step.
            done: The number of its parts that are done.
            total: The number of all its parts; 0 if it is unknown.
            left: The seconds that are left; None if they are unknown.
            text: A few figures.
        """
        remaining = "" if left is None else f", {left:.0f} s left"
        of_all = f"/{total}" if total else ""
        self.message(f"{name} {done}{of_all}{remaining} {text}".rstrip())


class Stderr(Console):
    """A console that survives a closed pipe."""

    def on_broken_pipe(self) -> None:
        """Becomes quiet; rich would end the process."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


class _StepColumn(ProgressColumn):
    """Renders a step on one line: name, bar, count, times and figures."""

    def __init__(self) -> None:
        super().__init__()
        self._done, self._elapsed = MofNCompleteColumn(), TimeElapsedColumn()
        self._left = TimeRemainingColumn()

    def render(self, task: Task) -> _StepLine:
        """Renders the line."""
        left = self._left.render(task)
        return _StepLine(
            task,
            name=Text(task.description),
            done=self._done.render(task),
            elapsed=self._elapsed.render(task),
            left=left.append(" left") if left else left,  # Unknown if the total is.
            figures=Text(one_line(task.fields["text"])),
        )


@dataclass
class _StepLine:
    """The fields of a line, shortened where the terminal is too narrow.

    The bar shrinks and disappears first, then the elapsed time, then the end of the figures, and
    last the end of the name.
    """

    task: Task
    name: Text
    done: Text
    elapsed: Text
    left: Text
    figures: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Fits the fields into the available width."""
        room = options.max_width - self.done.cell_len - self.left.cell_len - 3
        figures = self.figures.cell_len
        self.name.truncate(max(options.max_width // 3, room - figures), overflow="ellipsis")
        room -= self.name.cell_len
        self.figures.truncate(max(room, 0), overflow="ellipsis")
        room -= self.figures.cell_len
        times = [self.left]
        if room > self.elapsed.cell_len + LEAST_BAR + 1:
            times.insert(0, self.elapsed)
            room -= self.elapsed.cell_len + 1
        fields: list[RenderableType] = [self.name, self.done, *times, self.figures]
        if room > LEAST_BAR:
            fields.insert(1, BarColumn(min(room - 1, BAR)).render(self.task))
        line = Table.grid(*(Column(no_wrap=True) for _ in fields), padding=(0, 1))
        line.add_row(*fields)
        yield line
