"""textrnn: recurrent text classifiers that are small, fast and explainable.

The public names are loaded when they are first used: `import textrnn` does not import TensorFlow.
Keras knows the names of the layers as soon as both packages are imported, in either order, so that
`keras.saving.load_model` reads models with these layers in them; see `textrnn.registration`.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

from textrnn.registration import register_with_keras

if TYPE_CHECKING:
    from textrnn.bidirectional import Bidirectional
    from textrnn.bundle import load, load_language_model
    from textrnn.cells import GRUCell, LSTMCell, MinGRUCell, MinLSTMCell, SimpleRNNCell
    from textrnn.classifier import TextClassifier
    from textrnn.errors import ConfigError, DataError, ModelError, TextRNNError
    from textrnn.inference import Prediction
    from textrnn.language_model import LanguageModel
    from textrnn.likelihood import Likelihood
    from textrnn.pooling import AttentionPooling, LastState, MaxPooling, MeanPooling
    from textrnn.rnn import RNN
    from textrnn.stack import RNNStack
    from textrnn.streaming import Stream
    from textrnn.tokenizer import Tokenizer

__all__ = [
    "RNN",
    "AttentionPooling",
    "Bidirectional",
    "ConfigError",
    "DataError",
    "GRUCell",
    "LSTMCell",
    "LanguageModel",
    "LastState",
    "Likelihood",
    "MaxPooling",
    "MeanPooling",
    "MinGRUCell",
    "MinLSTMCell",
    "ModelError",
    "Prediction",
    "RNNStack",
    "SimpleRNNCell",
    "Stream",
    "TextClassifier",
    "TextRNNError",
    "Tokenizer",
    "load",
    "load_language_model",
]

_HOMES = {
    "RNN": "rnn",
    "AttentionPooling": "pooling",
    "Bidirectional": "bidirectional",
    "ConfigError": "errors",
    "DataError": "errors",
    "GRUCell": "cells",
    "LSTMCell": "cells",
    "LanguageModel": "language_model",
    "LastState": "pooling",
    "Likelihood": "likelihood",
    "MaxPooling": "pooling",
    "MeanPooling": "pooling",
    "MinGRUCell": "cells",
    "MinLSTMCell": "cells",
    "ModelError": "errors",
    "Prediction": "inference",
    "RNNStack": "stack",
    "SimpleRNNCell": "cells",
    "Stream": "streaming",
    "TextClassifier": "classifier",
    "TextRNNError": "errors",
    "Tokenizer": "tokenizer",
    "load": "bundle",
    "load_language_model": "bundle",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.metadata.version("textrnn")
    if name not in _HOMES:
        raise AttributeError(f"module 'textrnn' has no attribute {name!r}")
    return getattr(importlib.import_module(f"textrnn.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


register_with_keras()
