"""The file of a run folder with which the light runtime answers: arrays and settings, no code."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from textrnn.config.choices import CELLS
from textrnn.inference.classifier import TrainedClassifier
from textrnn.layers.cells import RNNCell
from textrnn.layers.ngrams import NGramLogits
from textrnn.models.classifier import TextClassifier
from textrnn.runtime.network.architecture import Architecture
from textrnn.runtime.tensor_file import tensor_bytes

__all__ = ["runtime_file"]

Named = Iterator[tuple[str, np.ndarray]]


def runtime_file(classifier: TrainedClassifier) -> bytes | None:
    """Returns the content of `runtime.safetensors`; None for a classifier with a cell of the user's.

    Args:
        classifier: The classifier.
    """
    model, config = classifier.model, classifier.config
    shape = config.model
    if shape.cell not in CELLS:
        return None
    architecture = Architecture(
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
    return tensor_bytes(dict(_tensors(model)), architecture.to_metadata())


def _tensors(model: TextClassifier) -> Named:
    yield "embedding/embeddings", model.embedding.embeddings.numpy()
    stack = model.stack
    for number, rnn in enumerate(() if stack is None else stack.rnns):
        both = stack.bidirectional
        forward = rnn.forward_layer if both else rnn
        yield from _cell(forward.cell, f"layer_{number}/forward")
        if both:
            yield from _cell(rnn.backward_layer.cell, f"layer_{number}/backward")
        if stack.layer_norm:
            for name in ("gamma", "beta"):
                yield f"layer_{number}/norm/{name}", getattr(stack.norms[number], name).numpy()
    for weight in model.pooling.weights:
        yield f"pooling/{weight.name}", weight.numpy()
    yield "classify/kernel", model.classify.kernel.numpy()
    yield "classify/bias", model.classify.bias.numpy()
    if model.ngrams is not None:
        yield from _ngrams(model.ngrams)


def _cell(cell: RNNCell, name: str) -> Named:
    for weight in cell.weights:
        yield f"{name}/{weight.name}", weight.numpy()


def _ngrams(ngrams: NGramLogits) -> Named:
    for weight in ngrams.weights:
        values = weight.numpy()
        # Weights of n-grams are whole numbers.
        is_whole = weight.name.startswith("weights_")
        yield f"ngrams/{weight.name}", values.astype(np.int8) if is_whole else values
