"""From a language model to a classifier that begins with what it has learned."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Any

from textrnn.config.model import ModelConfig, EncoderConfig
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.tokenizer import TokenizerConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.inference import run_folder
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.models.classifier import TextClassifier

__all__ = ["ADOPTED", "GENTLE", "adopt_shape", "transfer"]

FREE = ("kernel", "recompute", "bidirectional")
"""Settings of the shape that a classifier may have otherwise: its weights do not depend on them, or
it takes one direction of two."""

ADOPTED = frozenset(
    each.name for kind in (EncoderConfig, TokenizerConfig) for each in dataclasses.fields(kind)
) | {"separate_directions"}
"""Settings that are not free, or only in part, where a classifier begins with a language model."""


GENTLE = {"embedding_dropout": 0.1, "word_dropout": 0.1, "dropout": 0.3}
"""What a classifier drops that begins with a language model: what suits a start from nothing hides
from it what it reads by."""


def adopt_shape(config: ClassifierRunConfig, *, given: Collection[str] = ()) -> ClassifierRunConfig:
    """The settings of a classifier that begins with a language model, `training.init_from`.

    Its tokenizer and the shape of its recurrence are the language model's; in both directions these
    are separate_directions, where that makes a difference: with several layers or `residual`. Dropouts that are
    as by default become those of `GENTLE`.

    Args:
        config: The settings.
        given: Names of those that the user has chosen, which must agree, or stay.

    Raises:
        ConfigError: One does not.
        ModelError: There is no language model there.
    """
    init_from = config.start.init_from
    if init_from is None:
        return config
    if not (Path(init_from) / run_folder.CONFIG).is_file():
        raise ModelError(
            f"{init_from}: expected a language model's run folder, found none; make one by "
            "textrnn pretrain."
        )
    own = run_folder.read_settings(Path(init_from) / run_folder.CONFIG, LanguageModelRunConfig)
    shape = own.model.to_dict()
    both = own.model.bidirectional
    if "bidirectional" in given and config.model.bidirectional and not both:
        raise ConfigError(
            f"{init_from} reads forwards only; leave --bidirectional out, or pretrain another."
        )
    shape["bidirectional"] = config.model.bidirectional and both
    for name in ("kernel", "recompute"):
        shape[name] = getattr(config.model, name)
    apart = own.model.layers > 1 or own.model.residual
    usual = ModelConfig()
    dropouts: dict[str, Any] = {
        name: value
        for name, value in GENTLE.items()
        if name not in given and getattr(config.model, name) == getattr(usual, name)
    }
    shape["separate_directions"] = shape["bidirectional"] and apart
    for section, values in (("model", shape), ("tokenizer", own.tokenizer.to_dict())):
        for name, value in values.items():
            wanted = getattr(getattr(config, section), name)
            if name in given and wanted != value:
                own_value, given_value = ("auto" if v is None else v for v in (value, wanted))
                raise ConfigError(
                    f"`{name}` must be that of {init_from}, {own_value}, got {given_value}; leave "
                    "it out."
                )
    return dataclasses.replace(
        config,
        model=dataclasses.replace(config.model, **shape, **dropouts),
        tokenizer=own.tokenizer,
    )


def transfer(trained: TrainedLanguageModel, model: TextClassifier) -> None:
    """Gives a classifier, built, a language model's embeddings and recurrent weights.

    Raises:
        ConfigError: Its shape is another one.
    """
    own, shape = model.config, trained.config.model
    names = [each.name for each in dataclasses.fields(EncoderConfig) if each.name not in FREE]
    for name in names:
        if getattr(own, name) != getattr(shape, name):
            raise ConfigError(
                f"`{name}` must be that of the language model, {getattr(shape, name)}, got "
                f"{getattr(own, name)}."
            )
    if own.bidirectional > shape.bidirectional:
        raise ConfigError("`bidirectional` needs a language model of both directions.")
    apart = own.layers > 1 or own.residual
    if model.stack is None or (own.bidirectional and apart and not own.separate_directions):
        raise ConfigError("`separate_directions` must be on, as a language model's directions are apart.")
    if own.pyramid and own.layers > 1:
        raise ConfigError("`pyramid` must be off, as a language model's layers read every step.")
    source = trained.model
    model.embedding.set_weights(source.embedding.get_weights())
    for i, layer in enumerate(model.stack.rnns):
        targets = [layer.forward_layer, layer.backward_layer] if own.bidirectional else [layer]
        for stack, target in zip(source.stacks, targets, strict=False):
            target.cell.set_weights(stack.cells[i].get_weights())
