"""`textrnn evaluate`."""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from textrnn.cli.console import fits, print_table, table_console
from textrnn.cli.options import data_options, given_settings, run_argument
from textrnn.cli.run_data import check_run, read_split
from textrnn.cli.startup import start_tensorflow

__all__ = ["evaluate"]

CONFUSIONS = 20
"""Pairs of labels in the place of a matrix."""

SplitName = Literal["train", "validation", "test"]


@click.command(short_help="Measure a run on labelled texts.")
@run_argument
@data_options
@click.option(
    "--split",
    type=click.Choice(get_args(SplitName)),
    default="test",
    show_default=True,
    help="Which part of the data to measure on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def evaluate(
    context: click.Context, /, run: Path, split: SplitName, as_json: bool, **_: Any
) -> None:
    """Measure RUN on labelled texts: its own data set's, or other data given by the options."""
    check_run(run, given_settings(context))
    start_tensorflow()
    from textrnn import bundle
    from textrnn.training.measurement import measure
    from textrnn.training.progress import Reporter

    classifier = bundle.load(run)
    reporter = Reporter()
    data = read_split(run, split, given=given_settings(context), reporter=reporter)
    metrics = measure(classifier, data, name=split, reporter=reporter)
    if as_json:
        click.echo(json.dumps(metrics))
    else:
        _print_tables(metrics, table_console())


def _print_tables(metrics: Mapping[str, Any], console: Console) -> None:
    summary = Table("figure", "value", title=f"{metrics['texts']:,} texts")
    for name in ("accuracy", "macro_f1", "micro_f1", "log_loss", "calibration_error"):
        if name in metrics:
            summary.add_row(name.replace("_", " "), f"{metrics[name]:.4f}")
    print_table(console, summary)
    classes = Table("label", "precision", "recall", "F1", "texts")
    for label, figures in metrics["per_class"].items():
        values = [f"{figures[name]:.4f}" for name in ("precision", "recall", "f1")]
        classes.add_row(escape(label), *values, f"{figures['support']:,}")
    print_table(console, classes)
    if "confusion_matrix" in metrics:
        labels = list(metrics["per_class"])
        matrix = Table("true \\ predicted", *map(escape, labels))
        for label, row in zip(labels, metrics["confusion_matrix"], strict=True):
            matrix.add_row(escape(label), *(f"{count:,}" for count in row))
        print_table(console, matrix if fits(console, matrix) else _confusions(metrics))


def _confusions(metrics: Mapping[str, Any]) -> Table:
    """The most frequent mistakes, where a matrix of all labels is too wide."""
    labels, counts = list(metrics["per_class"]), metrics["confusion_matrix"]
    mistakes = [
        (count, labels[i], labels[j])
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        if i != j and count
    ]
    shown = heapq.nlargest(CONFUSIONS, mistakes, key=lambda mistake: mistake[0])
    table = Table("true", "predicted", "texts", title="the most frequent mistakes; --json has all")
    for count, true, predicted in shown:
        table.add_row(escape(true), escape(predicted), f"{count:,}")
    return table
