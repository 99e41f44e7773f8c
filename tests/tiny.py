"""The tiny data, settings, training and run that the tests of training and of its results share.

A text is a few letters; it is of the class `pos` if one of them is x, of `neg` if one of them is y.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
import os
import random
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import keras
import numpy as np
import pytest
import tensorflow as tf

from textrnn.config.choices import CELLS, HEADS
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.model import ModelConfig
from textrnn.data.batching import BatchPlan
from textrnn.inference.classifier import TrainedClassifier
from textrnn.layers.ngrams import NO_KEY
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.progress import Silent
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.checkpoints import CHECKPOINTS, Checkpoints
from textrnn.training.loop.execution import Execution
from textrnn.training.loop.schedule import TimeBudget
from textrnn.training.loop.trainer import Trainer
from textrnn.training.loop.training_data import TrainingData
from textrnn.training.run.classifier import train
from textrnn.training.run.history import draw_curves
from textrnn.training.update.language_model_loss import LanguageModelLoss

T = TypeVar("T")
LABELS = ("neg", "pos")
QUIET = Silent()
# Everything that matters is stated, so that the defaults may change.
MODEL: dict[str, Any] = {
    "cell": "none",
    "units": 3,
    "layers": 1,
    "bidirectional": True,
    "head": "max",
    "window": 1,
    "embedding_units": 4,
    "residual": False,
    "layer_norm": False,
    "pyramid": False,
    "chrono_steps": 0,
    "ngrams": 2,
    **{f.name: 0.0 for f in dataclasses.fields(ModelConfig) if "dropout" in f.name},
}
TRAINING: dict[str, Any] = {
    "epochs": 1,
    "batch_tokens": 8192,
    "batch_texts": 8,
    "max_length": 0,
    "learning_rate": 0.1,
    "warmup": 0.1,
    "weight_decay": 0.0,
    "clip_norm": 1.0,
    "label_smoothing": 0.0,
    "class_weights": False,
    "patience": 3,
    "pretrain_epochs": 0,
    "seed": 0,
    "precision": "float32",
}
WORD = 9
"""The id that says that a text of `labelled_ids` is of the second class."""
BATCHES = 7
"""The number of batches in an epoch of `labelled_ids`: 40 texts, 6 a batch."""


@contextlib.contextmanager
def without_graphs() -> Iterator[None]:
    """Runs graph functions as they stand: to trace them takes longer than a few tiny updates."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def not_none(value: T | None) -> T:
    """A value that a test knows to be there, for the type checker."""
    assert value is not None
    return value


# From files to a run


def labelled_texts(count: int, *, seed: int = 0) -> list[tuple[str, str]]:
    """Texts with their labels, half of them of each; no text comes twice."""
    rng = random.Random(seed)
    rows: dict[str, str] = {}
    while len(rows) < count:
        i = len(rows)
        letters = [rng.choice("abcdef") for _ in range(rng.randint(0, 6))]
        letters.insert(rng.randint(0, len(letters)), "yx"[i % 2])
        rows.setdefault(" ".join(letters), LABELS[i % 2])
    return list(rows.items())


