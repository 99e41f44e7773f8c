"""The distribution that this package was installed with."""

from __future__ import annotations

__all__ = ["DISTRIBUTION", "version"]

DISTRIBUTION = "textrnn-runtime" if __name__.startswith("textrnn_runtime") else "textrnn"
"""The name of the distribution, which is that of its command too."""


def version() -> str:
    """Returns the version of the distribution."""
    from importlib import metadata  # It imports much.

    return metadata.version(DISTRIBUTION)
