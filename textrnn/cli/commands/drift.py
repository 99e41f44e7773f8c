"""`textrnn drift`."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from textrnn.cli.console import print_json, print_table, table_console
from textrnn.cli.flags import flags_in_message
from textrnn.cli.help import SectionedCommand
from textrnn.cli.options import data_options, given_settings
from textrnn.cli.run_argument import run_argument
from textrnn.cli.run_data import check_run
from textrnn.cli.startup import start_tensorflow
from textrnn.cli.text_options import TextOptions
from textrnn.inference.run_files import CONFIG, load_config
from textrnn.messages.wording import counted

if TYPE_CHECKING:
    from textrnn.analysis.drift.drift import Drift

__all__ = ["DRIFT", "drift"]

DRIFT = 3
"""The exit code that means drift; no other command uses it."""

_SOURCES = ("dataset", "data_dir", "train_file", "valid_file")


@click.command(
    cls=SectionedCommand,
    short_help="Tell whether new texts are like those of the training.",
)
@run_argument
@click.argument("file", type=click.Path(path_type=Path))
@data_options
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    default=5000,
    show_default=True,
    help="How many of the new texts are compared, drawn at random (0: all).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def drift(
    context: click.Context, /, run: Path, file: Path, samples: int, as_json: bool, **_: Any
) -> None:
    """Compare the texts of FILE with those that RUN was trained on.

    Words, lengths, unknown pieces, predicted labels, confidence, and the likelihood where RUN
    started from a language model. FILE is a file as for textrnn predict --file; labels in it are
    not read.

    Exit code 0: no drift. 3: drift. 1: an error.
    """
    given = given_settings(context)
    check_run(run, given)
    TextOptions(file=file).check()
    data = given.get("data", {})
    texts = _sampled(_texts(run, file, data), samples)
    start_tensorflow()
    from textrnn.analysis.drift.drift import find_drift
    from textrnn.cli.reporting import CommandReporter

    moved = {name: data[name] for name in _SOURCES if name in data}
    found = find_drift(run, texts, settings=moved, reporter=CommandReporter())
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found, table_console())
    if found.found:
        context.exit(DRIFT)


def _texts(run: Path, file: Path, given: dict[str, Any]) -> Iterable[str]:
    """Yields the texts of the file, which are read as those of the run if nothing else is said."""
    from textrnn.data import read_texts

    settings = load_config(run / CONFIG).data
    skip = given.get("skip_bad_rows", settings.skip_bad_rows)
    bad = 0

    def count(_: str) -> None:
        nonlocal bad
        bad += 1

    notices: list[str] = []
    options = TextOptions(
        file=file,
        text_column=given.get("text_column"),
        delimiter=given.get("delimiter"),
        encoding=given.get("encoding"),
    )
    yield from read_texts(
        file, options.file_format(settings), notices=notices, on_bad_row=count if skip else None
    )
    if bad:
        notices.append(f"{counted(bad, 'row')} that cannot be read left out.")
    for notice in notices:
        click.echo(f"note: {flags_in_message(notice)}", err=True)


def _sampled(texts: Iterable[str], most: int) -> list[str]:
    """Returns a random sample of the texts, drawn while they are read; 0 means all texts."""
    if not most:
        return list(texts)
    rng, sample = random.Random(0), list[str]()
    for place, text in enumerate(texts):
        if place < most:
            sample.append(text)
        elif (other := rng.randrange(place + 1)) < most:
            sample[other] = text
    return sample


def _print(found: Drift, console: Console) -> None:
    table = Table(
        "measure",
        *(Column(name, justify="right") for name in ("size", "threshold", "p-value")),
        *("verdict", "what"),
        title=f"{counted(found.texts, 'new text')} and those of {escape(found.run)}",
    )
    for measure in found.measures:
        table.add_row(
            measure.name,
            f"{measure.size:.4f}",
            f"{measure.threshold:g}",
            f"{measure.p_value:.2g}",
            "[bold red]drift[/]" if measure.is_drift else "no drift",
            escape(measure.detail),
        )
    print_table(console, table)
    for note in found.notes:
        console.print(note, markup=False)
    names = [measure.name for measure in found.measures if measure.is_drift]
    console.print(f"drift: {', '.join(names)}" if names else "no drift")
