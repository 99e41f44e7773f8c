"""`textrnn tune`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import humanfriendly
from rich.table import Table

from textrnn.cli.console import print_json, print_table, table_console
from textrnn.cli.help import SectionedCommand
from textrnn.cli.option_group import OptionGroup
from textrnn.cli.options import check_inputs, given_settings, merge_settings, setting_options
from textrnn.cli.placement_options import placement_options
from textrnn.cli.startup import start_tensorflow
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import seconds
from textrnn.errors import ConfigError
from textrnn.messages.wording import counted
from textrnn.training.search.placement import Placement

if TYPE_CHECKING:
    from textrnn.training.search.tune import Budget, Outcome

__all__ = ["tune"]

SHOWN = 10
"""Largest number of trials in the table."""
DEFAULT_TIME = "30m"
"""Time for all trials if the user gives no --time-budget."""
NO_LIMIT = "off"
"""The value of --trial-budget by which a trial has no limit."""


@dataclass(frozen=True)
class _Limits:
    """The limits of a search as the user typed them."""

    trials: int | None
    trial_budget: str | None
    size_budget: str | None
    median_stopping: bool

    def budget(self, time_budget: str | None) -> Budget:
        """Returns the limits as numbers.

        Args:
            time_budget: Time for all trials, such as 30m; None: the default.

        Raises:
            ConfigError: A duration or the size is not valid.
        """
        from textrnn.training.search.tune import Budget

        total = seconds(time_budget or DEFAULT_TIME)
        return Budget(
            seconds=total,
            trial_seconds=self._trial_seconds(total),
            most_bytes=None if self.size_budget is None else _size(self.size_budget),
            most_trials=self.trials,
            median_stopping=self.median_stopping,
        )

    def _trial_seconds(self, total: float) -> float | None:
        if self.trial_budget == NO_LIMIT:
            return None
        return seconds(self.trial_budget) if self.trial_budget else total / 10


_limit_options = OptionGroup(
    _Limits,
    click.option("--trials", type=click.IntRange(min=1), help="Largest number of trials to train."),
    click.option(
        "--trial-budget",
        help="Time for each trial, or off: as long as its --epochs take, so that its score does "
        "not depend on the speed of the machine.  [default: a tenth of --time-budget]",
    ),
    click.option(
        "--size-budget",
        help="Size of the largest model, its weights in float32, such as 2MB.  [default: any]",
    ),
    click.option(
        "--median-stopping/--no-median-stopping",
        default=True,
        show_default=True,
        help="End a trial early if its best validation score is below the median of the earlier "
        "trials after the same share of their training.",
    ),
    name="limits",
)


@click.command(
    cls=SectionedCommand, short_help="Search for the best settings within a time and size budget."
)
@setting_options()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("runs/tune"),
    show_default=True,
    help="Folder of the search.",
)
@_limit_options
@placement_options
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as one JSON object.")
@click.pass_context
def tune(
    context: click.Context,
    /,
    output: Path,
    limits: _Limits,
    placement: Placement,
    as_json: bool,
    **_: Any,
) -> None:
    """Search for the settings that give the best score on the validation data.

    The search varies cell, head, sizes, dropout rates and learning rate, except those that you
    give as options. All trials together take --time-budget, by default 30m.

    The same command continues a search that was interrupted; with a longer budget, it continues a
    search that has ended. The run of the best trial is copied to OUTPUT/best.

    With --cluster, the workers of a Ray cluster train --workers trials at the same time, and the
    trials together take that multiple of --time-budget.
    """
    if find_spec("optuna") is None:
        raise ConfigError(
            "textrnn tune needs the package optuna, which is missing; install it by "
            "`pip install 'textrnn[tune]'`."
        )
    given = given_settings(context)
    check_inputs(merge_settings(ClassifierRunConfig(), given), given, source="")
    start_tensorflow()
    from textrnn.cli.reporting import CommandReporter
    from textrnn.training.run.transfer import adopt_shape, adopted_settings
    from textrnn.training.search.tune import tune as search

    # The time is that of the search; a trial has a budget of its own.
    budget = limits.budget(given.get("schedule", {}).pop("time_budget", None))
    fixed = {name for settings in given.values() for name in settings}
    config = adopt_shape(merge_settings(ClassifierRunConfig(), given), given=fixed)
    fixed |= adopted_settings(config)
    reporter = CommandReporter()
    with placement.runner(config, say=reporter.message) as runner:
        outcomes = search(
            config,
            output,
            fixed=fixed,
            budget=budget,
            reporter=reporter,
            runner=runner,
            parallel=placement.workers,
        )
    if as_json:
        _print_json(outcomes, output)
    else:
        _print_table(outcomes, output)


def _size(text: str) -> int:
    """Returns a size such as 2MB in bytes."""
    try:
        return int(humanfriendly.parse_size(text))
    except humanfriendly.InvalidSize:
        raise ConfigError(f"expected a size such as 2MB, got {text!r}.") from None


def _print_json(outcomes: Sequence[Outcome], output: Path) -> None:
    names = ("number", "state", "score", "size", "seconds", "settings")
    trials = [{name: getattr(outcome, name) for name in names} for outcome in outcomes]
    print_json({"best": str(output / "best"), "trials": trials})


def _print_table(outcomes: Sequence[Outcome], output: Path) -> None:
    from textrnn.training.search.tune import setting_text

    trained = [outcome for outcome in outcomes if outcome.score is not None]
    stopped = sum(outcome.state == "stopped" for outcome in outcomes)
    table = Table("trial", "score", "MB", "s", "settings")
    for outcome in trained[:SHOWN]:
        settings = [f"{name} {setting_text(value)}" for name, value in outcome.settings.items()]
        table.add_row(
            str(outcome.number),
            f"{outcome.score:.4f}",
            f"{outcome.size / 1e6:.2f}",
            f"{outcome.seconds:.0f}",
            ", ".join(settings),
        )
    print_table(table_console(), table)
    click.echo(
        f"{counted(len(trained), 'trial')} trained of {len(outcomes)}"
        f"{f', {stopped} of them stopped early' if stopped else ''}; "
        f"table {output / 'trials.csv'}"
    )
    click.echo(f"best run {output / 'best'}")
