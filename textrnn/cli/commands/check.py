"""`textrnn check`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from textrnn.cli.console import print_json, print_table, single_spaced, table_console
from textrnn.cli.flags import flags_in_message
from textrnn.cli.help import SectionedCommand
from textrnn.cli.option_group import OptionGroup
from textrnn.cli.options import check_inputs, given_settings, merge_settings, setting_options
from textrnn.cli.startup import start_tensorflow
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.paths import check_exists
from textrnn.errors import DataError
from textrnn.inference.run_files import check_finished, load_config
from textrnn.messages.wording import counted

if TYPE_CHECKING:
    from textrnn.analysis.data_check.check import DataCheck
    from textrnn.analysis.data_check.label_errors import LabelErrors

__all__ = ["check"]

SHOWN_CLASSES = 20
"""The largest number of classes in the table; of more, the largest and the smallest are shown."""

SHOWN_SUSPECTS = 15
SHOWN_CHARACTERS = 80

_COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan"}


@dataclass(frozen=True)
class _Outputs:
    """Where the results go.

    Attributes:
        as_json: Whether to print JSON in place of tables.
        html: The page; None: no page.
        output: The folder of the CSV files; None: no files.
        strict: Whether warnings and errors make the exit code 1.
    """

    as_json: bool
    html: Path | None
    output: Path | None
    strict: bool


output_options = OptionGroup(
    _Outputs,
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    click.option(
        "--html", type=click.Path(path_type=Path), help="Write one HTML page that needs no other."
    ),
    click.option(
        "--output",
        type=click.Path(path_type=Path),
        help="Write CSV files into this folder: findings.csv, classes.csv, repeats.csv and "
        "label_errors.csv.",
    ),
    click.option("--strict", is_flag=True, help="Exit with code 1 if there is a warning or error."),
    name="outputs",
)


@click.command(
    cls=SectionedCommand,
    short_help="Look at a data set: duplicates, leaks, label errors.",
)
@click.argument("file", required=False, type=click.Path())
@setting_options(only=("data", "task"))
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="YAML file of settings, such as a run's config.yaml; an option on the command line takes "
    "precedence.",
)
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    help="Rank the labels by linear models: each text is judged by one that has not learned from "
    "it. 5 is a good number.  [default: off]",
)
@click.option(
    "--model",
    "run",
    metavar="RUN",
    type=click.Path(path_type=Path),
    help="Rank the labels by a run that was trained on other texts.",
)
@click.option(
    "--near-duplicates/--no-near-duplicates",
    default=True,
    show_default=True,
    help="Look for texts that are nearly equal, which takes most of the time.",
)
@output_options
@click.pass_context
def check(
    context: click.Context,
    /,
    file: str | None,
    config_file: Path | None,
    folds: int | None,
    run: Path | None,
    near_duplicates: bool,
    outputs: _Outputs,
    **_: Any,
) -> None:
    """Look at the labelled texts of FILE, which is what textrnn train --train-file takes: a file, a
    folder, several names with commas between them, or a pattern in quotes.

    Classes, duplicates and near-duplicates, contradictions, leaks between the files, lengths,
    scripts, damage and personal data. With --folds or --model, probable label errors too.
    """
    given = given_settings(context)
    config = _settings(given, file=file, config_file=config_file)
    if run is not None:
        check_finished(run)
    if folds or run is not None:
        start_tensorflow()
    from textrnn.analysis.data_check.check import check_data
    from textrnn.analysis.data_check.judge import LabelJudge
    from textrnn.cli.reporting import CommandReporter

    result = check_data(
        config,
        near_duplicates=near_duplicates,
        judge=LabelJudge(folds or 0, run),
        reporter=CommandReporter(),
    )
    _write(result, outputs)
    if outputs.as_json:
        print_json(result.to_dict())
    else:
        _print_tables(result, table_console())
    if outputs.strict and (result.counts["error"] or result.counts["warning"]):
        context.exit(1)


def _settings(
    given: Mapping[str, Mapping[str, Any]], *, file: str | None, config_file: Path | None
) -> ClassifierRunConfig:
    """Returns the settings of the data, whose files exist."""
    sources = {"train_file", "dataset"} & set(given.get("data", {}))
    if file is not None and sources:
        raise click.UsageError("give either FILE or --train-file or --dataset.")
    if file is None and not sources and config_file is None:
        raise click.UsageError("name the data: textrnn check FILE.")
    if file is not None:
        check_exists(file)
    settings = {name: dict(values) for name, values in given.items()}
    if file is not None:
        settings.setdefault("data", {})["train_file"] = file
    config = ClassifierRunConfig() if config_file is None else load_config(config_file)
    config = merge_settings(config, settings)
    check_inputs(config, settings, source=str(config_file or ""))
    return config


def _write(result: DataCheck, outputs: _Outputs) -> None:
    if outputs.html is not None:
        from textrnn.analysis.data_check.page import check_page
        from textrnn.host.atomic import write_atomically

        try:
            write_atomically(outputs.html, check_page(result))
        except OSError as error:
            raise DataError(
                f"{outputs.html}: cannot write the page: {error.strerror}; name another file."
            ) from None
        click.echo(f"page {outputs.html}", err=True)
    if outputs.output is not None:
        from textrnn.analysis.data_check.tables import write_tables

        for path in write_tables(result, outputs.output):
            click.echo(f"table {path}", err=True)


def _print_tables(result: DataCheck, console: Console) -> None:
    _print_splits(result, console)
    _print_classes(result, console)
    findings = Table("severity", "in", "finding", "rows")
    for found in result.findings:
        more = ", ..." if found.count > len(found.rows) else ""
        findings.add_row(
            f"[{_COLOURS[found.severity]}]{found.severity}[/]",
            found.split,
            escape(single_spaced(flags_in_message(f"{found.message} {found.advice}"))),
            ", ".join(map(str, found.rows[:5])) + ("" if not found.rows else more),
        )
    if result.findings:
        print_table(console, findings)
    if result.label_errors is not None:
        _print_suspects(result.label_errors, console)
    nouns = {"error": "error", "warning": "warning", "info": "note"}
    console.print(", ".join(counted(n, nouns[severity]) for severity, n in result.counts.items()))


def _print_splits(result: DataCheck, console: Console) -> None:
    table = Table(
        "split",
        *(Column(name, justify="right") for name in ("texts", "words (median)", "95 %", "longest")),
        Column("characters (longest)", justify="right"),
        "scripts",
        "encoding",
        title=escape(result.name),
    )
    for split in result.splits:
        lengths, shares = result.lengths[split.name], result.scripts[split.name]
        words = lengths["words"]
        table.add_row(
            split.name,
            f"{len(split):,}",
            *(f"{words[name]:,}" for name in ("median", "percentile_95", "longest")),
            f"{lengths['characters']['longest']:,}",
            ", ".join(f"{name} {share:.1%}" for name, share in list(shares.items())[:3]),
            split.encoding,
        )
    print_table(console, table)


def _print_classes(result: DataCheck, console: Console) -> None:
    """Prints the texts of each class; of many classes, of the largest and the smallest."""
    rows = list(result.classes.items())
    hidden = len(rows) - SHOWN_CLASSES
    if hidden > 0:
        rows = [*rows[: SHOWN_CLASSES // 2], *rows[-SHOWN_CLASSES // 2 :]]
    names = [split.name for split in result.splits]
    table = Table("label", *(Column(name, justify="right") for name in names))
    for place, (label, counts) in enumerate(rows):
        if hidden > 0 and place == SHOWN_CLASSES // 2:
            table.add_row(f"({hidden:,} more)", *("..." for _ in names))
        table.add_row(escape(label), *(f"{counts[name]:,}" for name in names))
    print_table(console, table)


def _print_suspects(errors: LabelErrors, console: Console) -> None:
    table = Table(
        *(Column("row", justify="right"), "given label", "suggested label"),
        *(Column("quality", justify="right"), "text"),
        title=f"probable label errors, by {escape(errors.source)}",
        caption="* counted as probably wrong",
    )
    for place, row in enumerate(errors.rows()):
        if place == SHOWN_SUSPECTS:
            break
        text = single_spaced(row["text"])
        cut = text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."
        table.add_row(
            str(row["row"]),
            escape(row["given_label"]),
            escape(row["suggested_label"] or "none"),
            f"{row['quality']:.4f}{' *' if row['probable_error'] else '  '}",
            escape(cut),
        )
    print_table(console, table)
    if len(errors.ranked) > SHOWN_SUSPECTS:
        console.print(
            f"{len(errors.ranked) - SHOWN_SUSPECTS:,} more ranked labels are not shown; --html and "
            "--output have them."
        )
