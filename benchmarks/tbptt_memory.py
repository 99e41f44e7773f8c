"""Peak memory of one update against the length of the text, whole and in segments.

    python benchmarks/tbptt_memory.py

Each figure is the peak of a process of its own (batch of 2 texts, default sizes, minGRU forwards),
less the peak that the same process had reached after an update of 256 tokens.
"""

from __future__ import annotations

import multiprocessing
import resource
from typing import Any

import click
from interleave import print_table


def peak_mebibytes(pipe: Any, length: int, tbptt: str | None) -> None:
    from textrnn.host.threads import set_thread_defaults
    from textrnn.models.label_space import LabelSpace

    set_thread_defaults()
    import numpy as np
    import tensorflow as tf

    from textrnn.config.classifier import ClassifierRunConfig
    from textrnn.config.model import ModelConfig
    from textrnn.models.classifier import TextClassifier
    from textrnn.training.devices.strategy import Distribution
    from textrnn.training.update.gradient_sources.choice import choose_source
    from textrnn.training.update.losses import BatchLoss
    from textrnn.training.update.optimizer import make_optimizer
    from textrnn.training.update.signals import Signals
    from textrnn.training.update.step import Step

    model = TextClassifier(16_000, 2, config=ModelConfig(bidirectional=False))
    model.build((None, None))
    config = ClassifierRunConfig.of(tbptt=tbptt)
    optimizer = make_optimizer(config)
    optimizer.build(model.trainable_variables)
    loss = BatchLoss.from_config(
        config, label_space=LabelSpace(("a", "b"), multi_label=False), mean_rows=2.0
    )
    step = Step(
        choose_source(model, config, loss=loss),
        optimizer,
        loss=loss,
        config=config,
        distribution=Distribution.choose("single"),
        control_flags=1,
    )
    rng = np.random.default_rng(0)

    def update(tokens: int) -> float:
        ids = rng.integers(1, 16_000, size=(2, tokens)).astype(np.int32)
        batch = [ids, np.eye(2, dtype=np.float32), np.ones(2, np.float32)]
        Signals.read(step([tf.constant(array) for array in batch], [0.0]))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    before = update(256)
    pipe.send(update(length) - before)


def measure(*arguments: Any) -> float:
    context = multiprocessing.get_context("spawn")
    pipe, end = context.Pipe()
    process = context.Process(target=peak_mebibytes, args=(end, *arguments))
    process.start()
    end.close()
    result = pipe.recv()
    process.join()
    return float(result)


@click.command()
@click.option("--tbptt", default="256,256", show_default=True)
def main(tbptt: str) -> None:
    """Prints the peaks in MiB."""
    rows = []
    for length in (1_000, 10_000, 100_000):
        row: dict[str, Any] = {"tokens": f"{length:,}"}
        row[f"--tbptt {tbptt}, MiB"] = measure(length, tbptt)
        row["whole, MiB"] = measure(length, None)
        rows.append(row)
    print_table(rows, csv_file=None, title="memory beside that of 256 tokens")


if __name__ == "__main__":
    main()
