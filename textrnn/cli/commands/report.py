"""`textrnn report`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from textrnn.cli.options import data_options, given_settings, merge_settings, run_argument
from textrnn.cli.run_data import SOURCES, check_run, read_split
from textrnn.cli.startup import start_tensorflow
from textrnn.errors import DataError

if TYPE_CHECKING:
    from textrnn.config.data import DataConfig

__all__ = ["report"]

SplitName = Literal["validation", "test"]


@click.command(short_help="Write one HTML page about a run: its figures, mistakes and memory.")
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
    check_run(run, given_settings(context))
    start_tensorflow()
    from textrnn.analysis.report.page import report_page
    from textrnn.analysis.report.summary import key_figures, summary
    from textrnn.host.atomic import write_atomically
    from textrnn.inference import run_folder
    from textrnn.progress import Reporter
    from textrnn.training.run.model_card import with_key_figures

    classifier = run_folder.load(run)
    given = given_settings(context)
    config = merge_settings(classifier.config, given)
    others = bool(SOURCES & set(given.get("data", {})))
    if split is None:
        split = "test" if others or "test" in classifier.metrics else "validation"
    reporter = Reporter()
    data = read_split(run, split, given=given, reporter=reporter)
    found = summary(
        classifier,
        data,
        folder=run,
        data=f"{_data_name(config.data)}, {split}",
        step=reporter.step,
        samples=samples,
        seed=config.runtime.seed,
    )
    page = output or run / "report.html"
    try:
        write_atomically(page, report_page(found))
        card = run / "README.md"
        if not others and card.is_file():
            # Its user may have changed it, in any encoding: those bytes stay.
            text = card.read_bytes().decode("utf-8", errors="surrogateescape")
            beside = page.name if page.parent.resolve() == run.resolve() else None
            text = with_key_figures(text, key_figures(found), page=beside)
            write_atomically(card, text.encode("utf-8", errors="surrogateescape"))
    except OSError as error:
        raise DataError(
            f"{page}: the report was not written ({error.strerror}); give another --output."
        ) from None
    if as_json:
        click.echo(json.dumps({"report": str(page), **found.to_dict()}))
        return
    for name, value in key_figures(found).items():
        click.echo(f"{name}: {value}")
    click.echo(f"report {page}")


def _data_name(data: DataConfig) -> str:
    from textrnn.data.text_files import stem

    if data.train_file is not None:
        return stem(data.train_file)
    return str(data.dataset or "bbc_news")
