"""Times contestants in turn, each in a process of its own with its own library's settings.

One after the other in small portions, so that a machine that is slow for a while is slow for all,
and each alone on the cores while it runs.
"""

from __future__ import annotations

import contextlib
import csv
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["median_ratio", "print_table", "race"]

Build = Callable[..., Callable[[], Any]]


def race(
    contestants: dict[str, tuple[Build, dict[str, Any]]], *, rounds: int, warm_up: int = 2
) -> dict[str, list[float]]:
    """Milliseconds of each contestant's step in each round.

    Args:
        contestants: By name, a function at the top of a module, and its arguments: it gives the
            step to be timed, which must have ended when it returns.
        rounds: How often each is timed.
        warm_up: Steps that each makes first.
    """
    context = multiprocessing.get_context("spawn")
    with contextlib.ExitStack() as stack:
        pipes = {}
        for name, (build, arguments) in contestants.items():
            pipe, end = context.Pipe()
            process = context.Process(target=_serve, args=(end, build, arguments), daemon=True)
            process.start()
            end.close()  # So that the death of the process is the end of the pipe.
            stack.callback(process.join)
            stack.callback(pipe.close)
            pipe.send(warm_up)
            pipe.recv()  # Built and warm before the next one starts.
            pipes[name] = pipe
        times: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(rounds):
            for name, pipe in pipes.items():
                pipe.send(1)
                times[name].append(pipe.recv())
    return times


def _serve(pipe: Connection, build: Build, arguments: dict[str, Any]) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    step = build(**arguments)
    while True:
        try:
            steps = pipe.recv()
        except EOFError:
            return
        start = time.perf_counter()
        for _ in range(steps):
            step()
        pipe.send((time.perf_counter() - start) / max(steps, 1) * 1e3)


def median_ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """The median over the rounds of how many times as long the first took."""
    return statistics.median(s / f for s, f in zip(slow, fast, strict=True))


def print_table(rows: list[dict[str, Any]], *, csv_file: Path | None, title: str) -> None:
    """Prints the rows, which have the same keys, and writes them to a file if one is given."""
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    Console(highlight=False, width=160).print(table)
    if csv_file is not None:
        with csv_file.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def _text(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
