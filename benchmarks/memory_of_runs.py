"""The memory of runs, before and after training, and the time of the analysis.

    python benchmarks/memory_of_runs.py RUN RUN...

The key figures of `textrnn.analysis` on each run's own test data, with the samples that are its
defaults; before training those of a fresh model of the same shape, the mean of `--fresh` ones.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from interleave import print_table

import textrnn
from textrnn.analysis.dynamics.credit import credit_assignment
from textrnn.analysis.dynamics.divergence import divergence
from textrnn.analysis.dynamics.lyapunov import lyapunov
from textrnn.analysis.dynamics.systems import fresh_model
from textrnn.analysis.dynamics.time_constants import time_scales
from textrnn.analysis.redundancy import redundancy
from textrnn.data import load_split
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--fresh", default=1, show_default=True, help="Fresh models a run.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path))
def main(runs: tuple[Path, ...], fresh: int, csv_file: Path | None) -> None:
    """Prints two tables: the figures, and the seconds."""
    figures, seconds = [], []
    for run in runs:
        classifier = textrnn.load(run)
        split, _ = load_split(
            classifier.config,
            "test",
            seed=classifier.config.runtime.seed,
            label_names=classifier.labels,
        )
        ids = classifier.tokenizer.encode_batch(split.texts)
        spent: dict[str, Any] = {"run": run.name}

        def timed(name: str, call: Callable[[], Any], spent: dict[str, Any] = spent) -> Any:
            start = time.monotonic()
            result = call()
            spent[name] = time.monotonic() - start
            return result

        before = [_figures(fresh_model(classifier.model, seed=i), ids) for i in range(fresh)]
        after = _figures(classifier.model, ids, timed)
        timed("redundancy", functools.partial(redundancy, classifier, ids, labels=split.labels))
        spent["all"] = sum(value for value in spent.values() if isinstance(value, float))
        mean = {
            key: _shown(
                float(np.mean([np.inf if row[key] is None else row[key] for row in before]))
            )
            for key in after
        }
        figures.append({"run": run.name, "": "before", **mean})
        shown = {key: _shown(value) for key, value in after.items()}
        figures.append({"run": run.name, "": "after", **shown})
        seconds.append(spent)
    print_table(figures, csv_file=csv_file, title="horizons and time constants in tokens")
    print_table(seconds, csv_file=None, title="seconds")


def _figures(
    model: TextClassifier,
    ids: list[np.ndarray],
    timed: Callable[[str, Callable[[], Any]], Any] = lambda name, call: call(),
) -> dict[str, float | None]:
    credit = timed("credit", lambda: credit_assignment(model, ids))
    chaos = timed("chaos", lambda: lyapunov(model, ids))
    label_space = LabelSpace(tuple(map(str, range(model.classes))), multi_label=False)
    change = timed("divergence", lambda: divergence(model, ids, label_space=label_space))
    times = timed("time scales", lambda: time_scales(model, ids))
    layer = times.layers[0]
    return {
        "gradient halves": credit.half,
        "gradient 1 %": credit.hundredth,
        "state halves": credit.states[0].half,
        "state 1 %": credit.states[0].hundredth,
        "Lyapunov": chaos.largest,
        "median time constant": layer.median,
        "longest": layer.longest,
        "flipped by a token (%)": 100 * change.flipped,
    }


def _shown(value: float | None) -> str:
    return "-" if value is None or not np.isfinite(value) else f"{value:.3g}"


if __name__ == "__main__":
    main()
