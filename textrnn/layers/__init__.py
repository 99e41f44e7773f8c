"""All layers and cells of this package, imported and so registered with Keras.

A `.keras` file names its layers, and Keras makes them from the classes that are registered under
these names. `import textrnn`, before or after `import keras`, is enough for that; whoever wants the
classes imported at once, as `keras.layers` does it, says

    >>> import textrnn.layers
    >>> import keras
    >>> keras.saving.get_registered_object("textrnn>RNN") is textrnn.layers.RNN
    True

The two models stand above the layers, and are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from textrnn.layers.bidirectional import Bidirectional
from textrnn.layers.cells import GRUCell, LSTMCell, MinGRUCell, MinLSTMCell, SimpleRNNCell
from textrnn.layers.embedding import TokenEmbedding
from textrnn.layers.pooling import AttentionPooling, LastState, MaxPooling, MeanPooling
from textrnn.layers.rnn import RNN
from textrnn.layers.stack import RNNStack

__all__ = [
    "RNN",
    "AttentionPooling",
    "Bidirectional",
    "GRUCell",
    "LSTMCell",
    "LanguageModel",
    "LastState",
    "MaxPooling",
    "MeanPooling",
    "MinGRUCell",
    "MinLSTMCell",
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
