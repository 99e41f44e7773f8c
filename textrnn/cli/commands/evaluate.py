"""`textrnn evaluate`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Column, Table

from textrnn.cli.console import table_console
from textrnn.cli.help import SectionedCommand
from textrnn.cli.options import data_options, given_settings
from textrnn.cli.output_options import check_output_file
from textrnn.cli.run_argument import abstain_option, run_argument
from textrnn.cli.run_data import check_run, data_settings
from textrnn.cli.startup import start_tensorflow
from textrnn.messages.wording import counted

if TYPE_CHECKING:
    from textrnn.cli.evaluation_table import EvaluationTable
    from textrnn.evaluation.confusion import Confusion
    from textrnn.progress import Reporter

__all__ = ["evaluate", "print_figures", "with_interval"]

_FIGURES = ("accuracy", "macro_f1", "micro_f1", "mean_cost", "log_loss", "calibration_error")

SplitName = Literal["train", "validation", "test"]


@click.command(cls=SectionedCommand, short_help="Measure a run on labelled texts.")
@run_argument
@data_options
@click.option(
    "--split",
    type=click.Choice(get_args(SplitName)),
    default="test",
    show_default=True,
    help="Which part of the data to measure on.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write each text with its answer, and whether it is correct, into a .csv, .tsv, .jsonl, "
    ".parquet or .xlsx file, with all columns of the file of the texts.",
)
@abstain_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    run: Path,
    split: SplitName,
    output: Path | None,
    abstain_below: float | None,
    as_json: bool,
    **_: Any,
) -> None:
    """Measure RUN on labelled texts: its own data set's, or other data given by the options."""
    given = given_settings(context)
    check_run(run, given)
    if output is not None:
        check_output_file(output, resume=False)
    start_tensorflow()
    from textrnn.cli.reporting import CommandReporter
    from textrnn.evaluation.evaluate import evaluate as measure

    reporter, settings = CommandReporter(), data_settings(given)
    written = None
    if output is not None:
        written = _output_table(run, split, settings, output=output, reporter=reporter)
    evaluation = measure(
        run,
        split=split,
        abstain_below=abstain_below,
        reporter=reporter,
        on_answers=None if written is None else written.write,
        **settings,
    )
    if as_json:
        click.echo(json.dumps(with_interval(evaluation.to_dict())))
    else:
        print_figures(evaluation.to_dict(), table_console())


def _output_table(
    run: Path,
    split: SplitName,
    settings: Mapping[str, Any],
    *,
    output: Path,
    reporter: Reporter,
) -> EvaluationTable:
    from textrnn.cli.evaluation_table import EvaluationTable
    from textrnn.evaluation.labelled_data import LabelledData
    from textrnn.evaluation.opened_run import RunRecord

    config = LabelledData(split=split, settings=settings).config(RunRecord.of(run))
    return EvaluationTable(config, split, output, reporter)


def with_interval(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the figures of an evaluation with the 95 % interval of the accuracy.

    Args:
        metrics: The figures of `Evaluation.to_dict`.
    """
    from textrnn.analysis.statistics import CONFIDENCE, accuracy_of

    found = accuracy_of(metrics)
    interval = {"low": found.low, "high": found.high, "confidence": CONFIDENCE}
    return {**metrics, "accuracy_interval": interval}


def print_figures(metrics: Mapping[str, Any], console: Console) -> None:
    """Prints the figures of an evaluation as tables.

    Args:
        metrics: The figures of `Evaluation.to_dict`.
        console: The console.
    """
    from textrnn.analysis.statistics import accuracy_of, caution
    from textrnn.evaluation.abstention import coverage_sentence
    from textrnn.evaluation.class_figures import weakest_class_sentence
    from textrnn.evaluation.confusion import Confusion

    summary = Table("figure", "value", title=counted(metrics["texts"], "text"))
    for name in _FIGURES:
        if name in metrics:
            summary.add_row(name.replace("_", " "), f"{metrics[name]:.4f}")
        if name == "accuracy" and name in metrics:
            interval = accuracy_of(metrics)
            summary.add_row("  95 % interval", f"{interval.low:.4f} to {interval.high:.4f}")
    withheld = metrics.get("abstention", {})
    if withheld:
        summary.add_row(
            f"share answered, from {withheld['abstain_below']:g} on", f"{withheld['coverage']:.4f}"
        )
    if withheld.get("accuracy") is not None:
        summary.add_row("accuracy of these answers", f"{withheld['accuracy']:.4f}")
    console.print(summary)
    for sentence in (
        caution(metrics, with_labels=False),
        coverage_sentence(metrics.get("coverage_curve", ())),
        weakest_class_sentence(metrics["per_class"]),
    ):
        if sentence:
            console.print(escape(sentence), highlight=False)
    _print_classes(metrics["per_class"], console)
    confusion = Confusion.from_metrics(metrics)
    if confusion is not None:
        _print_confusion(confusion, console)


def _print_classes(per_class: Mapping[str, Mapping[str, float]], console: Console) -> None:
    """Prints the figures of each class, or of the weakest of many."""
    import numpy as np

    from textrnn.evaluation.class_figures import shown_classes

    names = list(per_class)
    f1, support = (np.array([per_class[name][key] for name in names]) for key in ("f1", "support"))
    places = shown_classes(f1, support)
    hidden = len(names) - len(places)
    table = Table(
        Column("label", overflow="fold"),
        *(Column(name, no_wrap=True) for name in ("precision", "recall", "F1", "texts")),
        title=f"{counted(len(places), 'label')} with the lowest F1" if hidden else None,
    )
    for place in places:
        figures = per_class[names[place]]
        values = [f"{figures[name]:.4f}" for name in ("precision", "recall", "f1")]
        table.add_row(escape(names[place]), *values, f"{figures['support']:,}")
    console.print(table)
    if hidden:
        verb = "is" if hidden == 1 else "are"
        console.print(f"{counted(hidden, 'label')} {verb} not shown; --json has all.")


def _print_confusion(confusion: Confusion, console: Console) -> None:
    """Prints the whole matrix where the console is wide enough, or the most frequent mistakes."""
    from textrnn.evaluation.class_figures import SHOWN_CLASSES

    if len(confusion.labels) <= SHOWN_CLASSES:
        names = [escape(label) for label in confusion.labels]
        matrix = Table(*(Column(name, overflow="fold") for name in ("true \\ predicted", *names)))
        for name, row in zip(names, confusion.matrix().tolist(), strict=True):
            matrix.add_row(name, *(f"{count:,}" for count in row))
        # Names may wrap between their words, and no further.
        needed = Measurement.get(console, console.options.update(max_width=10**6), matrix).minimum
        if needed <= console.width:
            console.print(matrix)
            return
    top = confusion.top()
    if not top:
        console.print("No label was taken for another.")
        return
    table = Table(
        *(Column(name, overflow="fold") for name in ("true", "predicted")),
        Column("texts", no_wrap=True),
        title="most frequent mistakes",
    )
    for true, predicted, texts in top:
        table.add_row(escape(true), escape(predicted), f"{texts:,}")
    console.print(table)
