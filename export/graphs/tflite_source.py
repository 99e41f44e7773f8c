"""The SavedModel from which the converter makes a TFLite file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from textrnn.models.classifier import TextClassifier

__all__ = ["save_source", "traced"]


def traced(function: Callable[..., Any], *inputs: Any, **named_inputs: Any) -> Any:
    """Returns the graph of a function of tensors, for inputs of the given specifications."""
    return tf.function(function, autograph=False).get_concrete_function(*inputs, **named_inputs)


def save_source(
    folder: str | Path, signatures: dict[str, Any], *, models: Sequence[TextClassifier]
) -> None:
    """Writes traced functions as a SavedModel.

    Args:
        folder: The folder of the SavedModel, which is made.
        signatures: The functions, as `traced` returns them, by the names of their signatures.
        models: The models whose weights the functions read.
    """
    module = tf.Module()
    # The converter loses the weights of a variable that the module does not track.
    module.variables_of_models = [v.value for model in models for v in model.variables]
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(folder), signatures=signatures, options=options)
