"""The options of the commands that a cluster can compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from textrnn.cli.option_group import OptionGroup
from textrnn.training.search.placement import Placement

__all__ = ["cluster_option", "placement_options"]

F = TypeVar("F", bound=Callable[..., Any])


def cluster_option(command: F) -> F:
    """Adds the option `--cluster`; without it, nothing of Ray is imported."""
    return click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Compute on a Ray cluster: auto (the one of this machine, or of RAY_ADDRESS), "
        "ray://HOST:PORT, or local, which starts one on this machine for the time of the command.",
    )(command)


placement_options = OptionGroup(
    Placement,
    cluster_option,
    click.option(
        "--worker-cores",
        type=click.IntRange(min=1),
        help="Number of cores that each run uses; its results depend on it in the last bits.  "
        "[default: 1 with --cluster, else all]",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        help="Number of runs that a cluster trains at the same time.  [default: as many as its "
        "machines have room for]",
    ),
)
"""The options of the commands that train several runs; the command receives a `Placement`."""
