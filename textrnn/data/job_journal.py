"""Refuses to continue a stopped job with another input or other options."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from textrnn.errors import DataError

__all__ = ["check_same_job"]


def check_same_job(folder: str, stored: bytes, job: Mapping[str, Any]) -> None:
    """Checks that a job continues with what it began with.

    Args:
        folder: The folder of its parts, for messages.
        stored: What it began with, as JSON.
        job: What it is to continue with, as plain values by name.

    Raises:
        DataError: They differ.
    """
    try:
        before = json.loads(stored)
    except ValueError:
        before = {}
    differs = list(_differences(before, json.loads(json.dumps(job))))
    if differs:
        raise DataError(
            f"{folder}: expected the parts of the same job, got those of a job that differs in "
            f"{', '.join(differs)}; restore what the job began with, or remove the folder to begin "
            "anew."
        )


def _differences(stored: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[str]:
    """Yields the names of the values that differ; of a group of values, each by its own name."""
    for name, value in expected.items():
        if stored.get(name) == value:
            continue
        if isinstance(value, dict) and isinstance(stored.get(name), dict):
            yield from _differences(stored[name], value)
        else:
            yield f"`{name}`"
