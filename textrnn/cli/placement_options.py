"""The options of the commands that train several runs."""

from __future__ import annotations

import click

from textrnn.cli.cluster_option import cluster_option
from textrnn.cli.option_group import OptionGroup
from textrnn.training.search.placement import Placement

__all__ = ["placement_options"]

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
