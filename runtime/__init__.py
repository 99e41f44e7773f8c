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
    from .model import RuntimeModel, load
    from .prediction import Answer, Prediction
    from .streaming import Stream, Streams

__all__ = [
    "Answer",
    "ConfigError",
    "DataError",
    "Explanation",
    "ModelError",
    "Prediction",
    "RuntimeModel",
    "Stream",
    "Streams",
    "TextRNNError",
    "load",
]

_HOMES = {
    "Answer": "prediction",
    "ConfigError": "errors",
    "DataError": "errors",
    "Explanation": "explanation",
    "ModelError": "errors",
    "Prediction": "prediction",
    "RuntimeModel": "model",
    "Stream": "streaming",
    "Streams": "streaming",
    "TextRNNError": "errors",
    "load": "model",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return list(__all__)
