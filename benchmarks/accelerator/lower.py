"""Lowers textrnn's whole updates to StableHLO for a GPU; needs TensorFlow, but no GPU.

    python benchmarks/accelerator/lower.py --out out
    python benchmarks/accelerator/lower.py --cell lstm --source plain --source vat --out out

An update is everything from the ids to the new weights: the forward pass, the gradients, clipping
and Adam. For each program it writes NAME.stablehlo, NAME.npz (the inputs, and the outputs that
TensorFlow computes on this CPU without XLA) and NAME.json. `run_jax.py` compiles, checks and times
them where there is JAX alone.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from pathlib import Path
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import click
import keras
import numpy as np
import tensorflow as tf
from programs import SOURCES, Program, Shape, fixed_directions, make_program
from rich.console import Console
from rich.table import Table

from textrnn.layers.cells import CELLS


@click.command()
@click.option("--cell", "cells", multiple=True, type=click.Choice(list(CELLS)), default=list(CELLS))
@click.option(
    "--source",
    "sources",
    multiple=True,
    type=click.Choice([*SOURCES, "pretraining"]),
    default=["plain"],
    show_default=True,
)
@click.option("--batch", default=64, show_default=True, help="B.")
@click.option("--length", default=256, show_default=True, help="T.")
@click.option("--units", default=128, show_default=True, help="E and H.")
@click.option("--vocabulary", default=4096, show_default=True, help="V.")
@click.option("--platform", default="GPU", type=click.Choice(["GPU", "CPU"]), show_default=True)
@click.option("--out", default="out", type=click.Path(path_type=Path), show_default=True)
def main(
    cells: tuple[str, ...],
    sources: tuple[str, ...],
    batch: int,
    length: int,
    units: int,
    vocabulary: int,
    platform: str,
    out: Path,
) -> None:
    """Lower updates, and compute what they should give."""
    shape = Shape(batch, length, units, vocabulary)
    out.mkdir(parents=True, exist_ok=True)
    table = Table("program", "lowered in s", "KiB", "TensorFlow ms")
    for cell, source in itertools.product(cells, sources):
        with mock.patch.object(keras.random, "normal", fixed_directions):
            program = make_program(cell, source, shape)
            facts = write_program(program, out, platform=platform)
        table.add_row(
            program.name,
            f"{facts['lowering_s']:.1f}",
            f"{facts['bytes'] / 1024:,.0f}",
            f"{1000 * facts['tensorflow_s']:.0f}",
        )
    Console().print(table)


def write_program(program: Program, out: Path, *, platform: str) -> dict[str, float]:
    """Writes the three files of a program, and returns what was measured."""
    pure = program.pure
    values = [tf.convert_to_tensor(variable.value) for variable in pure.variables]
    count = len(program.arguments)

    @tf.function(autograph=False)
    def plain(*tensors: tf.Tensor) -> list[tf.Tensor]:
        result, new = pure(tensors[:count], values=tensors[count:])
        return [result, *new]

    inputs = [*program.arguments, *values]
    outputs = plain(*inputs)
    start = time.perf_counter()
    np.asarray(plain(*inputs)[0])
    tensorflow_s = time.perf_counter() - start
    start = time.perf_counter()
    module = pure.stablehlo(program.arguments, platform=platform)
    facts = {
        "lowering_s": time.perf_counter() - start,
        "tensorflow_s": tensorflow_s,
        "bytes": len(module),
    }
    arrays = {f"in{i}": np.asarray(value) for i, value in enumerate(inputs)}
    arrays |= {f"out{i}": _as_float(value) for i, value in enumerate(outputs)}
    (out / f"{program.name}.stablehlo").write_bytes(module)
    np.savez_compressed(out / f"{program.name}.npz", **arrays)  # type: ignore[arg-type]
    names = ["loss, correct, norm and flags", *(f"new {v.path}" for v in pure.variables)]
    description = {
        "precision": program.precision,
        "platform": platform,
        "outputs": names,
        "tensorflow": tf.__version__,
        **facts,
    }
    (out / f"{program.name}.json").write_text(json.dumps(description, indent=1))
    return facts


def _as_float(value: tf.Tensor) -> np.ndarray:
    return np.asarray(tf.cast(value, tf.float32) if value.dtype.is_floating else value)


if __name__ == "__main__":
    main()
