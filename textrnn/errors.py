"""The errors that a user can cause; `textrnn.runtime.errors` defines them."""

from textrnn.runtime.errors import ConfigError, DataError, ModelError, TextRNNError

__all__ = ["ConfigError", "DataError", "ModelError", "TextRNNError"]
