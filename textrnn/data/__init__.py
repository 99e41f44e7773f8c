"""Texts and their labels, from BBC News, TensorFlow Datasets or the user's own files.

Nothing here imports TensorFlow before a TFDS data set is read. The names are loaded when they are
first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textrnn.data.corpus import Corpus, Split
    from textrnn.data.file_format import FileFormat
    from textrnn.data.loading import load_corpus, load_split
    from textrnn.data.text_files import read_texts
    from textrnn.data.unlabelled import load_unlabelled

__all__ = [
    "Corpus",
    "FileFormat",
    "Split",
    "load_corpus",
    "load_split",
    "load_unlabelled",
    "read_texts",
]

_HOMES = {
    "Corpus": "corpus",
    "FileFormat": "file_format",
    "Split": "corpus",
    "load_corpus": "loading",
    "load_split": "loading",
    "load_unlabelled": "unlabelled",
    "read_texts": "text_files",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
