"""One epoch over real texts at their full lengths, beside the way the Keras tutorials do it.

    python benchmarks/epoch.py --dataset imdb --data-dir DIR

The tutorial's way: texts in random order in batches of 64, each padded to its longest, an
embedding with mask_zero, keras.layers.LSTM, a dense layer, Adam. Ours: the same tokens, embedding,
one-directional cell, last state and dense layer, by `textrnn.training`, whose batches hold texts of
like length (at most 64 texts and 16,384 tokens). Both do a tenth of their epoch in turn.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from interleave import print_table, race

from textrnn.cli.options import data_options, given_settings, merge_settings
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.models.label_space import LabelSpace

PORTIONS = 10
TEXTS = 64


def build_textrnn(
    ids: list[np.ndarray], labels: np.ndarray, vocabulary: int, model: dict[str, Any]
) -> Callable[[], Any]:
    from textrnn.host.threads import set_thread_defaults

    set_thread_defaults()
    from textrnn.config.classifier import ClassifierRunConfig
    from textrnn.config.model import ModelConfig
    from textrnn.data.batching import BatchPlan
    from textrnn.models.classifier import TextClassifier
    from textrnn.training.batches.labelled_batches import LabelledBatches
    from textrnn.training.loop.checkpoints import Checkpoints
    from textrnn.training.loop.trainer import Trainer
    from textrnn.training.loop.training_data import TrainingData
    from textrnn.training.update.signals import Signals

    plan = BatchPlan(ids, batch_tokens=256 * TEXTS, batch_texts=TEXTS)
    targets = np.eye(2, dtype=np.float32)[labels]
    data = LabelledBatches(plan, targets, np.ones(len(ids), np.float32))
    classifier = TextClassifier(vocabulary, 2, config=ModelConfig(**model))
    classifier.build((None, None))
    trainer = Trainer(
        classifier,
        ClassifierRunConfig.of(),
        data=TrainingData(
            data, data, label_space=LabelSpace(("0", "1"), multi_label=False), digest=""
        ),
        checkpoints=Checkpoints(Path("unused")),
    )
    flags = [0.0] * trainer.step.control_flags
    batches = plan.batches(seed=0)
    for batch in {b.length: b for b in batches}.values():  # Each shape once, untimed.
        for row in data.dataset([batch]):
            trainer.step(row, flags)
    parts = _portions(len(batches))

    def portion() -> None:
        for row in data.dataset([batches[i] for i in next(parts)]):
            Signals.read(trainer.step(row, flags))

    return portion


def build_tutorial(
    ids: list[np.ndarray], labels: np.ndarray, vocabulary: int, layer: str
) -> Callable[[], Any]:
    import keras
    import tensorflow as tf

    model = keras.Sequential(
        [
            keras.layers.Embedding(vocabulary, 128, mask_zero=True),
            getattr(keras.layers, layer)(128),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False)
    order = np.random.default_rng(0).permutation(len(ids))

    def batches(rows: np.ndarray) -> tf.data.Dataset:
        def generate() -> Iterator[tuple[np.ndarray, int]]:
            for row in rows:
                yield ids[row], labels[row]

        signature = (tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32))
        data = tf.data.Dataset.from_generator(generate, output_signature=signature)
        return data.padded_batch(TEXTS).prefetch(2)

    model.fit(batches(order[:TEXTS]), verbose=0)
    parts = _portions(len(order) // TEXTS)

    def portion() -> None:
        rows = [order[i * TEXTS : (i + 1) * TEXTS] for i in next(parts)]
        model.fit(batches(np.concatenate(rows)), verbose=0)

    return portion


def _portions(batches: int) -> Iterator[np.ndarray]:
    return itertools.cycle(np.array_split(np.arange(batches), PORTIONS))


@click.command()
@data_options
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the figures here.")
@click.pass_context
def main(context: click.Context, /, csv_file: Path | None, **_: Any) -> None:
    """Time one epoch."""
    from textrnn.data import load_corpus
    from textrnn.text.tokenizer import Tokenizer

    config = merge_settings(ClassifierRunConfig(), given_settings(context))
    corpus = load_corpus(config, seed=0)
    tokenizer = Tokenizer.train(corpus.train.texts, config.tokenizer, seed=0)
    ids = [np.asarray(text, np.int32) for text in tokenizer.encode_batch(corpus.train.texts)]
    labels = np.array([corpus.label_names.index(label) for (label,) in corpus.train.labels])
    data = {"ids": ids, "labels": labels, "vocabulary": tokenizer.vocab_size}
    plain = {
        "bidirectional": False,
        "window": 1,
        "head": "last",
        "embedding_dropout": 0.0,
        "dropout": 0.0,
        "word_dropout": 0.0,
    }
    field: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
        "keras LSTM, as in tutorials": (build_tutorial, {**data, "layer": "LSTM"})
    }
    for cell in ("lstm", "mingru"):
        field[f"textrnn {cell}"] = (build_textrnn, {**data, "model": {"cell": cell, **plain}})
    field["textrnn train's default model"] = (build_textrnn, {**data, "model": {}})
    times = race(field, rounds=PORTIONS, warm_up=0)
    slowest = sum(times["keras LSTM, as in tutorials"])
    rows = [
        {
            "model": name,
            "epoch s": sum(spent) / 1e3,
            "texts/s": len(ids) / (sum(spent) / 1e3),
            "tutorial / this": slowest / sum(spent),
        }
        for name, spent in times.items()
    ]
    print_table(rows, csv_file=csv_file, title=f"{corpus.name}: {len(ids):,} texts, one epoch")


if __name__ == "__main__":
    main()
