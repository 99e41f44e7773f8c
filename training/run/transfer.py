"""Copies the settings and the weights of a language model to a classifier."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Any

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import EncoderConfig, ModelConfig
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.inference import run_folder
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.inference.own_cell import import_cell
from textrnn.models.classifier import TextClassifier

__all__ = ["ADOPTED", "FINE_TUNING_DROPOUT", "adopt_shape", "transfer"]

MAY_DIFFER = ("kernel", "recompute", "imports", "bidirectional")
"""Settings of the encoder that a classifier need not share with its language model: the weights do
not depend on the first three, and a classifier may use one direction of two."""

ADOPTED = frozenset(
    setting.name
    for section in (EncoderConfig, TokenizerConfig)
    for setting in dataclasses.fields(section)
) | {"separate_directions"}
"""Settings that a classifier takes, wholly or in part, from the language model it starts from."""

FINE_TUNING_DROPOUT = {"embedding_dropout": 0.1, "word_dropout": 0.1, "dropout": 0.3}
"""Dropout rates of a classifier that starts from a language model: the rates that suit random
weights hide too much of what the language model has learned."""


def adopt_shape(config: ClassifierRunConfig, *, given: Collection[str] = ()) -> ClassifierRunConfig:
    """Returns the settings of a classifier that starts from the language model `start.init_from`.

    The tokenizer and the encoder get the settings of the language model. If it reads both
    directions and has several layers or `residual`, `separate_directions` is turned on. Dropout
    rates with default values become those of `FINE_TUNING_DROPOUT`.

    Args:
        config: The settings.
        given: The names of the settings that the user has chosen. They are not changed, and those
            of the tokenizer and the encoder must equal the language model's.

    Raises:
        ConfigError: A chosen setting differs from the language model's, or the language model has
            a cell of the user's that cannot be imported.
        ModelError: The folder contains no language model.
    """
    init_from = config.start.init_from
    if init_from is None:
        return config
    if not (Path(init_from) / run_folder.CONFIG).is_file():
        raise ModelError(
            f"{init_from}: expected a language model's run folder, found none; make one by "
            "textrnn pretrain."
        )
    source = run_folder.read_settings(Path(init_from) / run_folder.CONFIG, LanguageModelRunConfig)
    import_cell(source.model, run=Path(init_from))
    encoder = _encoder_settings(config, source, given=given)
    for section, values in (("model", encoder), ("tokenizer", source.tokenizer.to_dict())):
        for name, expected in values.items():
            chosen = getattr(getattr(config, section), name)
            if name in given and chosen != expected:
                expected, chosen = ("auto" if v is None else v for v in (expected, chosen))
                raise ConfigError(
                    f"`{name}` must be that of {init_from}, {expected}, got {chosen}; leave it out."
                )
    default = ModelConfig()
    dropouts = {
        name: rate
        for name, rate in FINE_TUNING_DROPOUT.items()
        if name not in given and getattr(config.model, name) == getattr(default, name)
    }
    return config.replace(**source.tokenizer.to_dict(), **encoder, **dropouts)


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
    source = trained.model
    model.embedding.set_weights(source.embedding.get_weights())
    for i, layer in enumerate(model.stack.rnns):
        targets = [layer.forward_layer, layer.backward_layer] if config.bidirectional else [layer]
        for stack, target in zip(source.stacks, targets, strict=False):
            target.cell.set_weights(stack.cells[i].get_weights())
