"""The cache folder, whose files can be deleted at any time."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Returns the folder that TEXTRNN_CACHE_DIR names, or else the user's cache folder."""
    return Path(os.environ.get("TEXTRNN_CACHE_DIR") or platformdirs.user_cache_dir("textrnn"))
