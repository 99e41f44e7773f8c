"""The argument RUN, and the option that belongs to the answers of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = ["abstain_option", "run_argument"]

F = TypeVar("F", bound=Callable[..., Any])


def abstain_option(command: F) -> F:
    """Adds the option `--abstain-below` of a command that uses a run."""
    return click.option(
        "--abstain-below",
        type=click.FloatRange(0.0, 1.0, max_open=True),
        help="Give no answer if its calibrated probability is below this.  [default: as in the "
        "run]",
    )(command)


def run_argument(command: F) -> F:
    """Adds the argument RUN, a run folder."""
    return click.argument("run", type=click.Path(path_type=Path))(command)
