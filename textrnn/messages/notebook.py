"""A reporter for notebooks: one block of output that is replaced as the work goes on."""

from __future__ import annotations

import contextlib
import html
import time
from collections.abc import Iterator
from typing import Any

from textrnn.messages.shown import one_line
from textrnn.messages.terminal import TerminalReporter
from textrnn.progress import Advance, Reporter

__all__ = ["NotebookReporter", "in_notebook", "reporter_for_people"]

LEAST_SECONDS = 0.25
"""The least time between two drawings of a bar."""


def in_notebook() -> bool:
    """Returns whether this code runs in the kernel of a notebook, such as Jupyter's or Colab's."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


def reporter_for_people() -> Reporter:
    """Returns a reporter that shows bars in a notebook and in a terminal, and lines elsewhere."""
    return NotebookReporter() if in_notebook() else TerminalReporter()


class NotebookReporter(TerminalReporter):
    """Shows messages, and below them a bar of the step that runs, in the output of one cell.

    The block is replaced each time, so that a saved notebook has the messages without a trace of
    the bars. It needs no widgets.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._display: Any = None

    def message(self, text: str) -> None:
        """Adds one line."""
        self._lines.append(text)
        self._draw()

    @contextlib.contextmanager
    def step(self, name: str, *, total: int) -> Iterator[Advance]:
        """Shows a bar until the step ends."""
        begin = drawn = time.monotonic()
        done = 0

        def advance(count: int, text: str = "") -> None:
            nonlocal done, drawn
            done, now = done + count, time.monotonic()
            if now - drawn >= LEAST_SECONDS:
                drawn = now
                left = (now - begin) / done * (total - done) if done and total else None
                self._draw(_Bar(name, done, total=total, left=left, text=text))

        self._draw(_Bar(name, 0, total=total))
        try:
            yield advance
        finally:
            self._draw()

    @contextlib.contextmanager
    def wait(self, name: str) -> Iterator[None]:
        """Shows a moving bar until the work ends."""
        self._draw(_Bar(name, 0, total=0))
        try:
            yield
        finally:
            self._draw()

    def _draw(self, bar: _Bar | None = None) -> None:
        """Shows all messages, and perhaps a bar below them, in place of what was shown before."""
        from IPython.display import display

        lines = "\n".join(self._lines)
        style = "white-space:pre-wrap;margin:0"
        data = {
            "text/plain": "\n".join([*self._lines, *([str(bar)] if bar else [])]),
            "text/html": f'<pre style="{style}">{html.escape(lines)}</pre>'
            + (bar.html() if bar else ""),
        }
        if self._display is None:
            self._display = display(data, raw=True, display_id=True)
        else:
            self._display.update(data, raw=True)


class _Bar:
    """How far a step has come."""

    def __init__(
        self, name: str, done: int, *, total: int, left: float | None = None, text: str = ""
    ) -> None:
        self._done, self._total = done, total
        count = f"{done:,}/{total:,}" if total else (f"{done:,}" if done else "")
        remaining = "" if left is None else f"{left:.0f} s left"
        self._name = one_line(name)
        self._figures = "  ".join(filter(None, (count, remaining, one_line(text))))

    def __str__(self) -> str:
        return f"{self._name} {self._figures}".rstrip()

    def html(self) -> str:
        """Returns the bar as HTML."""
        place = f'max="{self._total}" value="{self._done}"' if self._total else ""
        return (
            f'<div style="font-family:monospace">{html.escape(self._name)} '
            f'<progress style="width:20em" {place}></progress> {html.escape(self._figures)}</div>'
        )
