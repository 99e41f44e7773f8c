"""Step times of the recurrent layers beside those of keras.layers and torch.nn.

    python benchmarks/recurrence.py                                  # B=64, T=256, E=H=128
    python benchmarks/recurrence.py --length 64 --length 1024 --length 4096 --batch 32
    python benchmarks/recurrence.py --vocabulary 8000 --vocabulary 64000 --used 8000 --no-peers

A step is what a user of the library would run: an embedding, the layer, its last state, a dense
layer and, in training, the gradient and Adam. Every library has all cores of the machine, in a
process of its own, with the threads it takes by itself; keras.layers are timed with and without
XLA, and the better time counts. Ratios are medians over rounds in which all take turns.
"""

from __future__ import annotations

import importlib.util
import itertools
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from interleave import median_ratio, print_table, race

CELLS = ("simple", "gru", "lstm", "mingru", "minlstm")
KERAS = {"simple": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}
TORCH = {"simple": "RNN", "gru": "GRU", "lstm": "LSTM"}


def random_batch(batch: int, length: int, used: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    ids = rng.integers(1, used, (batch, length)).astype(np.int32)
    return ids, rng.integers(0, 2, batch).astype(np.int32)


def build_textrnn(
    cell: str, kernel: str, precision: str, chunk_steps: int | None, jit: bool, **shape: Any
) -> Callable[[], Any]:
    from textrnn.host.threads import set_thread_defaults

    set_thread_defaults()
    import keras

    import textrnn
    from textrnn.layers.cells import CELLS
    from textrnn.layers.embedding import TokenEmbedding
    from textrnn.training.update.lazy_adam import LazyAdam

    dtype = "float32" if precision == "float32" else f"mixed_{precision}"
    layer = textrnn.RNN(
        CELLS[cell](shape["units"], dtype=dtype), kernel=kernel, chunk_steps=chunk_steps
    )
    # XLA cannot compile the search for the rows that a batch used.
    optimizer = keras.optimizers.Adam() if jit else LazyAdam()
    embedding = TokenEmbedding(shape["vocabulary"], shape["units"], dtype=dtype)
    return _build_in_keras(embedding, layer, optimizer, jit=jit, **shape)


def build_keras(kind: str, jit: bool, **shape: Any) -> Callable[[], Any]:
    import keras

    layer = getattr(keras.layers, kind)(shape["units"])
    embedding = keras.layers.Embedding(shape["vocabulary"], shape["units"])
    return _build_in_keras(embedding, layer, keras.optimizers.Adam(), jit=jit, **shape)


def _build_in_keras(
    embedding: Any,
    layer: Any,
    optimizer: Any,
    *,
    jit: bool,
    batch: int,
    length: int,
    units: int,
    vocabulary: int,
    used: int,
    training: bool,
) -> Callable[[], Any]:
    import keras
    import tensorflow as tf

    from textrnn.training.update.lazy_adam import LazyAdam
    from textrnn.training.update.row_gradients import unique_rows

    model = keras.Sequential(
        [
            embedding,
            layer,
            keras.layers.Dense(2, dtype="float32"),
        ]
    )
    model.build((None, None))
    ids, labels = (tf.constant(array) for array in random_batch(batch, length, used))
    if not training:
        forward = tf.function(lambda ids: model(ids, training=False), jit_compile=jit)
        return lambda: forward(ids).numpy()
    optimizer.build(model.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    lazy = isinstance(optimizer, LazyAdam)

    @tf.function(jit_compile=jit)
    def step(ids: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(ids, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        if lazy:
            gradients = [unique_rows(gradient) for gradient in gradients]
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    return lambda: step(ids, labels).numpy()


def build_torch(
    kind: str, batch: int, length: int, units: int, vocabulary: int, used: int, training: bool
) -> Callable[[], Any]:
    import torch

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(vocabulary, units)
            self.rnn = getattr(torch.nn, kind)(units, units, batch_first=True)
            self.dense = torch.nn.Linear(units, 2)

        def forward(self, ids: Any) -> Any:
            return self.dense(self.rnn(self.embedding(ids))[0][:, -1])

    model = Model()
    ids, labels = (torch.tensor(a).long() for a in random_batch(batch, length, used))
    optimizer = torch.optim.Adam(model.parameters())

    def forward() -> Any:
        with torch.no_grad():
            return model(ids).numpy()

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(ids), labels)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step if training else forward


def contestants(cell: str, peers: bool, **settings: Any) -> dict[str, Any]:
    textrnn_settings = {
        key: settings.pop(key) for key in ("kernel", "precision", "chunk_steps", "jit")
    }
    result: dict[str, Any] = {
        "textrnn": (build_textrnn, {"cell": cell, **textrnn_settings, **settings})
    }
    # The minimal cells have no peer of their own; a GRU is what they stand in for.
    kind = cell if cell in KERAS else "gru"
    if peers:
        for jit in (False, True):
            name = "keras jit" if jit else "keras"
            result[name] = (build_keras, {"kind": KERAS[kind], "jit": jit, **settings})
        if importlib.util.find_spec("torch") is not None:
            result["torch"] = (build_torch, {"kind": TORCH[kind], **settings})
    return result


@click.command()
@click.option("--cell", "cells", multiple=True, type=click.Choice(CELLS), default=CELLS)
@click.option("--length", "lengths", multiple=True, type=int, default=[256], help="T.")
@click.option("--units", "sizes", multiple=True, type=int, default=[128], help="E and H.")
@click.option("--vocabulary", "vocabularies", multiple=True, type=int, default=[20_000])
@click.option("--used", type=int, help="Number of distinct tokens that are drawn.  [default: all]")
@click.option("--batch", default=64, show_default=True, help="B.")
@click.option("--kernel", default="auto", show_default=True)
@click.option("--chunk-steps", type=int)
@click.option("--jit", is_flag=True, help="Compile textrnn's step by XLA.")
@click.option("--precision", default="float32", show_default=True)
@click.option("--forward/--no-forward", default=True, help="Time the forward pass too.")
@click.option("--peers/--no-peers", default=True, help="Time keras.layers and torch.nn too.")
@click.option("--rounds", default=10, show_default=True)
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the figures here.")
def main(
    cells: tuple[str, ...],
    lengths: tuple[int, ...],
    sizes: tuple[int, ...],
    vocabularies: tuple[int, ...],
    used: int | None,
    forward: bool,
    peers: bool,
    rounds: int,
    csv_file: Path | None,
    **settings: Any,
) -> None:
    """Time the recurrent layers."""
    rows = []
    for vocabulary, units, length, training, cell in itertools.product(
        vocabularies, sizes, lengths, [True, False] if forward else [True], cells
    ):
        shape = {"length": length, "units": units, "vocabulary": vocabulary, "training": training}
        shape["used"] = used or vocabulary
        times = race(contestants(cell, peers, **shape, **settings), rounds=rounds)
        textrnn_settings = times.pop("textrnn")
        row: dict[str, Any] = {
            "step": "training" if training else "forward",
            "cell": cell,
            "B": settings["batch"],
            "T": length,
            "E=H": units,
            "V": vocabulary,
            "textrnn ms": statistics.median(textrnn_settings),
            "us/token": statistics.median(textrnn_settings) * 1e3 / (settings["batch"] * length),
        }
        for name in ("keras", "keras jit", "torch"):
            if name in times:
                row[f"{name} ms"] = statistics.median(times[name])
                row[f"{name} / textrnn"] = median_ratio(times[name], textrnn_settings)
        rows.append(row)
    print_table(rows, csv_file=csv_file, title="One step, median of rounds; ratios in the round")


if __name__ == "__main__":
    main()
