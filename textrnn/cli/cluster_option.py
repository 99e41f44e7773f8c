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


def _with_cluster(
    context: click.Context, parameter: click.Parameter, value: int | None
) -> int | None:
    """Returns the value; raises click.UsageError if it is given without --cluster."""
    if value is not None and context.params.get("cluster") is None:
        raise click.UsageError("--parallel needs --cluster.")
    return value


placement_options = OptionGroup(
    Placement,
    cluster_option,
    click.option(
        "--run-cores",
        type=click.IntRange(min=1),
        help="Number of cores that each run uses; its results depend on it in the last bits.  "
        "[default: 1 with --cluster, else all]",
    ),
    click.option(
        "--parallel",
        type=click.IntRange(min=1),
        callback=_with_cluster,
        help="With --cluster: number of runs that are trained at the same time.  [default: as many "
        "as the machines have room for]",
    ),
)
"""The options of the commands that train several runs; the command receives a `Placement`."""
