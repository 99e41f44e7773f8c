"""`textrnn tune`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import humanfriendly
from rich.table import Table

from textrnn.cli.console import print_table, table_console
from textrnn.cli.help import SectionedCommand
from textrnn.cli.options import check_inputs, given_settings, merge_settings, setting_options
from textrnn.cli.startup import start_tensorflow
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import seconds
from textrnn.errors import ConfigError
from textrnn.messages.wording import counted

__all__ = ["tune"]

SHOWN = 10
"""Trials in the table, at the most."""


@click.command(
    cls=SectionedCommand, short_help="Search for good settings, under a budget of time and of size."
)
@setting_options()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("runs/tune"),
    show_default=True,
    help="Folder of the search.",
)
@click.option("--trials", type=click.IntRange(min=1), help="How many are trained, at the most.")
@click.option("--trial-budget", help="Time for each trial.  [default: a tenth of --time-budget]")
@click.option(
    "--size-budget", help="Largest model, such as 2MB: its weights in float32.  [default: any]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as one JSON object.")
@click.pass_context
def tune(
    context: click.Context,
    /,
    output: Path,
    trials: int | None,
    trial_budget: str | None,
    size_budget: str | None,
    as_json: bool,
    **_: Any,
) -> None:
    """Search for the settings that give the best score on the validation data.

    Cells, heads, sizes, dropout and rates are searched, but for those that are given as options.
    --time-budget, by default 30m, is for all trials. The same command goes on with a search that
    was interrupted; a longer budget goes on with one that has ended. The best trial's run is
    copied to OUTPUT/best.
    """
    given = given_settings(context)
    check_inputs(merge_settings(ClassifierRunConfig(), given), given, source="")
    start_tensorflow()
    from textrnn.messages.terminal import TerminalReporter
    from textrnn.training.run.transfer import ADOPTED, adopt_shape
    from textrnn.training.search.tune import Budget, shown
    from textrnn.training.search.tune import tune as search

    total = seconds(given.get("schedule", {}).pop("time_budget", None) or "30m")
    most_bytes = None
    if size_budget is not None:
        try:
            most_bytes = int(humanfriendly.parse_size(size_budget))
        except humanfriendly.InvalidSize:
            raise ConfigError(f"expected a size such as 2MB, got {size_budget!r}.") from None
    fixed = {name for settings in given.values() for name in settings}
    config = adopt_shape(merge_settings(ClassifierRunConfig(), given), given=fixed)
    if config.start.init_from is not None:
        fixed |= ADOPTED
    outcomes = search(
        config,
        output,
        fixed=fixed,
        budget=Budget(
            seconds=total,
            trial_seconds=seconds(trial_budget) if trial_budget else total / 10,
            most_bytes=most_bytes,
            most_trials=trials,
        ),
        reporter=TerminalReporter(),
    )
    if as_json:
        fields = ("number", "state", "score", "size", "seconds", "settings")
        found = [{name: getattr(outcome, name) for name in fields} for outcome in outcomes]
        click.echo(json.dumps({"best": str(output / "best"), "trials": found}))
        return
    trained = [outcome for outcome in outcomes if outcome.score is not None]
    table = Table("trial", "score", "MB", "s", "settings")
    for outcome in trained[:SHOWN]:
        values = [f"{name} {shown(value)}" for name, value in outcome.settings.items()]
        table.add_row(
            str(outcome.number),
            f"{outcome.score:.4f}",
            f"{outcome.size / 1e6:.2f}",
            f"{outcome.seconds:.0f}",
            ", ".join(values),
        )
    print_table(table_console(), table)
    click.echo(
        f"{counted(len(trained), 'trial')} trained of {len(outcomes)}; "
        f"table {output / 'trials.csv'}"
    )
    click.echo(f"best run {output / 'best'}")
