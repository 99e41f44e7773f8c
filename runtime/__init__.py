"""Answers of trained text classifiers without TensorFlow: NumPy and SentencePiece alone.

`textrnn train` writes a run folder, and `load` reads it. The package is part of textrnn as
`textrnn.runtime`, and can be installed alone as `textrnn_runtime`, which is the distribution
`textrnn-runtime`. It imports nothing of textrnn. The public names are loaded when they are first
used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import ConfigError, DataError, ModelError, TextRNNError
    from .explanation import Explanation
    from .language_model import RuntimeLanguageModel, load_language_model
    from .likelihood import Likelihood
    from .model import RuntimeModel, load
    from .prediction import Answer, Prediction
    from .streaming import Stream, Streams

__all__ = [
    "Answer",
    "ConfigError",
    "DataError",
    "Explanation",
    "Likelihood",
    "ModelError",
    "Prediction",
    "RuntimeLanguageModel",
    "RuntimeModel",
    "Stream",
    "Streams",
    "TextRNNError",
    "load",
    "load_language_model",
]

_HOMES = {
    "Answer": "prediction",
    "ConfigError": "errors",
    "DataError": "errors",
    "Explanation": "explanation",
    "Likelihood": "likelihood",
    "ModelError": "errors",
    "Prediction": "prediction",
    "RuntimeLanguageModel": "language_model",
    "RuntimeModel": "model",
    "Stream": "streaming",
    "Streams": "streaming",
    "TextRNNError": "errors",
    "load": "model",
    "load_language_model": "language_model",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return list(__all__)
