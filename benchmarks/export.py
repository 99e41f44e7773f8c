"""What the exported files cost: size, load time, first run, latency, resident memory.

    python benchmarks/export.py                            # V=8,000, E=64, H=128, T=64 and 256
    python benchmarks/export.py --length 256 --csv export.csv

Each model reads one text of T tokens in one direction and classifies its last state; beside
textrnn's cells in their forms stand keras.layers' LSTM and GRU, converted in the standard way.
Every file is loaded in a process of its own, in the same runtime (LiteRT with XNNPACK, one thread);
for the latencies all take turns.
"""

from __future__ import annotations

import itertools
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from interleave import median_ratio, print_table, race

VOCABULARY, EMBEDDING, UNITS, CLASSES = 8000, 64, 128, 2
CELLS = {
    "simple": ("loop", "unrolled"),
    "gru": ("loop", "unrolled"),
    "lstm": ("fused", "loop", "unrolled"),
    "mingru": ("parallel", "loop", "unrolled"),
    "minlstm": ("parallel", "loop", "unrolled"),
}
PEERS = {"lstm": "LSTM", "gru": "GRU"}
MEBIBYTE = 2**20


def random_ids(length: int) -> np.ndarray:
    return np.random.default_rng(0).integers(2, VOCABULARY, (1, length)).astype(np.int32)


def convert(path: Path, cell: str, form: str, length: int, precision: str) -> None:
    """Makes the file of one contestant; the form `keras` is Keras' own layer."""
    from textrnn.classifier import TextClassifier
    from textrnn.config import ModelConfig
    from textrnn.export.conversion import convert as to_tflite
    from textrnn.export.tflite import stage_model

    with tempfile.TemporaryDirectory() as source:
        if form == "keras":
            stage_keras(source, PEERS[cell], length)
        else:
            config = ModelConfig(
                cell=cell,
                units=UNITS,
                embedding_units=EMBEDDING,
                bidirectional=False,
                window=1,
                head="last",
            )
            model = TextClassifier(VOCABULARY, CLASSES, config=config)
            model.build((None, None))
            stage_model(model, source, length=length, form=form, multi_label=False)
        to_tflite(source, str(path), precision)


def stage_keras(folder: str, kind: str, length: int) -> None:
    import keras
    import tensorflow as tf

    ids = keras.Input((length,), batch_size=1, dtype="int32", name="ids")
    states = keras.layers.Embedding(VOCABULARY, EMBEDDING)(ids)
    states = getattr(keras.layers, kind)(UNITS)(states)
    scores = keras.layers.Dense(CLASSES, activation="softmax")(states)
    model = keras.Model(ids, scores)
    module = tf.Module()
    module.weights_of_model = [weight.value for weight in model.variables]
    function = tf.function(lambda ids: {"scores": model(ids)}).get_concrete_function(
        tf.TensorSpec([1, length], tf.int32, name="ids")
    )
    tf.saved_model.save(module, folder, signatures={"serving_default": function})


def build(path: str, length: int) -> Callable[[], Any]:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=path, num_threads=1).get_signature_runner()
    ids = random_ids(length)
    return lambda: runner(ids=ids)


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / MEBIBYTE


def load(pipe: Any, path: str, length: int) -> None:
    """Seconds to load a file and to run it first, and the memory that it then takes."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: F401 (so that its own cost is none)

    before, start = resident(), time.perf_counter()
    run = build(path, length)
    loaded = time.perf_counter()
    run()
    first = time.perf_counter()
    pipe.send((loaded - start, first - loaded, resident() - before))


def measure_load(path: str, length: int) -> tuple[float, float, float]:
    context = multiprocessing.get_context("spawn")
    pipe, end = context.Pipe()
    process = context.Process(target=load, args=(end, path, length))
    process.start()
    end.close()
    result: tuple[float, float, float] = pipe.recv()
    process.join()
    return result


def contestants(cells: tuple[str, ...], precisions: tuple[str, ...]) -> list[tuple[str, str, str]]:
    found = [(cell, form, "float32") for cell in cells for form in CELLS[cell]]
    found += [
        (cell, CELLS[cell][0], precision)
        for cell, precision in itertools.product(cells, precisions)
        if precision != "float32"
    ]
    return [*((cell, "keras", "float32") for cell in PEERS), *found]


@click.command()
@click.option("--cell", "cells", multiple=True, type=click.Choice(list(CELLS)), default=CELLS)
@click.option("--length", "lengths", multiple=True, type=int, default=[64, 256], help="T.")
@click.option("--precision", "precisions", multiple=True, default=["dynamic_int8"])
@click.option("--rounds", default=30, show_default=True)
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the figures here.")
def main(
    cells: tuple[str, ...],
    lengths: tuple[int, ...],
    precisions: tuple[str, ...],
    rounds: int,
    csv_file: Path | None,
) -> None:
    """Measure the exported files."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for length in lengths:
            files = {}
            for cell, form, precision in contestants(cells, precisions):
                path = Path(folder) / f"{cell}_{form}_{precision}_{length}.tflite"
                convert(path, cell, form, length, precision)
                files[cell, form, precision] = path
            runs = {
                "/".join(key): (build, {"path": str(path), "length": length})
                for key, path in files.items()
            }
            times = race(runs, rounds=rounds)
            for key, path in files.items():
                loaded, first, memory = measure_load(str(path), length)
                size = path.stat().st_size / MEBIBYTE
                own = times["/".join(key)]
                row: dict[str, Any] = dict(zip(("cell", "form", "precision"), key, strict=True))
                row |= {
                    "T": length,
                    "file MiB": size,
                    "load ms": loaded * 1e3,
                    "first run ms": first * 1e3,
                    "MiB over file": memory - size,
                    "run ms": statistics.median(own),
                }
                for peer in PEERS:
                    slow = times[f"{peer}/keras/float32"]
                    row[f"keras {PEERS[peer]} / this"] = median_ratio(slow, own)
                rows.append(row)
    print_table(rows, csv_file=csv_file, title="One text, one thread, median of rounds")


if __name__ == "__main__":
    main()
