"""The errors that a user can cause.

Each message says what was expected, what came instead, and what to do. The command line prints a
`TextRNNError` as one line and exits with code 1. Any other exception is a bug and keeps its
traceback.
"""

__all__ = ["ConfigError", "DataError", "ModelError", "TextRNNError"]


class TextRNNError(Exception):
    """The base class of all errors that the user's data, files or settings cause.

    Attributes:
        exit_code: The exit code of a command that ends with the error.
    """

    exit_code = 1


class ConfigError(TextRNNError, ValueError):
    """A setting, or a combination of settings, that cannot work."""


class DataError(TextRNNError):
    """A data set or file that cannot be read or learned from; the message has the path and line."""


class ModelError(TextRNNError):
    """A run folder or model file that is missing, incomplete, changed or of another version."""
