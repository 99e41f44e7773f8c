"""The option of the commands that a cluster can compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["cluster_option"]

F = TypeVar("F", bound=Callable[..., Any])


def cluster_option(command: F) -> F:
    """Adds the option `--cluster`; without it, nothing of Ray is imported."""
    return click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Compute on a Ray cluster: auto (the one of this machine, or of RAY_ADDRESS), "
        "ray://HOST:PORT, or local, which starts one on this machine for the time of the command.",
    )(command)
