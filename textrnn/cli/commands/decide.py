"""`textrnn decide`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textrnn.cli.commands.evaluate import print_figures, with_interval
from textrnn.cli.console import table_console
from textrnn.cli.help import SectionedCommand
from textrnn.cli.options import data_options, given_settings, setting_options
from textrnn.cli.run_argument import run_argument
from textrnn.cli.run_data import check_run, data_settings
from textrnn.cli.startup import start_tensorflow
from textrnn.config.decisions import DecisionsConfig

if TYPE_CHECKING:
    from textrnn.runtime.decision_rule import DecisionRule

__all__ = ["decide"]


@click.command(cls=SectionedCommand, short_help="Fit the decisions of a run to an objective.")
@run_argument
@setting_options(only=("decisions",), default="as in the run", common=True)
@data_options
@click.option("--json", "as_json", is_flag=True, help="Print the rule and the figures as JSON.")
@click.pass_context
def decide(context: click.Context, /, run: Path, as_json: bool, **_: Any) -> None:
    """Fit the decisions of RUN to its validation texts, without training it again.

    The probabilities stay as they are; what they lead to becomes what --objective asks for. All
    commands and exports that come later obey it. Without --objective only --abstain-below changes.
    """
    given = given_settings(context)
    chosen = given.get("decisions", {})
    if not chosen:
        raise click.UsageError("name an --objective, or a limit by --abstain-below.")
    DecisionsConfig.from_dict(chosen)
    check_run(run, given)
    start_tensorflow()
    from textrnn.cli.reporting import CommandReporter
    from textrnn.training.run.decide import decide as fit_decisions

    classifier = fit_decisions(
        run, reporter=CommandReporter(), **{**data_settings(given), **chosen}
    )
    which = "test" if "test" in classifier.metrics else "validation"
    figures = classifier.metrics[which]
    if as_json:
        rule = classifier.rule.to_dict(classifier.labels)
        click.echo(json.dumps({"rule": rule, which: with_interval(figures)}))
        return
    click.echo(
        f"decisions of {run} for {classifier.rule.objective}: "
        f"{_state(classifier.rule)}; figures of the {which} texts:"
    )
    print_figures(figures, table_console())


def _state(rule: DecisionRule) -> str:
    """Returns in a few words what a rule does."""
    state = "a weight for each label" if rule.weights else "the default decisions"
    if rule.costs:
        state = "the answer of the least expected cost"
    elif rule.thresholds:
        state = "a threshold for each label"
    if not rule.abstain_below:
        return state
    return f"{state}, no answer below {rule.abstain_below:g} (--abstain-below 0 answers all)"
