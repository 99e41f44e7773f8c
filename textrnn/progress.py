"""What a long run shows: bars with rate and time left on a terminal, log lines elsewhere."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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

__all__ = ["Advance", "JsonReporter", "Reporter"]

Advance = Callable[..., None]
"""`advance(count, text="")`: so much more is done, with a few figures to show beside it."""

LOG_SECONDS = 10.0
MOST_LOG_SECONDS = 300.0
"""Between two log lines of one step, where there is no terminal: a twentieth of the time that the
reporter has been there, within these bounds."""


BAR = 40
"""The columns of a bar where there is room for it."""
LEAST_BAR = 4


class Reporter:
    """Messages and progress, on stderr. That nothing can be written there ends no training.

    Args:
        console: Where to write; stderr if None.
        quiet: Whether to say nothing at all.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console = console or _Stderr(stderr=True, highlight=False, quiet=quiet)
        self._begin = time.monotonic()

    def message(self, text: str) -> None:
        """One line, as it is."""
        with contextlib.suppress(OSError):  # Such as a full disk, where stderr is a file.
            self.console.print(text, markup=False, emoji=False, soft_wrap=True)

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
            with Progress(_StepColumn(), console=self.console) as bar:
                task = bar.add_task(one_line(name), total=total or None, text="")
                yield lambda count, text="": bar.update(task, advance=count, text=text)
        else:
            yield self._now_and_then(name, total)

    @contextlib.contextmanager
    def wait(self, name: str) -> Iterator[None]:
        """Says that something of unknown length is going on."""
        if self.console.is_terminal:
            with self.console.status(Text(one_line(name))):
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
        super().__init__(_Stderr(stderr=True, force_terminal=False))

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
        with contextlib.suppress(OSError):
            self.console.out(line, highlight=False)


class _Stderr(Console):
    def on_broken_pipe(self) -> None:
        """Goes on without a reader, where rich would end the process."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


class _StepColumn(ProgressColumn):
    """All that there is to say of a step, on one line."""

    def __init__(self) -> None:
        super().__init__()
        self._done, self._elapsed = MofNCompleteColumn(), TimeElapsedColumn()
        self._left = TimeRemainingColumn()

    def render(self, task: Task) -> _StepLine:
        """The line."""
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
    """The parts of a line, which may be too long for the terminal.

    Then the bar becomes shorter and goes, after it the time that the step has taken, then the end
    of the figures, and at last that of the name.
    """

    task: Task
    name: Text
    done: Text
    elapsed: Text
    left: Text
    figures: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Fits the parts into the width that there is."""
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
        parts: list[RenderableType] = [self.name, self.done, *times, self.figures]
        if room > LEAST_BAR:
            parts.insert(1, BarColumn(min(room - 1, BAR)).render(self.task))
        line = Table.grid(*(Column(no_wrap=True) for _ in parts), padding=(0, 1))
        line.add_row(*parts)
        yield line
