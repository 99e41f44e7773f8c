"""The file in the user's cache folder that holds a trained tokenizer."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sentencepiece

from textrnn.host.atomic import write_atomically
from textrnn.host.cache import cache_folder

__all__ = ["cache_model", "cached_model_path"]


def cached_model_path(chunks: Sequence[str], settings: Mapping[str, Any], *, rules: bytes) -> Path:
    """Returns the cache file of a model; its name is a digest of everything the model depends on.

    Args:
        chunks: The training texts.
        settings: All settings, ready for JSON.
        rules: The serialised normalisation.
    """
    digest = hashlib.sha256(hashlib.sha256(rules).digest())
    stated = {**settings, "sentencepiece": sentencepiece.__version__}
    digest.update(json.dumps(stated, sort_keys=True).encode())
    for chunk in chunks:
        content = chunk.encode()
        digest.update(len(content).to_bytes(8, "little") + content)
    return cache_folder() / "tokenizers" / f"{digest.hexdigest()}.model"


def cache_model(path: Path, model: bytes) -> None:
    """Writes a model to the cache, if the cache can be written to."""
    # Without the file, the next run only takes longer.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, model)
