"""Accuracy by the share of the tokens that are read, with `--confident`.

    python benchmarks/early_exit.py RUN --dataset imdb --data-dir DIR --plot docs/early_exit.png

RUN reads forwards only. The texts are the first of its test data, seeded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from interleave import print_table
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import textrnn
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus

LEVELS = (0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--dataset", required=True)
@click.option("--data-dir")
@click.option("--texts", default=2000, show_default=True)
@click.option("--tokens", default=32, show_default=True, help="For how many tokens on end.")
@click.option("--plot", type=click.Path(path_type=Path))
def main(
    run: Path, dataset: str, data_dir: str | None, texts: int, tokens: int, plot: Path | None
) -> None:
    """Prints, for each level, the accuracy and the share read."""
    classifier = textrnn.load(run)
    corpus = load_corpus(ClassifierRunConfig.of(dataset=dataset, data_dir=data_dir), seed=0)
    place = {label: i for i, label in enumerate(classifier.labels)}
    assert corpus.test is not None
    chosen = np.random.default_rng(0).permutation(len(corpus.test))[:texts]
    curves = [classifier.prefix_curve(corpus.test.texts[i]).scores for i in chosen]
    labels = [place[corpus.test.labels[i][0]] for i in chosen]
    total = sum(map(len, curves))
    table: list[dict[str, Any]] = []
    for level in (*LEVELS, 1.1):
        right = read = 0
        for curve, label in zip(curves, labels, strict=True):
            best = classifier.label_space.best(curve)
            run_length, end = 0, len(curve)
            for t in range(len(curve)):
                known = curve[t, best[t]] >= level
                repeated = t > 0 and best[t] == best[t - 1]
                run_length = run_length + 1 if known and repeated else int(known)
                if run_length >= tokens:
                    end = t + 1
                    break
            read += end
            right += int(best[end - 1] == label) if len(curve) else 0
        table.append(
            {
                "confident": f"{level}" if level < 1 else "read to the end",
                "accuracy": 100 * right / len(curves),
                "share read": 100 * read / total,
            }
        )
    print_table(table, csv_file=None, title=f"{len(curves)} texts")
    if plot is not None:
        figure = Figure(figsize=(5, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.plot([row["share read"] for row in table], [row["accuracy"] for row in table], "o-")
        for row in table:
            point = (row["share read"], row["accuracy"])
            axes.annotate(
                row["confident"], point, (-6, 4), textcoords="offset points", ha="right", fontsize=8
            )
        axes.set(xlabel="tokens read (%)", ylabel="accuracy (%)")
        axes.grid(alpha=0.3)
        FigureCanvasAgg(figure)
        figure.savefig(plot)


if __name__ == "__main__":
    main()
