"""`textrnn report`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from textrnn.cli.help import SectionedCommand
from textrnn.cli.options import data_options, given_settings
from textrnn.cli.run_argument import run_argument
from textrnn.cli.run_data import check_run, data_settings
from textrnn.cli.startup import start_tensorflow
from textrnn.errors import DataError

if TYPE_CHECKING:
    from textrnn.analysis.report.report import Report

__all__ = ["report"]

SplitName = Literal["validation", "test"]


@click.command(
    cls=SectionedCommand,
    short_help="Write one HTML page about a run: its figures, mistakes and memory.",
)
@run_argument
@data_options
@click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    help="Which part of the data to look at.  [default: test; validation where there is no test]",
)
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    default=2000,
    show_default=True,
    help="How many texts are used, drawn at random (0: all).",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="The page.  [default: RUN/report.html]"
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as one JSON object.")
@click.pass_context
def report(
    context: click.Context,
    /,
    run: Path,
    split: SplitName | None,
    samples: int,
    output: Path | None,
    as_json: bool,
    **_: Any,
) -> None:
    """Write a page about RUN that needs nothing but itself, in light and dark.

    It is made on the run's own test texts, or other data given by the options. The key figures go
    into the run's model card too, if it is the run's own data.
    """
    given = given_settings(context)
    check_run(run, given)
    start_tensorflow()
    from textrnn.analysis.report.report import report as make_report
    from textrnn.cli.reporting import CommandReporter

    made = make_report(
        run, split=split, samples=samples, reporter=CommandReporter(), **data_settings(given)
    )
    page = output or run / "report.html"
    made.save(page)
    if made.is_own_data:
        _add_to_card(made, run, page)
    if as_json:
        click.echo(json.dumps({"report": str(page), **made.to_dict()}))
        return
    for name, value in made.key_figures.items():
        click.echo(f"{name}: {value}")
    click.echo(f"report {page}")


def _add_to_card(made: Report, run: Path, page: Path) -> None:
    """Writes the key figures into the model card of the run, if it has one."""
    from textrnn.host.atomic import write_atomically
    from textrnn.training.run.model_card import with_key_figures

    card = run / "README.md"
    if not card.is_file():
        return
    try:
        # The user may have changed the file, in any encoding: those bytes are kept.
        text = card.read_bytes().decode("utf-8", errors="surrogateescape")
        page_name = page.name if page.parent.resolve() == run.resolve() else None
        text = with_key_figures(text, made.key_figures, page=page_name)
        write_atomically(card, text.encode("utf-8", errors="surrogateescape"))
    except OSError as error:
        raise DataError(f"{card}: cannot write the key figures: {error.strerror}.") from None
