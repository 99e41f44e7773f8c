"""The packages that are installed."""

from __future__ import annotations

import importlib.metadata

__all__ = ["installed_version"]


def installed_version(distribution: str) -> str | None:
    """Returns the version of an installed distribution; None if it is not installed.

    >>> installed_version("no-such-distribution") is None
    True

    Args:
        distribution: The name by which pip installs it.
    """
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
