"""The distance of the gradient of truncated BPTT from the whole gradient, for each cell.

    python benchmarks/tbptt_bias.py --plot docs/tbptt_bias.png

The cosine between both gradients (of all weights, without dropout) on 16 validation texts of BBC
News, 512 tokens each, segments of 16 tokens, against K2; before and after a short training.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
import tensorflow as tf
from interleave import print_table
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import load_corpus
from textrnn.models.classifier import TextClassifier
from textrnn.progress import Silent
from textrnn.training.run.classifier import train
from textrnn.training.update.gradient_sources.truncated import truncated_gradients
from textrnn.training.update.row_gradients import RowGradient

TEXTS, TOKENS, SEGMENT = 16, 512, 16
REACHES = (1, 2, 4, 8, 16, 32)


def flat(gradients: list[Any]) -> np.ndarray:
    arrays = []
    for gradient in gradients:
        if isinstance(gradient, RowGradient):
            gradient = gradient.values
        arrays.append(tf.convert_to_tensor(gradient).numpy().ravel())
    return np.concatenate(arrays)


def cosines(model: TextClassifier, ids: np.ndarray, targets: np.ndarray) -> list[float]:
    def objective(logits: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))

    @tf.function
    def whole(ids: tf.Tensor) -> list[Any]:
        with tf.GradientTape() as tape:
            value = objective(model(ids))
        return tape.gradient(value, model.trainable_variables)

    @tf.function
    def cut(ids: tf.Tensor, reach: int) -> list[Any]:
        return truncated_gradients(
            model, ids, objective=objective, segment=SEGMENT, reach=reach
        ).gradients

    exact = flat(whole(tf.constant(ids)))
    similarities = []
    for reach in REACHES:
        second = flat(cut(tf.constant(ids), reach))
        similarities.append(float(exact @ second / np.linalg.norm(exact) / np.linalg.norm(second)))
    return similarities


@click.command()
@click.option("--epochs", default=2, show_default=True, help="Of the short training.")
@click.option("--head", "heads", multiple=True, default=("last", "attention"), show_default=True)
@click.option("--plot", type=click.Path(path_type=Path))
@click.option("--csv", "csv_file", type=click.Path(path_type=Path))
def main(epochs: int, heads: tuple[str, ...], plot: Path | None, csv_file: Path | None) -> None:
    """Prints the cosines, and draws them."""
    data = ClassifierRunConfig.of(dataset="bbc_news")
    corpus = load_corpus(data, seed=0)
    places = {name: i for i, name in enumerate(corpus.label_names)}
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for head in heads:
            for cell in ("simple", "gru", "lstm", "mingru", "minlstm"):
                shape = {"dropout": 0.0, "embedding_dropout": 0.0, "word_dropout": 0.0}
                config = data.replace(
                    vocab_size=4000,
                    cell=cell,
                    head=head,
                    units=64,
                    embedding_units=64,
                    bidirectional=False,
                    epochs=epochs,
                    max_length=256,
                    **shape,
                )
                run = Path(folder, f"{cell}_{head}")
                trained = train(config, run, reporter=Silent(), measure_test=False)
                assert trained is not None
                encoded = trained.tokenizer.encode_batch(corpus.validation.texts)
                long = [i for i, row in enumerate(encoded) if len(row) >= TOKENS][:TEXTS]
                ids = np.stack([encoded[i][:TOKENS] for i in long])
                labels = [places[corpus.validation.labels[i][0]] for i in long]
                targets = np.eye(len(places), dtype=np.float32)[labels]
                fresh = TextClassifier(
                    trained.tokenizer.vocab_size, len(places), config=config.model
                )
                fresh.build((None, None))
                for when, model in (("before", fresh), ("after", trained.model)):
                    similarities = cosines(model, ids, targets)
                    values = {
                        f"K2={SEGMENT * r}": c for r, c in zip(REACHES, similarities, strict=True)
                    }
                    rows.append({"head": head, "cell": cell, "training": when} | values)
    print_table(rows, csv_file=csv_file, title="cosine between the cut and the whole gradient")
    if plot is not None:
        draw(rows, heads, plot)


def draw(rows: list[dict[str, Any]], heads: tuple[str, ...], plot: Path) -> None:
    figure = Figure(figsize=(9, 3.6 * len(heads)), layout="constrained")
    grid = figure.subplots(len(heads), 2, sharey=True, squeeze=False)
    for row in rows:
        column = ("before", "after").index(row["training"])
        axes = grid[heads.index(row["head"])][column]
        tokens = [SEGMENT * reach for reach in REACHES]
        axes.plot(tokens, [row[f"K2={k}"] for k in tokens], "o-", label=row["cell"])
        axes.set(
            title=f"head {row['head']}, {row['training']} training",
            xscale="log",
            xlabel="K2 (tokens)",
            ylabel="cosine",
        )
        axes.set_xticks(tokens, map(str, tokens))
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    grid[0][0].legend()
    FigureCanvasAgg(figure)
    figure.savefig(plot)


if __name__ == "__main__":
    main()
