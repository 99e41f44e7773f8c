"""The updates that are lowered for an accelerator: every cell, and every gradient source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.models.language_model import LanguageModel
from textrnn.training.devices.device import choose_precision, dtype_policy
from textrnn.training.devices.strategy import Distribution
from textrnn.training.update.gradient_sources.choice import choose_source
from textrnn.training.update.language_model_loss import LanguageModelLoss
from textrnn.training.update.language_model_step import LanguageModelStep
from textrnn.training.update.lazy_adam import LazyAdam
from textrnn.training.update.losses import BatchLoss
from textrnn.training.update.optimizer import make_optimizer
from textrnn.training.update.pure_update import PureUpdate
from textrnn.training.update.step import Step

__all__ = [
    "SOURCES",
    "Program",
    "Shape",
    "Update",
    "fixed_directions",
    "make_program",
    "make_update",
    "plain_settings",
]

SOURCES: dict[str, dict[str, Any]] = {
    "plain": {},
    "truncated": {"tbptt": "16,32", "bidirectional": False},
    "adversarial": {"adversarial": 0.02},
    "vat": {"vat": 0.02},
    "entropy": {"entropy": 0.3},
    "with-language-model": {"language_weight": 0.1, "init_from": "a language model"},
    "accumulated": {"accumulate": 2},
    "bfloat16": {"precision": "bfloat16"},
    "averaged": {"ema": 0.99, "weight_decay": 0.01},
}
"""The settings of each kind of update."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a program: B, T, E = H and V."""

    batch: int = 64
    length: int = 256
    units: int = 128
    vocabulary: int = 4096


@dataclass(frozen=True)
class Program:
    """One update as a pure function, and arguments for it."""

    name: str
    pure: PureUpdate
    arguments: list[tf.Tensor]
    precision: str


def fixed_directions(shape: tf.Tensor, seed: Any = None) -> tf.Tensor:
    """Numbers in place of `keras.random.normal`, of which XLA makes others for the same seed."""
    count = tf.cast(tf.reduce_prod(shape), tf.float32)
    return tf.reshape(tf.sin(tf.range(count)), shape)


def make_program(
    cell: str, source: str, shape: Shape, *, dropout: bool = False, **settings: Any
) -> Program:
    """Makes the update of a classifier, or of a language model for the source `pretraining`.

    Args:
        cell: The name of a cell.
        source: A key of `SOURCES`, or `pretraining`.
        shape: The sizes.
        dropout: Whether the model drops what its defaults say; random numbers of XLA differ from
            those of TensorFlow, so a comparison of numbers must do without.
        **settings: Further settings.
    """
    keras.utils.set_random_seed(0)
    settings = {**plain_settings(cell, shape, dropout=dropout), **settings}
    name = f"{cell}-{source}"
    if source == "pretraining":
        return _language_model_program(name, shape, settings)
    update = make_update(shape, {**settings, **SOURCES[source]}, jit=True)
    _use(update.optimizer)
    arguments = update.step.inputs(update.batch, [0.0, 0.0, 0.0], seed=[0, 0])
    tensors = [tf.convert_to_tensor(value) for value in arguments]
    pure = PureUpdate(update.step.update, update.variables)
    return Program(name, pure, tensors, update.precision)


_DROPOUTS = ("dropout", "embedding_dropout", "word_dropout", "recurrent_dropout")


def plain_settings(cell: str, shape: Shape, *, dropout: bool = False) -> dict[str, Any]:
    """The settings of a classifier that reads both directions."""
    return {
        "cell": cell,
        "units": shape.units,
        "embedding_units": shape.units,
        "head": "attention",
        **({} if dropout else dict.fromkeys(_DROPOUTS, 0.0)),
    }


@dataclass(frozen=True)
class Update:
    """The update of a classifier, and what it works on."""

    step: Step
    batch: tuple[np.ndarray, ...]
    optimizer: LazyAdam
    variables: list[Any]
    precision: str


def _random_ids(shape: Shape) -> np.ndarray:
    """Ids `[B, T]` of texts of half the length to the whole, padding at the right."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(shape.length // 2, shape.length + 1, shape.batch)
    lengths[0] = shape.length
    ids = rng.integers(2, shape.vocabulary, (shape.batch, shape.length)).astype(np.int32)
    ids[np.arange(shape.length) >= lengths[:, None]] = 0
    return ids


def make_update(shape: Shape, settings: dict[str, Any], *, jit: bool) -> Update:
    """Makes the update of a classifier of random texts.

    Args:
        shape: The sizes.
        settings: The settings; those of `plain_settings` are a start.
        jit: Whether XLA compiles it.
    """
    config = ClassifierRunConfig.of(**settings)
    labels = LabelSpace(("neg", "pos"), multi_label=False)
    precision = choose_precision(config.runtime.precision)
    dtype = dtype_policy(precision)
    model = TextClassifier(shape.vocabulary, 2, config=config.model, dtype=dtype, name="classifier")
    model.build((None, None))
    ids = _random_ids(shape)
    loss = BatchLoss.from_config(config, label_space=labels, mean_rows=float(shape.batch))
    language_loss = None
    if config.regularization.language_weight:
        language_loss = LanguageModelLoss(
            model, weight=config.regularization.language_weight, texts=list(ids), seed=0
        )
    source = choose_source(model, config, loss=loss, language_model_loss=language_loss)
    optimizer = make_optimizer(config)
    optimizer.build(source.variables)
    step = Step(
        source,
        optimizer,
        loss=loss,
        config=config,
        distribution=Distribution.choose("single"),
        control_flags=3,
        jit=jit,
    )
    targets = np.eye(2, dtype=np.float32)[np.arange(shape.batch) % 2]
    batch = (ids, targets, np.ones(shape.batch, np.float32))
    more = [v for v in source.variables if not any(v is w for w in model.variables)]
    variables = [*model.variables, *more, *optimizer.variables]
    return Update(step, batch, optimizer, variables, precision)


def _use(optimizer: LazyAdam) -> None:
    """Makes an optimizer one that has made updates.

    In its first update Adam changes each weight by the learning rate, whatever the size of the
    gradient, so a gradient near zero would show rounding alone.
    """
    optimizer.iterations.assign(1000)
    for variable in optimizer.variables:
        if "velocity" in variable.path:
            variable.assign(tf.fill(variable.shape, 0.01))


def _language_model_program(name: str, shape: Shape, settings: dict[str, Any]) -> Program:
    for unknown in {"head", *_DROPOUTS} - {"dropout"}:
        settings.pop(unknown, None)
    config = LanguageModelRunConfig.of(**settings)
    model = LanguageModel(shape.vocabulary, config=config.model, name="language_model")
    model.build((None, None))
    optimizer = LazyAdam(1e-3)
    optimizer.build(model.trainable_variables)
    step = LanguageModelStep(
        model,
        optimizer,
        config=config,
        streams=shape.batch,
        segment=shape.length,
    )
    step.compile(jit=True)
    _use(optimizer)
    rng = np.random.default_rng(0)
    ids = rng.integers(2, shape.vocabulary, (model.directions, shape.batch, shape.length + 1))
    negatives = np.arange(min(512, shape.vocabulary), dtype=np.int32)
    arguments = [ids.astype(np.int32), negatives, np.zeros(len(negatives), np.float32)]
    states = [variable for direction in step.stream_states for variable in direction]
    variables = [*model.variables, *optimizer.variables, *states]
    tensors = [tf.convert_to_tensor(value) for value in arguments]
    precision = choose_precision(config.runtime.precision)
    return Program(name, PureUpdate(step.update, variables), tensors, precision)