def write_csv(path: Path, rows: Sequence[tuple[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


def run_config(train_file: Path, **settings: Any) -> ClassifierRunConfig:
    """Settings of a tiny run."""
    values = {"vocab_size": 60, "piece_type": "unigram", **MODEL, **TRAINING, **settings}
    return ClassifierRunConfig.of(train_file=str(train_file), **values)


RUN_FILES = {
    "README.md",
    "config.yaml",
    "curves.png",
    "data.json",
    "decisions.json",
    "digests.json",
    "history.csv",
    "labels.txt",
    "metrics.json",
    "model.weights.h5",
    "runtime.safetensors",
    "tensorboard",
    "tokenizer.model",
}
"""The names of the files in the folder of a finished run."""


def names(folder: Path) -> set[str]:
    """The names of everything in a folder."""
    return {path.name for path in folder.iterdir()}


def contents(folder: Path) -> dict[str, bytes]:
    """The contents of all files below a folder, by path."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


class Run(NamedTuple):
    """A finished run: its folder, its settings, and the classifier as it was after training."""

    folder: Path
    config: ClassifierRunConfig
    classifier: TrainedClassifier


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of pytest-xdist share; what is made there needs a lock."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def finished_run(factory: pytest.TempPathFactory) -> Run:
    """One run for all tests, which must leave its folder as it is."""
    return _finished_run(factory.getbasetemp() / "tiny")


@functools.cache
def _finished_run(home: Path) -> Run:
    home.mkdir()
    data = write_csv(home / "letters.csv", labelled_texts(40))
    test = write_csv(home / "test.csv", labelled_texts(10, seed=1))
    config = run_config(data, test_file=str(test), cell="mingru", window=2, epochs=3)
    with pytest.MonkeyPatch.context() as patch, without_graphs():
        patch.setenv("TEXTRNN_CACHE_DIR", str(home / "cache"))
        patch.setattr("textrnn.training.run.classifier_run.draw_curves", draw_curves)
        classifier = not_none(train(config, home / "run", reporter=QUIET))
    return Run(home / "run", config, classifier)


# From ids to a trainer


def labelled_ids(count: int = 40, *, seed: int = 0, multi_label: bool = False) -> LabelledBatches:
    """Ids 2 .. 8, and `WORD` in every other text: the second class.

    Multi-label, the first label is whether id 2 is in the text, the second whether `WORD` is.
    """
    rng = np.random.default_rng(seed)
    texts = [rng.integers(2, WORD, size=rng.integers(1, 8)) for _ in range(count)]
    for text in texts[1::2]:
        text[rng.integers(len(text))] = WORD
    has_word = np.array([WORD in text for text in texts])
    first = np.array([2 in text for text in texts]) if multi_label else ~has_word
    targets = np.stack([first, has_word], axis=1).astype(np.float32)
    plan = BatchPlan(texts, batch_tokens=128, batch_texts=6)
    return LabelledBatches(plan, targets, np.ones(count, np.float32))


def classifier(**settings: Any) -> TextClassifier:
    """A built classifier of the ids, without dropout; always with the same weights."""
    keras.utils.set_random_seed(0)
    config = ModelConfig(**{**MODEL, **settings})
    model = TextClassifier(WORD + 1, 2, config=config)
    model.build((None, None))
    return model


def random_classifier(cell: str, head: str, **settings: Any) -> TextClassifier:
    """An untrained classifier whose weights and biases are random, so that every part matters."""
    model = classifier(cell=cell, head=head, **settings)
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    return model


def with_ngrams(model: TextClassifier) -> TextClassifier:
    """A copy of a classifier with random weights for all tokens and half of their pairs."""
    rng = np.random.default_rng(2)
    tokens, classes = model.vocab_size, model.classes
    pairs = [first * tokens + last for first in range(1, tokens) for last in range(1, tokens)]
    keys = np.array([NO_KEY, *(pair for pair in pairs if rng.random() < 0.5)], np.int32)
    weights = [rng.integers(-127, 128, (rows, classes)) for rows in (tokens, len(keys))]
    for of_order in weights:
        of_order[0] = 0
    copy = TextClassifier(tokens, classes, config=model.config, ngram_counts=[len(keys)])
    copy.build((None, None))
    scales, bias = np.array([0.01, 0.02]), rng.normal(size=classes)
    copy.set_weights([*model.get_weights(), *weights, keys, scales, bias])
    return copy


def trainer(
    folder: Path,
    *,
    model: TextClassifier | None = None,
    train: LabelledBatches | None = None,
    valid: LabelledBatches | None = None,
    multi_label: bool = False,
    data_digest: str = "digest",
    language_model_loss: LanguageModelLoss | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    distribution: Distribution | None = None,
    budget: TimeBudget | None = None,
    **settings: Any,
) -> Trainer:
    """A trainer on `labelled_ids`, its checkpoint in `folder`."""
    return Trainer(
        model or classifier(),
        ClassifierRunConfig.of(**{**TRAINING, "epochs": 3, "learning_rate": 0.05, **settings}),
        data=TrainingData(
            train or labelled_ids(multi_label=multi_label),
            valid or labelled_ids(20, seed=1, multi_label=multi_label),
            label_space=LabelSpace(LABELS, multi_label=multi_label),
            digest=data_digest,
        ),
        checkpoints=Checkpoints(folder / CHECKPOINTS, keep_count=99),
        execution=Execution(distribution or Distribution.choose("single"), should_stop, budget),
        language_model_loss=language_model_loss,
    )


def fit(
    trainer: Trainer, *, callbacks: Sequence[keras.callbacks.Callback] = ()
) -> list[dict[str, float]]:
    """Trains to the end; gives the history but for what depends on the clock."""
    state = trainer.fit(callbacks=callbacks)
    clock = ("seconds", "tokens_per_second")
    return [{k: v for k, v in row.items() if k not in clock} for row in state.history]


def assert_same_bits(arrays: Iterable[np.ndarray], others: Iterable[np.ndarray]) -> None:
    assert [a.tobytes() for a in arrays] == [b.tobytes() for b in others]


def stop_after(batches: int) -> Callable[[], bool]:
    """A `should_stop` that says so after this many updates."""
    left = iter(range(batches - 1, -1, -1))
    return lambda: next(left) == 0


# Cells and heads of models that read forwards

_EACH_CELL_AND_HEAD = {(cell, HEADS[-i % len(HEADS)]) for i, cell in enumerate(CELLS)}
"""A pair of every cell, and of every head."""


def _pairs(mark: pytest.MarkDecorator, *, fast: Container[str] = CELLS) -> pytest.MarkDecorator:
    """Every cell with every head; `mark` is on all pairs but one of each cell and each head.

    Of these, the pairs of cells that are not `fast` are thorough.
    """

    def marks(cell: str, head: str) -> Any:
        if (cell, head) not in _EACH_CELL_AND_HEAD:
            return mark
        return () if cell in fast else pytest.mark.thorough

    return pytest.mark.parametrize(
        ("cell", "head"),
        [pytest.param(cell, head, marks=marks(cell, head)) for cell in CELLS for head in HEADS],
    )


each_pair = _pairs(pytest.mark.slow, fast=("gru", "mingru"))
"""Every cell with every head, for costly tests: only two pairs are fast.

Those of each cell and each head once are thorough, the others slow.
"""

each_pair_once = _pairs(pytest.mark.slow, fast=("mingru",))
"""The same for the costliest tests: only one pair is fast."""

every_pair = _pairs(pytest.mark.thorough)
"""These pairs, for tests that take only seconds for all of them."""
