"""The largest distance of a decisive word: every cell and head on noise with one planted word.

    python benchmarks/planted_word.py --csv planted.csv --plot docs/planted_word.png

Two trainings each: `alone`, a fresh model for every distance that sees no other, and `mixed`, one
model that sees words at all distances, as many of each scale. See textrnn/analysis/planted.py.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from interleave import print_table

from textrnn.analysis.planted import PlantedTask, accuracies
from textrnn.cli.startup import start_tensorflow
from textrnn.config.choices import CELLS, HEADS
from textrnn.config.model import ModelConfig

RECURRENT = tuple(cell for cell in CELLS if cell != "none")
DISTANCES = (0, 8, 32, 128, 512)
LEARNED = 0.05
"""Nats a text, over the last `WINDOW` updates, at which training ends."""
WINDOW = 10
TEST_TEXTS = 500


@dataclasses.dataclass(frozen=True)
class Budget:
    """The arguments of each training."""

    updates: int
    batch: int
    learning_rate: float
    seed: int


class Learner:
    """One model, its optimizer and its step, which `fit` begins anew each time."""

    def __init__(self, config: ModelConfig, task: PlantedTask, budget: Budget) -> None:
        import keras
        import tensorflow as tf

        from textrnn.models.classifier import TextClassifier

        keras.utils.set_random_seed(budget.seed)
        self.task, self.budget = task, budget
        self.model = model = TextClassifier(task.vocab_size, task.classes, config=config)
        model.build((None, None))
        optimizer = keras.optimizers.Adam(budget.learning_rate, clipnorm=1.0)
        optimizer.build(model.trainable_variables)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        shape = [budget.batch, task.steps]
        signature = [tf.TensorSpec(shape, tf.int32), tf.TensorSpec(shape[:1], tf.int32)]

        @tf.function(input_signature=signature)
        def step(ids: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                value = loss(labels, model(ids, training=True))
            weights = model.trainable_variables
            optimizer.apply(tape.gradient(value, weights), weights)
            return value

        self._step = step
        self._variables = [*model.variables, *optimizer.variables]
        self._begin = [keras.ops.convert_to_numpy(variable).copy() for variable in self._variables]

    def fit(self, distance: int | None) -> int:
        """Trains from the first weights until the task is learned; gives the updates it took."""
        for variable, value in zip(self._variables, self._begin, strict=True):
            variable.assign(value)
        rng = np.random.default_rng([self.budget.seed, 1])
        losses: list[float] = []
        while len(losses) < self.budget.updates:
            drawn = self.task.draw(self.budget.batch, rng, distance=distance)
            losses.append(float(self._step(drawn.ids, drawn.labels)))
            if len(losses) % WINDOW == 0 and np.mean(losses[-WINDOW:]) < LEARNED:
                break
        return len(losses)


def probe(
    learner: Learner, distances: tuple[int, ...], report: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Both trainings of one cell with one head, a row for each distance."""
    config = learner.model.config
    rows = []
    texts, test_seed = TEST_TEXTS, learner.budget.seed + 1
    begin = time.monotonic()
    for distance in distances:
        updates = learner.fit(distance)
        accuracy = accuracies(
            learner.model, learner.task, distances=[distance], texts=texts, seed=test_seed
        )
        rows.append(("alone", distance, updates, accuracy[0]))
    updates = learner.fit(None)
    mixed = accuracies(
        learner.model, learner.task, distances=distances, texts=texts, seed=test_seed
    )
    rows += [("mixed", k, updates, accuracy) for k, accuracy in zip(distances, mixed, strict=True)]
    report(f"{config.cell} {config.head}: {time.monotonic() - begin:.0f} s")
    names = ("training", "distance", "updates", "accuracy")
    shape = {"cell": config.cell, "head": config.head}
    return [{**shape, **dict(zip(names, row, strict=True))} for row in rows]


@click.command()
@click.option("--cell", "cells", multiple=True, type=click.Choice(RECURRENT), default=RECURRENT)
@click.option("--head", "heads", multiple=True, type=click.Choice(HEADS), default=HEADS)
@click.option("--distance", "distances", multiple=True, type=int, default=DISTANCES)
@click.option("--steps", default=520, show_default=True, help="Tokens of a text.")
@click.option("--units", default=32, show_default=True, help="Of the states and the embeddings.")
@click.option("--chrono-steps", default=0, help="Chrono initialisation of the cells with gates.")
@click.option("--updates", default=200, show_default=True, help="Of a training, at the most.")
@click.option("--batch", default=32, show_default=True)
@click.option("--learning-rate", default=0.01, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the figures here.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the curves here.")
def main(
    cells: tuple[str, ...],
    heads: tuple[str, ...],
    distances: tuple[int, ...],
    steps: int,
    units: int,
    chrono_steps: int,
    updates: int,
    batch: int,
    learning_rate: float,
    seed: int,
    csv_file: Path | None,
    plot: Path | None,
) -> None:
    """Train every cell with every head on planted words; print accuracy against distance."""
    start_tensorflow()
    task, rows = PlantedTask(steps), list[dict[str, Any]]()
    budget = Budget(updates, batch, learning_rate, seed)
    for cell in cells:
        for head in heads:
            config = ModelConfig(
                cell=cell,
                head=head,
                units=units,
                embedding_units=units,
                bidirectional=False,
                window=1,
                embedding_dropout=0.0,
                dropout=0.0,
                word_dropout=0.0,
                chrono_steps=0 if cell == "simple" else chrono_steps,
            )
            learner = Learner(config, task, budget)
            rows += probe(learner, distances, lambda line: click.echo(line, err=True))
    table = []
    for which in ("alone", "mixed"):
        for cell in cells:
            for head in heads:
                key = {"training": which, "cell": cell, "head": head}
                matching_rows = [row for row in rows if key.items() <= row.items()]
                accuracy = {str(row["distance"]): f"{row['accuracy']:.1%}" for row in matching_rows}
                table.append({**key, **accuracy})
    print_table(table, csv_file=None, title=f"accuracy by distance, T={steps}")
    if csv_file is not None:
        write_csv(rows, csv_file)
    if plot is not None:
        draw(rows, plot)


def write_csv(rows: list[dict[str, Any]], path: Path) -> None:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    from matplotlib.figure import Figure

    heads = list(dict.fromkeys(row["head"] for row in rows))
    cells = list(dict.fromkeys(row["cell"] for row in rows))
    figure = Figure(figsize=(3 * len(heads), 5.2), layout="constrained")
    panels = figure.subplots(2, len(heads), sharex=True, sharey=True, squeeze=False)
    for line, which in zip(panels, ("alone", "mixed"), strict=True):
        for axes, head in zip(line, heads, strict=True):
            for i, cell in enumerate(cells):
                key = {"training": which, "cell": cell, "head": head}
                matching_rows = [row for row in rows if key.items() <= row.items()]
                axes.plot(
                    [row["distance"] for row in matching_rows],
                    [row["accuracy"] for row in matching_rows],
                    marker="osD^v"[i % 5],
                    alpha=0.8,
                    label=cell,
                )
            axes.set_title(f"{head}, {which}", fontsize="medium")
            axes.set_xscale("symlog", linthresh=8)
            axes.set_xticks(sorted({row["distance"] for row in rows}))
            axes.xaxis.set_major_formatter("{x:.0f}")
            axes.grid(alpha=0.3)
    for axes in panels[-1]:
        axes.set_xlabel("tokens after the word")
    for line in panels:
        line[0].set_ylabel("accuracy")
    panels[0][-1].legend(fontsize="small")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
