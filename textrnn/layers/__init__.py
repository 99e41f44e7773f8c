"""All layers and cells of this package. The import registers them with Keras.

A `.keras` file names its layers, and Keras makes them from the classes that are registered under
these names. `import textrnn`, before or after `import keras`, is enough for that. To import the
classes at once, as `keras.layers` does, import this module:

    >>> import textrnn.layers
    >>> import keras
    >>> keras.saving.get_registered_object("textrnn>RNN") is textrnn.layers.RNN
    True

The two models use the layers; Python imports them when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from textrnn.layers.bidirectional import Bidirectional
from textrnn.layers.cells import (
    GRUCell,
    LinearRNNCell,
    LSTMCell,
    LSTMState,
    MinGRUCell,
    MinLSTMCell,
    NonlinearRNNCell,
    RNNCell,
    SimpleRNNCell,
)
from textrnn.layers.embedding import TokenEmbedding
from textrnn.layers.ngrams import NGramLogits
from textrnn.layers.pooling import AttentionPooling, LastState, MaxPooling, MeanPooling
from textrnn.layers.rnn import RNN
from textrnn.layers.stack import RNNStack

__all__ = [
    "RNN",
    "AttentionPooling",
    "Bidirectional",
    "GRUCell",
    "LSTMCell",
    "LSTMState",
    "LanguageModel",
    "LastState",
    "LinearRNNCell",
    "MaxPooling",
    "MeanPooling",
    "MinGRUCell",
    "MinLSTMCell",
    "NGramLogits",
    "NonlinearRNNCell",
    "RNNCell",
    "RNNStack",
    "SimpleRNNCell",
    "TextClassifier",
    "TokenEmbedding",
]

_MODELS = {
    "LanguageModel": "textrnn.models.language_model",
    "TextClassifier": "textrnn.models.classifier",
}


def __getattr__(name: str) -> Any:
    if name not in _MODELS:
        raise AttributeError(f"module 'textrnn.layers' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODELS[name]), name)
