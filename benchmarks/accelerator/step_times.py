"""Times of an update on the device at hand, as torch_peer.py has them of PyTorch.

    python benchmarks/accelerator/step_times.py                  # B=64 T=256 E=H=128
    python benchmarks/accelerator/step_times.py --cell lstm --length 64

Both directions, attention, Adam, texts of half the length to the whole: the same as in
torch_peer.py. `step` waits for each update; `streamed` only for the last one, as a training does.
"""

from __future__ import annotations

import statistics
import time

import click
import numpy as np
from programs import Shape, Update, make_update, plain_settings
from rich.console import Console
from rich.table import Table

from textrnn.config.choices import CELLS
from textrnn.host.gpu import grow_gpu_memory
from textrnn.training.devices.device import device_message
from textrnn.training.devices.strategy import Distribution

WARM_UP = 5
FLAGS = [0.0, 0.0, 0.0]


@click.command()
@click.option("--cell", "cells", multiple=True, default=CELLS[:-1], type=click.Choice(CELLS))
@click.option("--batch", default=64, show_default=True)
@click.option("--length", default=256, show_default=True)
@click.option("--units", default=128, show_default=True)
@click.option("--vocabulary", default=4096, show_default=True)
@click.option("--repeats", default=30, show_default=True)
@click.option("--precision", "precisions", multiple=True, default=("float32", "bfloat16"))
@click.option("--jit/--no-jit", "jit", default=None, help="By default both.")
def main(
    cells: tuple[str, ...],
    batch: int,
    length: int,
    units: int,
    vocabulary: int,
    repeats: int,
    precisions: tuple[str, ...],
    jit: bool | None,
) -> None:
    """Print the times of an update by each cell, in each precision, with and without XLA."""
    grow_gpu_memory()
    shape = Shape(batch, length, units, vocabulary)
    table = Table("cell", "precision", "XLA", "first s", "step ms", "streamed ms", "tokens/s")
    for cell in cells:
        for precision in precisions:
            for compiled in (False, True) if jit is None else (jit,):
                settings = {**plain_settings(cell, shape), "precision": precision}
                update = make_update(shape, settings, jit=compiled)
                first, step, streamed = times(update, repeats)
                speed = np.count_nonzero(update.batch[0]) / streamed
                table.add_row(
                    cell,
                    precision,
                    "on" if compiled else "off",
                    f"{first:.1f}",
                    f"{1000 * step:.2f}",
                    f"{1000 * streamed:.2f}",
                    f"{speed:,.0f}",
                )
    console = Console()
    console.print(device_message(Distribution.choose("single")))
    console.print(table)


def times(update: Update, repeats: int) -> tuple[float, float, float]:
    """The seconds of the first update, of one that is waited for, and of one in a stream."""

    def run(number: int) -> object:
        return update.step(update.batch, FLAGS, seed=[0, number])

    seconds = []
    for number in range(WARM_UP + repeats):
        start = time.perf_counter()
        np.asarray(run(number))
        seconds.append(time.perf_counter() - start)
    start = time.perf_counter()
    for number in range(repeats):
        last = run(number)
    np.asarray(last)
    streamed = (time.perf_counter() - start) / repeats
    return seconds[0], statistics.median(seconds[WARM_UP:]), streamed


if __name__ == "__main__":
    main()
