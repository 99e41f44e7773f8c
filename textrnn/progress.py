"""The one interface by which the library reports messages and progress, and a silent reporter.

A function that has something to report takes `reporter: Reporter | None = None`, and None means
silence:

    def encode(texts: Sequence[str], *, reporter: Reporter | None = None) -> list[np.ndarray]:
        reporter = reporter or Silent()
        reporter.message(f"encoding {len(texts):,} texts")
        with reporter.step("texts", total=len(texts)) as advance:
            for block in blocks(texts):
                ...
                advance(len(block))

The library never chooses where reports go: the caller passes
`textrnn.messages.terminal.TerminalReporter` for bars and lines on stderr,
`textrnn.messages.json_lines.JsonReporter` for JSON lines on stderr, or a class of its own. A
function that only counts takes a `Callable[[int], None] | None`: the `advance` of a step is one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Protocol

__all__ = ["Advance", "Reporter", "Silent"]


class Advance(Protocol):
    """The callable that `Reporter.step` yields."""

    def __call__(self, count: int, text: str = "", /) -> None:
        """Reports that `count` more parts are done.

        Args:
            count: The number of parts finished since the last call.
            text: A few figures to show with the progress.
        """


class Reporter(Protocol):
    """Receives the messages and the progress of long work."""

    def message(self, text: str) -> None:
        """Reports one line of text."""

    def epoch(self, row: Mapping[str, float]) -> None:
        """Reports the figures of an epoch that has ended."""

    def step(self, name: str, *, total: int) -> contextlib.AbstractContextManager[Advance]:
        """Reports one step of the work from the opening of the context to its end.

        Args:
            name: The name of the step, such as "epoch 1/4".
            total: The number of its parts; 0 if it is unknown.
        """

    def wait(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Reports work of unknown length from the opening of the context to its end."""


class Silent:
    """A reporter that reports nothing.

    >>> reporter = Silent()
    >>> reporter.message("nobody reads this")
    >>> with reporter.step("texts", total=2) as advance:
    ...     advance(1, "loss 0.5")
    """

    def message(self, text: str) -> None:
        """Does nothing."""

    def epoch(self, row: Mapping[str, float]) -> None:
        """Does nothing."""

    @contextlib.contextmanager
    def step(self, name: str, *, total: int) -> Iterator[Advance]:
        """Yields a callable that does nothing."""
        yield lambda count, text="": None

    @contextlib.contextmanager
    def wait(self, name: str) -> Iterator[None]:
        """Does nothing."""
        yield
