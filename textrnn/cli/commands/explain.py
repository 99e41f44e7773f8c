"""`textrnn explain`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from textrnn.cli.console import table_console
from textrnn.cli.options import run_argument
from textrnn.cli.startup import start_tensorflow
from textrnn.config.choices import ATTRIBUTIONS
from textrnn.errors import DataError
from textrnn.host.atomic import write_atomically
from textrnn.inference.run_files import check_finished

if TYPE_CHECKING:
    from textrnn.analysis.attribution.explain import Explanation

__all__ = ["explain"]

FOR, AGAINST = (31, 119, 220), (230, 110, 20)
SHADES = 5
BLOCKS = "▁▂▃▄▅▆▇█"


@click.command(short_help="Show what each word of a text did for the answer.")
@run_argument
@click.argument("text")
@click.option(
    "--method",
    type=click.Choice(ATTRIBUTIONS),
    default=ATTRIBUTIONS[0],
    show_default=True,
    help="How words get their scores: by gradients, by hiding them, by the head's own weights, or "
    "by what each state adds to the logit.",
)
@click.option("--encoding", help="Encoding of stdin.  [default: the run's data's]")
@click.option("--label", help="The label to explain; the most probable one if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--html", type=click.Path(path_type=Path), help="Write a page with the coloured text too."
)
def explain(
    run: Path,
    text: str,
    method: str,
    encoding: str | None,
    label: str | None,
    as_json: bool,
    html: Path | None,
) -> None:
    """Show what each word of TEXT did for RUN's answer. TEXT is read from stdin if it is -.

    Words in blue speak for the label, words in orange against it, the stronger the darker. Of a
    run that reads forwards only, the label's probability after each word is shown too.
    """
    if encoding is not None and text != "-":
        raise click.UsageError("--encoding says nothing about a text that is given as an argument.")
    check_finished(run)
    start_tensorflow()
    from textrnn.analysis.attribution.explain import explain as attribute
    from textrnn.analysis.attribution.page import explanation_page
    from textrnn.cli.texts import printable
    from textrnn.data.text_files import stdin_text
    from textrnn.inference import run_folder

    classifier = run_folder.load(run)
    if text == "-":
        text = stdin_text(encoding or classifier.config.data.encoding)
    explanation = attribute(classifier, printable(text), method=method, label=label)
    if html is not None:
        try:
            write_atomically(html, explanation_page(explanation))
        except OSError as error:
            raise DataError(
                f"{html}: cannot write the page: {error.strerror}; name another file."
            ) from None
        click.echo(f"page {html}", err=True)
    if as_json:
        click.echo(json.dumps(explanation.to_dict(), ensure_ascii=False))
    else:
        _print_words(explanation, table_console())


def _print_words(explanation: Explanation, console: Console) -> None:
    from textrnn.analysis.attribution.page import facts, strongest, strongest_ngrams
    from textrnn.analysis.attribution.sentence import first_sentence

    label, whole_text = explanation.label, explanation.text
    console.print(Text(first_sentence(explanation), style="bold"), soft_wrap=True)
    for fact in facts(explanation):
        console.print(fact, markup=False, style="dim", soft_wrap=True)
    legend = Text("for ").append("     ", style=_style(1.0))
    if explanation.signed:
        legend.append("   against ").append("     ", style=_style(-1.0))
    console.print(legend)
    console.print()
    coloured, place = Text(), 0
    for word, strength in zip(explanation.words, explanation.strengths(), strict=True):
        coloured.append(whole_text[place : word.start])
        coloured.append(whole_text[max(place, word.start) : word.end], style=_style(strength))
        place = max(place, word.end)
    coloured.append(whole_text[place:], style="dim")
    console.print(coloured)
    console.print()
    for name, scores in (
        ("word", strongest(explanation)),
        ("n-gram", strongest_ngrams(explanation)),
    ):
        table = Table(name, "score")
        for text, score in scores:
            table.add_row(Text(text), f"{score:+.4f}")
        if table.row_count:
            console.print(table)
    _print_labels(explanation, console)
    if explanation.running:
        heights = [min(int(p * len(BLOCKS)), len(BLOCKS) - 1) for p in explanation.running]
        blocks = "".join(BLOCKS[height] for height in heights)
        console.print(Text(f"{label} after each word: {blocks}"))


def _print_labels(explanation: Explanation, console: Console) -> None:
    """Prints the most probable labels, and the number of the others."""
    from textrnn.analysis.attribution.sentence import label_scores, others_sentence

    labels, others = label_scores(explanation)
    table = Table("label", "probability")
    for label, score in labels:
        table.add_row(Text(label), f"{score:.4f}")
    console.print(table)
    if others:
        console.print(f"{others_sentence(others)} --json has all.", style="dim")


def _style(strength: float) -> Style:
    """Returns one of a few shades from white to blue or orange; none for a strength near 0."""
    shade = round(abs(strength) * SHADES) / SHADES
    if not shade:
        return Style()
    base = FOR if strength > 0 else AGAINST
    red, green, blue = (round(255 + shade * (part - 255)) for part in base)
    ink = "white" if shade > 0.7 else "black"
    return Style(color=ink, bgcolor=Color.from_rgb(red, green, blue))
