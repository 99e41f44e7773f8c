"""The learning rate range test: a short trial training with a growing learning rate."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from textrnn.data.batching import Batch
from textrnn.errors import ModelError
from textrnn.host.atomic import write_atomically
from textrnn.pictures import png
from textrnn.progress import Reporter, Silent
from textrnn.training.loop.trainer import Trainer
from textrnn.training.update.signals import Signals

__all__ = ["RangeTest", "find_rate"]

LOWEST, HIGHEST = 1e-5, 1.0
UPDATES = 200
DIVERGED = 3.0
"""The test ends when the loss is this many times the lowest loss."""
FEWEST = 20
"""The least number of updates for a suggestion."""


@dataclass(frozen=True)
class RangeTest:
    """The result of a range test.

    Attributes:
        rates: `[N]`, the learning rate of each update.
        losses: `[N]`, the loss of each batch in nats per text.
        smooth: `[N]`, the moving average of the losses.
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


def find_rate(trainer: Trainer, *, seed: int, reporter: Reporter | None = None) -> RangeTest:
    """Trains with a rate that grows from 1e-5 to 1 until the loss explodes.

    Smith 2017, "Cyclical Learning Rates for Training Neural Networks". The suggestion is the
    highest rate that the schedule should reach: a tenth of the rate at which the smoothed loss is
    lowest, because training is at the edge of divergence there. The weights are useless afterwards.

    Args:
        trainer: The trainer of a model that has not been trained.
        seed: The seed of the order of the data.
        reporter: Receives the progress.

    Raises:
        ModelError: The loss explodes at once, so that no rate can be suggested.
    """
    batches: list[Batch] = []
    epoch = 0
    while len(batches) < UPDATES:
        batches += trainer.train.batches(seed=[seed, epoch])
        epoch += 1
    rates = np.geomspace(LOWEST, HIGHEST, UPDATES)
    losses: list[float] = []
    smooth: list[float] = []
    mean = 0.0
    with (reporter or Silent()).step("learning rates", total=UPDATES) as advance:
        for number, loss in enumerate(_losses(trainer, batches[:UPDATES], rates)):
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
            "texts and labels, or lower `clip_norm`."
        )
    best = int(np.argmin(smooth[FEWEST:])) + FEWEST if len(smooth) > FEWEST else len(smooth) - 1
    return RangeTest(
        rates[: len(losses)], np.array(losses), np.array(smooth), float(rates[best]) / 10.0
    )


def _losses(trainer: Trainer, batches: list[Batch], rates: np.ndarray) -> Iterator[float]:
    """Yields the mean loss of a text in each batch, updated with each rate."""
    step = trainer.step
    data = trainer.train.dataset(batches, multiple=step.rows_multiple)
    for values, batch, rate in zip(data, batches, rates, strict=True):
        trainer.optimizer.learning_rate = float(rate)
        signals = Signals.read(step(values, [0.0] * step.control_flags))
        yield signals.loss_sum / max(int((batch.rows >= 0).sum()), 1)
