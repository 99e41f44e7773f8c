"""The folder of what can be made again."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """The user's cache folder for textrnn, or that of the environment's TEXTRNN_CACHE_DIR."""
    return Path(os.environ.get("TEXTRNN_CACHE_DIR") or platformdirs.user_cache_dir("textrnn"))
