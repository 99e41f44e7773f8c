"""All layers, cells and models of this package, imported and so registered with Keras.

A `.keras` file names its layers, and Keras makes them from the classes that are registered under
these names. `import textrnn`, before or after `import keras`, is enough for that; whoever wants the
classes imported at once, as `keras.layers` does it, says

    >>> import textrnn.layers
    >>> import keras
    >>> keras.saving.get_registered_object("textrnn>RNN") is textrnn.layers.RNN
    True
"""

from __future__ import annotations

from textrnn.bidirectional import Bidirectional
from textrnn.cells import GRUCell, LSTMCell, MinGRUCell, MinLSTMCell, SimpleRNNCell
from textrnn.classifier import TextClassifier
from textrnn.embedding import TokenEmbedding
from textrnn.language_model import LanguageModel
from textrnn.pooling import AttentionPooling, LastState, MaxPooling, MeanPooling
from textrnn.rnn import RNN
from textrnn.stack import RNNStack

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
