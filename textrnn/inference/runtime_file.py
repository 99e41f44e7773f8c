"""The file of a run folder with which the light runtime answers: arrays and settings, no code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from textrnn.config.choices import CELLS
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.models.classifier import TextClassifier
from textrnn.models.language_model import LanguageModel
from textrnn.runtime.model import RuntimeModel
from textrnn.runtime.network.architecture import Architecture, LanguageArchitecture
from textrnn.runtime.network.layer import DIRECTIONS
from textrnn.runtime.network.network import Network
from textrnn.runtime.tensor_file import tensor_bytes

__all__ = ["language_model_file", "light_model", "runtime_file"]

Named = Iterator[tuple[str, np.ndarray]]


def runtime_file(classifier: TrainedClassifier) -> bytes | None:
    """Returns the content of `runtime.safetensors`; None for a cell of the user.

    Args:
        classifier: The classifier.
    """
    if classifier.config.model.cell not in CELLS:
        return None
    return tensor_bytes(dict(_tensors(classifier.model)), _architecture(classifier).to_metadata())


def light_model(classifier: TrainedClassifier) -> RuntimeModel | None:
    """Returns a classifier in the light runtime, with the same arrays; None for a cell of the user.

    Args:
        classifier: The classifier.
    """
    if classifier.config.model.cell not in CELLS:
        return None
    network = Network(dict(_tensors(classifier.model)), _architecture(classifier))
    return RuntimeModel(network, classifier.tokenizer, classifier.label_space, "")


def _architecture(classifier: TrainedClassifier) -> Architecture:
    model, config = classifier.model, classifier.config
    shape = config.model
    return Architecture(
        cell=shape.cell,
        layers=shape.layers,
        bidirectional=shape.bidirectional,
        separate_directions=shape.separate_directions and shape.bidirectional,
        window=shape.window,
        residual=shape.residual,
        layer_norm=shape.layer_norm,
        pyramid=shape.pyramid,
        head=shape.head,
        ngram_once_in=None if model.ngrams is None else model.ngrams.once_in,
        max_length=config.batches.max_length,
        multi_label=config.task.multi_label,
        label_separator=config.task.label_separator,
    )


def language_model_file(
    trained: TrainedLanguageModel, *, directions: int | None = None
) -> bytes | None:
    """Returns the content of `runtime.safetensors` of a language model, as `runtime_file` does.

    Args:
        trained: The language model.
        directions: The number of directions in the file: 1 leaves out the backward one, which no
            likelihood needs; None: those of the model.
    """
    model, shape = trained.model, trained.config.model
    if shape.cell not in CELLS:
        return None
    directions = directions or model.directions
    architecture = LanguageArchitecture(
        cell=shape.cell,
        layers=shape.layers,
        directions=directions,
        window=shape.window,
        residual=shape.residual,
        unusual_bits_per_token=trained.unusual_bits_per_token,
    )
    return tensor_bytes(
        dict(_language_model_tensors(model, DIRECTIONS[:directions])), architecture.to_metadata()
    )


def _language_model_tensors(model: LanguageModel, directions: Sequence[str]) -> Named:
    yield "embedding/embeddings", model.embedding.embeddings.numpy()
    yield "output/bias", model.output_bias.numpy()
    for place, direction in enumerate(directions):
        for number, rnn in enumerate(model.stacks[place].rnns):
            yield from _named(rnn.cell.weights, f"layer_{number}/{direction}")
        yield from _named(model.projections[place].weights, f"projection/{direction}")


def _tensors(model: TextClassifier) -> Named:
    yield "embedding/embeddings", model.embedding.embeddings.numpy()
    if model.stack is not None:
        yield from _layers(model.stack)
    yield from _named(model.pooling.weights, "pooling")
    yield from _named(model.classify.weights, "classify")
    if model.ngrams is None:
        return
    for name, values in _named(model.ngrams.weights, "ngrams"):
        # Weights of n-grams are whole numbers.
        yield name, values.astype(np.int8) if name.startswith("ngrams/weights_") else values


def _layers(stack: Any) -> Named:
    for number, rnn in enumerate(stack.rnns):
        forward = rnn.forward_layer if stack.bidirectional else rnn
        yield from _named(forward.cell.weights, f"layer_{number}/forward")
        if stack.bidirectional:
            yield from _named(rnn.backward_layer.cell.weights, f"layer_{number}/backward")
        if stack.layer_norm:
            yield from _named(stack.norms[number].weights, f"layer_{number}/norm")


def _named(weights: Iterable[Any], name: str) -> Named:
    for weight in weights:
        yield f"{name}/{weight.name}", weight.numpy()
