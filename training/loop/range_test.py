"""The learning rate range test: which rates teach a model anything, before it is trained."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure

from textrnn.data.batching import Batch
from textrnn.errors import ModelError
from textrnn.host.atomic import write_atomically
from textrnn.pictures import png
from textrnn.progress import Reporter
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.update.step import Step

__all__ = ["RangeTest", "find_rate"]

LOWEST, HIGHEST = 1e-5, 1.0
UPDATES = 200
DIVERGED = 3.0
"""How many times the lowest loss is too much to go on."""
FEWEST = 20
"""Updates that must have gone well for a suggestion."""


@dataclass(frozen=True)
class RangeTest:
    """What a range test has found.

    Attributes:
        rates: The learning rate of each update, `[N]`.
        losses: The loss of each batch, in nats a text, `[N]`.
        smooth: The same, smoothed, `[N]`.
        suggestion: A learning rate to train with.
    """

    rates: np.ndarray
    losses: np.ndarray
    smooth: np.ndarray
    suggestion: float

    def write(self, folder: Path) -> None:
        """Writes `find_lr.csv` and draws `find_lr.png`."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["learning_rate", "loss", "smooth_loss"])
        writer.writerows(zip(self.rates, self.losses, self.smooth, strict=True))
        write_atomically(folder / "find_lr.csv", text.getvalue())
        figure = Figure(figsize=(6, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.plot(self.rates, self.losses, color="tab:gray", alpha=0.4, label="each batch")
        axes.plot(self.rates, self.smooth, label="smoothed")
        axes.axvline(
            self.suggestion, color="tab:red", ls="--", label=f"suggestion {self.suggestion:.2g}"
        )
        top = max(2.0 * self.smooth[0], self.smooth.min() + 1e-3)
        axes.set(
            xscale="log",
            xlabel="learning rate",
            ylabel="loss (nats a text)",
            ylim=(0.0, float(top)),
        )
        axes.grid(alpha=0.3)
        axes.legend()
        write_atomically(folder / "find_lr.png", png(figure))


def find_rate(
    step: Step,
    optimizer: keras.optimizers.Optimizer,
    train: LabelledBatches,
    *,
    seed: int,
    reporter: Reporter,
) -> RangeTest:
    """Trains with a rate that grows from 1e-5 to 1, until the loss explodes; the model is spoilt.

    Smith 2017, "Cyclical Learning Rates for Training Neural Networks". The suggestion is the
    highest rate that the schedule should reach: a tenth of that at which the smoothed loss is
    lowest, where training is at the edge of what it stands.

    Args:
        step: Of a model that has not been trained.
        optimizer: Of the step.
        train: The data.
        seed: Of the order of the data.
        reporter: Told the progress.

    Raises:
        ModelError: The loss explodes at once, so that no rate can be told from another.
    """
    batches: list[Batch] = []
    epoch = 0
    while len(batches) < UPDATES:
        batches += train.plan.batches(seed=[seed, epoch])
        epoch += 1
    batches = batches[:UPDATES]
    rates = np.geomspace(LOWEST, HIGHEST, UPDATES)
    losses: list[float] = []
    smooth: list[float] = []
    mean = 0.0
    data = train.dataset(batches, multiple=step.rows_multiple)
    with reporter.step("learning rates", total=UPDATES) as advance:
        for number, (values, batch) in enumerate(zip(data, batches, strict=True)):
            optimizer.learning_rate = float(rates[number])
            signals = step.read(step(values, [0.0] * step.notes))
            loss = signals.loss_sum / max(int((batch.rows >= 0).sum()), 1)
            if not math.isfinite(loss):
                break
            mean = 0.95 * mean + 0.05 * loss
            losses.append(loss)
            smooth.append(mean / (1.0 - 0.95 ** (number + 1)))
            advance(1, f"rate {rates[number]:.1e} loss {smooth[-1]:.3f}")
            if number >= FEWEST and smooth[-1] > DIVERGED * min(smooth):
                break
    if len(losses) < FEWEST:
        raise ModelError(
            f"the loss explodes at a learning rate of {rates[len(losses)]:.1e} already; check the "
            "texts and labels, or lower --clip-norm."
        )
    best = int(np.argmin(smooth[FEWEST:])) + FEWEST if len(smooth) > FEWEST else len(smooth) - 1
    return RangeTest(
        rates[: len(losses)], np.array(losses), np.array(smooth), float(rates[best]) / 10.0
    )
