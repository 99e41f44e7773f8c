"""Measures how many tokens a second the batches of a training bring, without any training.

    python benchmarks/pipeline.py
    python benchmarks/pipeline.py --mean-length 60 --batch-tokens 65536 --batch-texts 512

The texts are random numbers of random lengths. Tokens are those of the texts, without padding.
"""

from __future__ import annotations

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from textrnn.data.batching import BatchPlan
from textrnn.training.batches.labelled_batches import LabelledBatches


@click.command()
@click.option("--texts", default=25_000, show_default=True)
@click.option("--mean-length", default=280, show_default=True, help="Tokens of an average text.")
@click.option("--batch-tokens", default=8192, show_default=True)
@click.option("--batch-texts", default=32, show_default=True)
@click.option("--epochs", default=3, show_default=True)
def main(texts: int, mean_length: int, batch_tokens: int, batch_texts: int, epochs: int) -> None:
    """Print the speed of each epoch."""
    rng = np.random.default_rng(0)
    lengths = np.maximum(rng.gamma(2.0, mean_length / 2.0, texts).astype(int), 1)
    ids = [rng.integers(2, 8000, length).astype(np.int32) for length in lengths]
    plan = BatchPlan(ids, batch_tokens=batch_tokens, batch_texts=batch_texts)
    targets = np.eye(2, dtype=np.float32)[rng.integers(0, 2, texts)]
    data = LabelledBatches(plan, targets, np.ones(texts, np.float32))
    table = Table("epoch", "batches", "seconds", "tokens/s")
    for epoch in range(epochs):
        start = time.perf_counter()
        batches = plan.batches(seed=[0, epoch])
        for _ in data.dataset(batches):
            pass
        seconds = time.perf_counter() - start
        speed = f"{plan.total_tokens / seconds:,.0f}"
        table.add_row(str(epoch + 1), f"{len(batches):,}", f"{seconds:.2f}", speed)
    Console().print(table)


if __name__ == "__main__":
    main()
