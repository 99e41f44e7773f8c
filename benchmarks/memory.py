"""Peak memory of a training step against the length of the text, with and without `recompute`.

    python benchmarks/memory.py --plot docs/memory.png

Each figure is the peak of a process of its own (B=16, E=H=128, bidirectional off), less the peak
that the same process had reached after a step of 16 tokens.
"""

from __future__ import annotations

import math
import multiprocessing
import resource
from pathlib import Path
from typing import Any

import click
from interleave import print_table

BATCH, UNITS = 16, 128


def peak_mebibytes(pipe: Any, cell: str, length: int, recompute: int, kernel: str) -> None:
    from textrnn.host.threads import set_thread_defaults

    set_thread_defaults()
    import tensorflow as tf

    import textrnn
    from textrnn.layers.cells import CELLS

    layer = textrnn.RNN(CELLS[cell](UNITS), recompute=recompute, kernel=kernel)
    layer.build((None, None, UNITS))

    @tf.function(input_signature=[tf.TensorSpec([BATCH, None, UNITS])])
    def step(inputs: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(inputs, training=True))
        weights = [weight.value for weight in layer.trainable_weights]
        return [tf.reduce_sum(g) for g in tape.gradient(loss, [inputs, *weights])]

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    step(tf.ones([BATCH, 16, UNITS]))
    before = peak()
    step(tf.ones([BATCH, length, UNITS]))
    pipe.send(peak() - before)


def measure(**arguments: Any) -> float:
    context = multiprocessing.get_context("spawn")
    pipe, end = context.Pipe()
    process = context.Process(target=peak_mebibytes, args=(end,), kwargs=arguments)
    process.start()
    end.close()
    result = pipe.recv()
    process.join()
    return float(result)


@click.command()
@click.option("--cell", "cells", multiple=True, default=["lstm", "mingru"], show_default=True)
@click.option("--length", "lengths", multiple=True, type=int, default=[256, 1024, 4096, 16384])
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the figures here.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the curves here.")
def main(
    cells: tuple[str, ...], lengths: tuple[int, ...], csv_file: Path | None, plot: Path | None
) -> None:
    """Measure the peak memory of a training step."""
    rows = []
    for cell in cells:
        for length in lengths:
            segment = 2 ** round(math.log2(math.sqrt(length)) + 1)
            settings = {"cell": cell, "length": length}
            plain = measure(**settings, recompute=0, kernel="unroll")
            stored = measure(**settings, recompute=0, kernel="auto")
            again = measure(**settings, recompute=segment, kernel="auto")
            inputs = BATCH * length * UNITS * 4 / 2**20
            rows.append(
                {
                    "cell": cell,
                    "T": length,
                    "inputs MiB": inputs,
                    "TensorFlow's gradient MiB": plain,
                    "explicit gradient MiB": stored,
                    "recompute S": segment,
                    "recomputed MiB": again,
                }
            )
    print_table(rows, csv_file=csv_file, title=f"Peak memory of a training step, B={BATCH}")
    if plot is not None:
        draw(rows, plot)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    styles = {
        "TensorFlow's gradient MiB": ":",
        "explicit gradient MiB": "--",
        "recomputed MiB": "-",
    }
    colours = {cell: f"C{i}" for i, cell in enumerate(dict.fromkeys(row["cell"] for row in rows))}
    for cell, colour in colours.items():
        cell_rows = [row for row in rows if row["cell"] == cell]
        for key, style in styles.items():
            axes.loglog(
                [row["T"] for row in cell_rows],
                [row[key] for row in cell_rows],
                style,
                color=colour,
                marker="o",
                label=f"{cell}, {key.removesuffix(' MiB')}",
                base=2,
            )
    axes.loglog(
        [row["T"] for row in cell_rows],
        [row["inputs MiB"] for row in cell_rows],
        color="grey",
        label="the inputs themselves",
        base=2,
    )
    axes.set(xlabel="tokens of a text", ylabel="peak of a training step, MiB")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
