"""Validation accuracy against minutes: textrnn, a linear model, fastText and Keras' tutorial.

    python benchmarks/curve.py --dataset imdb --data-dir DIR --plot docs/imdb_minutes.png

Each point of textrnn is a whole run of `textrnn train` (with `--time-budget` for all but the last),
from the start of the process until the model is saved; `textrnn evaluate` measures it. The linear
model is tf-idf of one and two words with logistic regression. fastText reads words and pairs (50
numbers, rate 0.5; one training for each number of epochs). The model of the tutorial is that of
tensorflow.org's "Text classification with an RNN": the 1,000 most frequent words, a bidirectional
LSTM of 64 units, one dense layer of 64; one point an epoch. Every contestant learns the same
training texts, is measured on the same validation texts, and has the machine for itself. The test
texts are not looked at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from fasttext_peer import fasttext_accuracy
from interleave import print_table
from runs import run, validation_accuracy

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Corpus, load_corpus

Point = tuple[float, float]
"""Minutes, and accuracy in percent."""


def textrnn_points(flags: list[str], budgets: tuple[str, ...], output: Path) -> Iterator[Point]:
    """One run for each time budget, and one with the defaults."""
    for budget in (*budgets, None):
        folder = output / f"budget_{budget or 'none'}"
        limit = ["--time-budget", budget] if budget else []
        minutes = run(["train", *flags, *limit, "--no-test", "--no-linear-baseline"], folder)
        yield minutes, validation_accuracy(folder)


def linear_points(corpus: Corpus) -> Iterator[Point]:
    """The linear model that `textrnn train` reports."""
    from textrnn.evaluation.baseline import LinearBaseline
    from textrnn.models.label_space import LabelSpace

    space = LabelSpace(corpus.label_names, multi_label=False)
    begin = time.monotonic()
    model = LinearBaseline(corpus.train, label_space=space)
    minutes = (time.monotonic() - begin) / 60
    answers = model.probabilities(corpus.validation.texts)
    right = space.right_answers(answers, space.targets(corpus.validation.labels))
    yield minutes, 100 * float(right.mean())


def fasttext_points(corpus: Corpus, scratch: Path, epochs: tuple[int, ...]) -> Iterator[Point]:
    """One training of fastText for each number of epochs; nothing without fastText."""
    for count in epochs:
        measured = fasttext_accuracy(corpus.train, corpus.validation, scratch=scratch, epochs=count)
        if measured is not None:
            accuracy, minutes = measured
            yield minutes, accuracy


def tutorial_points(corpus: Corpus, epochs: int) -> Iterator[Point]:
    """The model of the tutorial, after each epoch; the time of the validation does not count."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    labels = {label: place for place, label in enumerate(corpus.label_names)}
    data = {}
    for name, split in (("train", corpus.train), ("validation", corpus.validation)):
        targets = np.array([labels[label] for (label,) in split.labels])
        data[name] = tf.data.Dataset.from_tensor_slices((list(split.texts), targets))
    begin = time.monotonic()
    encoder = keras.layers.TextVectorization(max_tokens=1000)
    encoder.adapt(data["train"].batch(64).map(lambda text, _: text))
    layers = [
        keras.layers.Embedding(len(encoder.get_vocabulary()), 64, mask_zero=True),
        keras.layers.Bidirectional(keras.layers.LSTM(64)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(len(labels)),
    ]
    model = keras.Sequential(layers)
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=keras.optimizers.Adam(1e-4),
        metrics=["accuracy"],
    )
    batches = {
        name: texts.shuffle(10_000, seed=0).batch(64).map(lambda text, y: (encoder(text), y))
        for name, texts in data.items()
    }
    seconds = time.monotonic() - begin
    for _ in range(epochs):
        begin = time.monotonic()
        model.fit(batches["train"], verbose=0)
        seconds += time.monotonic() - begin
        figures = model.evaluate(batches["validation"], verbose=0, return_dict=True)
        yield seconds / 60, 100 * float(figures["accuracy"])


def draw(rows: list[dict[str, Any]], plot: Path) -> None:
    """Draws one line for each contestant, on a logarithmic axis of minutes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    for name in dict.fromkeys(row["what"] for row in rows):
        points = sorted((float(r["minutes"]), float(r["%"])) for r in rows if r["what"] == name)
        axes.plot(*zip(*points, strict=True), "o-", label=name, lw=2 if name == "textrnn" else 1)
    axes.set(xscale="log", xlabel="minutes (2 cores)", ylabel="validation accuracy (%)")
    axes.set_ylim(max(min(float(r["%"]) for r in rows), 75) - 1, None)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3, which="both")
    axes.legend(loc="lower center")
    figure.savefig(plot, dpi=150)


@click.command()
@click.option("--dataset", default="imdb", show_default=True)
@click.option("--data-dir", help="Folder of prepared TFDS data sets.")
@click.option("--budget", "budgets", multiple=True, default=("90s", "2m", "3m", "5m"))
@click.option("--fasttext-epochs", multiple=True, type=int, default=(1, 2, 5, 10, 25))
@click.option("--tutorial-epochs", type=int, default=5, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=Path("runs/curve"))
@click.option("--plot", type=click.Path(path_type=Path))
@click.option("--csv", "csv_file", type=click.Path(path_type=Path))
def main(
    dataset: str,
    data_dir: str | None,
    budgets: tuple[str, ...],
    fasttext_epochs: tuple[int, ...],
    tutorial_epochs: int,
    output: Path,
    plot: Path | None,
    csv_file: Path | None,
) -> None:
    """Prints the minutes and the accuracy of each contestant."""
    data = {"dataset": dataset} | ({"data_dir": data_dir} if data_dir else {})
    flags = [part for key, value in data.items() for part in (f"--{key.replace('_', '-')}", value)]
    output.mkdir(parents=True, exist_ok=True)
    corpus = load_corpus(ClassifierRunConfig.of(**data), seed=0)
    contestants = {
        "textrnn": textrnn_points(flags, budgets, output),
        "linear": linear_points(corpus),
        "fastText": fasttext_points(corpus, output, fasttext_epochs),
        "Keras' tutorial": tutorial_points(corpus, tutorial_epochs),
    }
    rows = [
        {"what": name, "minutes": f"{minutes:.2f}", "%": f"{accuracy:.2f}"}
        for name, points in contestants.items()
        for minutes, accuracy in points
    ]
    print_table(rows, csv_file=csv_file, title=f"{dataset}, validation")
    if plot is not None:
        draw(rows, plot)


if __name__ == "__main__":
    main()
