"""The training speed of a language model, and the time of each part.

    python benchmarks/language_model.py
    python benchmarks/language_model.py --units 128 --layers 1 --window 3 --precision bfloat16

One update reads 64 streams of 64 tokens in both directions; a token that both directions read
counts once. The tokens follow Zipf's law. What the products alone would take is computed from the
speed of large products in the same process, one thread a core, as the step has them.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import click
import numpy as np
from interleave import print_table

from textrnn.cli.startup import start_tensorflow
from textrnn.config.choices import PRECISIONS
from textrnn.config.model import EncoderConfig


def product_speed(threads: int) -> float:
    """Returns the floating-point operations per second of products on several threads."""
    import tensorflow as tf

    left, right = tf.random.normal([4096, 256]), tf.random.normal([256, 512])
    products = 40

    def work() -> None:
        for _ in range(products):
            tf.linalg.matmul(left, right)

    best = 0.0
    for _ in range(5):
        workers = [threading.Thread(target=work) for _ in range(threads)]
        begin = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        seconds = time.perf_counter() - begin
        best = max(best, threads * products * 2 * 4096 * 256 * 512 / seconds)
    return best


def operations(shape: EncoderConfig, *, tokens: int, drawn: float, gates: int) -> float:
    """Returns the operations of the products in one update: forwards, and twice that backwards."""
    inputs, products = shape.embedding_units, 0.0
    for _ in range(shape.layers):
        products += shape.window * inputs * gates * shape.units
        inputs = shape.units
    products += inputs * shape.embedding_units + drawn * shape.embedding_units
    return 3 * 2 * 2 * tokens * products


@click.command()
@click.option("--cell", type=click.Choice(["mingru", "minlstm"]), default="mingru")
@click.option("--units", default=192, show_default=True)
@click.option("--layers", default=2, show_default=True)
@click.option("--window", default=1, show_default=True)
@click.option("--embedding-units", default=128, show_default=True)
@click.option("--vocab-size", default=16_000, show_default=True)
@click.option("--negatives", default=512, show_default=True)
@click.option(
    "--precision", type=click.Choice(PRECISIONS[1:]), default="float32", show_default=True
)
@click.option("--updates", default=30, show_default=True)
def main(
    cell: str,
    units: int,
    layers: int,
    window: int,
    embedding_units: int,
    vocab_size: int,
    negatives: int,
    precision: str,
    updates: int,
) -> None:
    """Prints tokens a second."""
    start_tensorflow()
    from textrnn.config.language_model import LanguageModelRunConfig
    from textrnn.host.threads import count_cores
    from textrnn.models.language_model import LanguageModel
    from textrnn.training.update.language_model_step import LanguageModelStep
    from textrnn.training.update.lazy_adam import LazyAdam
    from textrnn.training.update.negatives import Negatives

    streams, segment = 64, 64
    shape = EncoderConfig(
        cell=cell, units=units, layers=layers, window=window, embedding_units=embedding_units
    )
    dtype = "float32" if precision == "float32" else f"mixed_{precision}"
    model = LanguageModel(vocab_size, config=shape, dtype=dtype)
    model.build((None, None))
    optimizer = LazyAdam(1e-3)
    optimizer.build(model.trainable_variables)
    share = 1.0 / np.arange(1, vocab_size + 1)
    share /= share.sum()
    draws = Negatives(2e7 * share, size=negatives, seed=0)
    step = LanguageModelStep(
        model,
        optimizer,
        config=LanguageModelRunConfig.of(negatives=negatives, clip_norm=1.0, precision=precision),
        streams=streams,
        segment=segment,
    )
    rng = np.random.default_rng(0)
    size = (2, streams, segment + 1)
    batches = [rng.choice(vocab_size, p=share, size=size).astype(np.int32) for _ in range(8)]
    times = []
    for update in range(updates + 3):
        begin = time.perf_counter()
        step(batches[update % 8], draws.draw(update)).numpy()
        times.append(time.perf_counter() - begin)
    median = float(np.median(times[3:]))
    drawn = (
        np.mean([len(draws.draw(update)[0]) for update in range(20)]) if negatives else vocab_size
    )
    gates = {"mingru": 2, "minlstm": 3}[cell]
    wanted = operations(shape, tokens=streams * segment, drawn=float(drawn), gates=gates)
    speed = product_speed(min(2, count_cores()))
    row: dict[str, Any] = {
        "cell": f"{layers} x {cell} {units}, window {window}",
        "E": embedding_units,
        "precision": precision,
        "ms an update": f"{1e3 * median:.0f}",
        "tokens/s": f"{streams * segment / median:,.0f}",
        "GFLOP": f"{wanted / 1e9:.1f}",
        "GFLOP/s of products": f"{speed / 1e9:.0f}",
        "share of that": f"{wanted / speed / median:.0%}",
    }
    print_table([row], csv_file=None, title="one update of a language model")


if __name__ == "__main__":
    main()
