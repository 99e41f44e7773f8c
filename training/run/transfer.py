"""Copies the settings and the weights of a trained model to the classifier that starts from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import EncoderConfig, ModelConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.inference.own_cell import import_cell
from textrnn.inference.run_files import read_any_settings
from textrnn.models.classifier import TextClassifier
from textrnn.training.run.continuation import check_continues, dropout_rates, shape_of

__all__ = [
    "FINE_TUNING_DROPOUT",
    "adopt_shape",
    "adopted_settings",
    "encoder_weights",
    "transfer",
    "with_run",
    "write_encoder",
]

MAY_DIFFER = ("kernel", "recompute", "imports", "bidirectional")
"""Settings of the encoder that a classifier need not share with its language model: the weights do
not depend on the first three, and a classifier may use one direction of two."""

FINE_TUNING_DROPOUT = {"embedding_dropout": 0.1, "word_dropout": 0.1, "dropout": 0.3}
"""Dropout rates of a classifier that starts from a language model: the rates that suit random
weights hide too much of what the language model has learned."""


def adopt_shape(config: ClassifierRunConfig, *, given: Collection[str] = ()) -> ClassifierRunConfig:
    """Returns the settings of a classifier that starts from the run `start.init_from`.

    The tokenizer and the encoder get the settings of a language model. If it reads both
    directions and has several layers or `residual`, `separate_directions` is turned on. Dropout
    rates with default values become those of `FINE_TUNING_DROPOUT`. A classifier gives all that
    `textrnn.training.run.continuation.shape_of` returns, and its dropout rates.

    Args:
        config: The settings.
        given: The names of the settings that the user has chosen. They are not changed, and those
            that the weights depend on must equal the run's.

    Raises:
        ConfigError: A chosen setting differs from the run's, or the run has a cell of the user's
            that cannot be imported.
        ModelError: The folder contains no run.
    """
    init_from = config.start.init_from
    if init_from is None:
        return config
    source = _settings_of(init_from)
    import_cell(source.model, run=Path(init_from))
    if isinstance(source, ClassifierRunConfig):
        check_continues(config, source, given=given)
        shape, rates = shape_of(source, config), dropout_rates(source)
    else:
        shape = {**_encoder_settings(config, source, given=given), **source.tokenizer.to_dict()}
        rates = FINE_TUNING_DROPOUT
    sections = config.section_of()
    for name, expected in shape.items():
        chosen = getattr(getattr(config, sections[name]), name)
        if name in given and chosen != expected:
            expected, chosen = ("auto" if v is None else v for v in (expected, chosen))
            raise ConfigError(
                f"`{name}` must be that of {init_from}, {expected}, got {chosen}; leave it out."
            )
    default = ModelConfig()
    dropouts = {
        name: rate
        for name, rate in rates.items()
        if name not in given and getattr(config.model, name) == getattr(default, name)
    }
    return config.replace(**shape, **dropouts)


def with_run(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns settings whose `init_from`, if it is a trained model, is its run folder.

    Args:
        settings: Single settings by name.

    Raises:
        ConfigError: The model has no run folder.
    """
    model = settings.get("init_from")
    if not isinstance(model, TrainedClassifier | Path):
        return dict(settings)
    folder = model if isinstance(model, Path) else model.folder
    if folder is None:
        raise ConfigError(
            "`init_from` must be a run folder or a classifier that has one, got a classifier "
            "without a folder; save it by `save` and load it."
        )
    return {**settings, "init_from": str(folder)}


def adopted_settings(config: ClassifierRunConfig) -> frozenset[str]:
    """Returns the names of the settings that `adopt_shape` takes, wholly or in part, from a run.

    Raises:
        ModelError: The folder contains no run.
    """
    if config.start.init_from is None:
        return frozenset()
    source = _settings_of(config.start.init_from)
    if isinstance(source, ClassifierRunConfig):
        return frozenset(shape_of(source, config))
    names = {*source.model.to_dict(), *source.tokenizer.to_dict(), "separate_directions"}
    return frozenset(names)


def _settings_of(init_from: str) -> ClassifierRunConfig | LanguageModelRunConfig:
    """Returns the settings of the run that a classifier starts from."""
    path = Path(init_from) / run_folder.CONFIG
    if not path.is_file():
        raise ModelError(
            f"{init_from}: expected the run folder of a language model or of a classifier, found "
            "none; make one by textrnn pretrain or textrnn train."
        )
    source = read_any_settings(path)
    if not isinstance(source, ClassifierRunConfig | LanguageModelRunConfig):
        raise ModelError(f"{init_from}: expected a language model or a classifier.")
    return source


def _encoder_settings(
    config: ClassifierRunConfig, source: LanguageModelRunConfig, *, given: Collection[str]
) -> dict[str, Any]:
    """Returns the settings of the encoder that agree with the language model."""
    both = source.model.bidirectional
    if "bidirectional" in given and config.model.bidirectional and not both:
        raise ConfigError(
            f"`bidirectional` must be off, because {config.start.init_from} reads forwards only; "
            "turn it off, or pretrain a bidirectional language model."
        )
    settings = source.model.to_dict()
    settings["bidirectional"] = config.model.bidirectional and both
    for name in ("kernel", "recompute"):
        settings[name] = getattr(config.model, name)
    settings["imports"] = config.model.imports or source.model.imports
    settings["separate_directions"] = settings["bidirectional"] and _directions_differ(source.model)
    return settings


def _directions_differ(encoder: EncoderConfig) -> bool:
    """Returns whether the two directions compute other values separately than layer by layer."""
    return encoder.layers > 1 or encoder.residual


def encoder_weights(trained: TrainedLanguageModel) -> list[np.ndarray]:
    """Returns the embeddings, and the weights of each cell, direction by direction."""
    source = trained.model
    arrays = list(source.embedding.get_weights())
    for stack in source.stacks:
        for cell in stack.cells:
            arrays += cell.get_weights()
    return arrays


def write_encoder(weights: Sequence[np.ndarray], model: TextClassifier) -> None:
    """Writes what `encoder_weights` returns into a built classifier of the same shape."""
    left = list(weights)
    layers = [] if model.stack is None else model.stack.rnns
    both = model.config.bidirectional
    forwards = [layer.forward_layer if both else layer for layer in layers]
    backwards = [layer.backward_layer for layer in layers] if both else []
    for part in (model.embedding, *(layer.cell for layer in (*forwards, *backwards))):
        count = len(part.weights)
        part.set_weights(left[:count])
        del left[:count]


def transfer(trained: TrainedLanguageModel, model: TextClassifier) -> None:
    """Copies the embeddings and recurrent weights of a language model into a built classifier.

    Raises:
        ConfigError: The classifier's encoder differs from the language model's.
    """
    config, encoder = model.config, trained.config.model
    for setting in dataclasses.fields(EncoderConfig):
        name = setting.name
        if name not in MAY_DIFFER and getattr(config, name) != getattr(encoder, name):
            raise ConfigError(
                f"`{name}` must be that of the language model, {getattr(encoder, name)}, got "
                f"{getattr(config, name)}."
            )
    if config.bidirectional > encoder.bidirectional:
        raise ConfigError(
            "`bidirectional` must be off, because the language model does not read both directions."
        )
    separate = not config.bidirectional or not _directions_differ(config)
    if model.stack is None or not (separate or config.separate_directions):
        raise ConfigError(
            "`separate_directions` must be on, because those of the language model are separate."
        )
    if config.pyramid and config.layers > 1:
        raise ConfigError(
            "`pyramid` must be off, because the language model's layers read every step."
        )
    write_encoder(encoder_weights(trained), model)
