"""Continues the training of a finished classifier: its settings, its labels and its weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import listed_paths
from textrnn.errors import ConfigError
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.classifier import TextClassifier

__all__ = [
    "check_continues",
    "dropout_rates",
    "learned_validation_notice",
    "logit_scale",
    "shape_of",
    "take_over",
]

SHAPE = (
    "cell",
    "units",
    "layers",
    "bidirectional",
    "window",
    "embedding_units",
    "residual",
    "chrono_steps",
    "head",
    "separate_directions",
    "layer_norm",
    "pyramid",
)
"""The settings of the model that its weights depend on, without those of the n-grams, which are
fitted again."""

DROPOUTS = ("embedding_dropout", "dropout", "recurrent_dropout", "word_dropout")

LEAST_SCALE = 0.05
"""The least weight of a recurrence in a finished model by which its logits can be divided."""


def shape_of(source: ClassifierRunConfig, config: ClassifierRunConfig) -> dict[str, Any]:
    """Returns the settings that a run must share with the classifier whose training it continues.

    Args:
        source: The settings of the classifier.
        config: The settings of the run, whose modules of a user's cell have precedence.
    """
    return {
        **{name: getattr(source.model, name) for name in SHAPE},
        **source.tokenizer.to_dict(),
        "imports": config.model.imports or source.model.imports,
        "multi_label": source.task.multi_label,
    }


def dropout_rates(source: ClassifierRunConfig) -> dict[str, float]:
    """Returns the dropout rates of a classifier, which the run that continues it keeps."""
    return {name: getattr(source.model, name) for name in DROPOUTS}


def check_continues(
    config: ClassifierRunConfig, source: ClassifierRunConfig, *, given: Collection[str]
) -> None:
    """Checks that a run can continue the training of a classifier.

    Args:
        config: The settings of the run.
        source: The settings of the classifier.
        given: The names of the settings that the user has chosen.

    Raises:
        ConfigError: Only one of them is multi-label, or the run needs a language model.
    """
    run, multi_label = config.start.init_from, config.task.multi_label
    if multi_label and not source.task.multi_label:
        raise ConfigError(
            f"expected one label per text, as {run} has it, got `multi_label`; turn it off, or "
            "start from a multi-label classifier."
        )
    if source.task.multi_label and not multi_label and "multi_label" in given:
        raise ConfigError(
            f"expected `multi_label`, as {run} has it, got one label per text; leave `multi_label` "
            "out, or start from a classifier with one label per text."
        )
    if config.regularization.language_weight:
        raise ConfigError(
            f"`language_weight` needs a language model as `init_from`, got the classifier {run}; "
            "leave it out, or name the run of a language model."
        )


def learned_validation_notice(
    config: ClassifierRunConfig, source: ClassifierRunConfig
) -> str | None:
    """Returns a sentence if the classifier may have learned the validation texts of the run.

    The runs hold out different texts of a file that both train on, unless they train on the same
    files with the same seed and share.

    Args:
        config: The settings of the run.
        source: The settings of the classifier.
    """
    if not _files(config) & _files(source):
        return None
    if config.data.fold != source.data.fold:
        return (
            f"{config.start.init_from} has learned texts of the fold that this run is measured on: "
            "the figures of the fold are too good; start from other data, or without `init_from`."
        )
    same = _held_out(config) == _held_out(source)
    if config.data.valid_file is not None or same:
        return None
    return (
        f"{config.start.init_from} was trained on a part of these files, and held out other texts, "
        "so it has learned validation texts of this run: the validation figures are too good; "
        "name a validation file (`valid_file`) that neither run learns from."
    )


def _files(config: ClassifierRunConfig) -> frozenset[Path]:
    paths = listed_paths(config.data.train_file or "")
    return frozenset(Path(path).expanduser().resolve() for path in paths if path)


def _held_out(config: ClassifierRunConfig) -> tuple[frozenset[Path], float, int]:
    """Returns what decides which texts are drawn for the validation."""
    return _files(config), config.data.valid_fraction, config.runtime.seed


def take_over(source: TrainedClassifier, model: TextClassifier, *, labels: Sequence[str]) -> None:
    """Copies the weights of a finished classifier into the model of a run, n-grams excepted.

    The rows of the dense layer are found by the names of the labels. A label that the classifier
    lacks keeps the row of `model`. The logits of a finished model are those of its training times
    `logit_scale`; the copied rows are those of the training.

    Args:
        source: The classifier. Its settings must be those of `model`; see `shape_of`.
        model: The model of the run, already built.
        labels: The labels of the run, in the order of the logits of `model`.

    Raises:
        ConfigError: The models have different shapes.
    """
    parts: list[tuple[keras.layers.Layer, keras.layers.Layer]] = [
        (source.model.embedding, model.embedding),
        (source.model.pooling, model.pooling),
    ]
    if source.model.stack is not None and model.stack is not None:
        parts.append((source.model.stack, model.stack))
    try:
        for ours, theirs in parts:
            theirs.set_weights(ours.get_weights())
    except ValueError as error:
        raise ConfigError(
            "the settings of the model must be those of the classifier that it starts from; "
            f"textrnn.training.run.transfer.adopt_shape copies them ({error})."
        ) from None
    scale = logit_scale(source.metrics)
    old_kernel, old_bias = source.model.classify.get_weights()
    kernel, bias = model.classify.get_weights()
    kept = [place for place, label in enumerate(labels) if label in source.labels]
    places = [source.labels.index(labels[place]) for place in kept]
    kernel, bias = np.array(kernel), np.array(bias)
    kernel[:, kept], bias[kept] = old_kernel[:, places] / scale, old_bias[places] / scale
    model.classify.set_weights([kernel, bias])


def logit_scale(metrics: Mapping[str, Any]) -> float:
    """Returns the factor that the end of a training has multiplied the logits of a recurrence by.

    It is the weight of the recurrence beside the n-grams, or the inverse temperature.

    >>> logit_scale({"calibration": {"temperature": 2.0}})
    0.5
    >>> logit_scale({"ngrams": {"weights": {"rnn": 0.0, "ngrams": 1.0}}})
    1.0

    Args:
        metrics: The metrics of a finished run.

    Returns:
        1 if the factor is unknown, or so small that it cannot be undone.
    """
    if "ngrams" in metrics:
        scale = float(metrics["ngrams"].get("weights", {}).get("rnn", 1.0))
    else:
        scale = 1.0 / float(metrics.get("calibration", {}).get("temperature", 1.0))
    return scale if scale >= LEAST_SCALE else 1.0
