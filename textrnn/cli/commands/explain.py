"""`textrnn explain`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from textrnn.cli.answering_run import AnsweringRun, open_run
from textrnn.cli.console import table_console
from textrnn.cli.engine import engine_option
from textrnn.cli.option_group import OptionGroup
from textrnn.cli.output_options import OUTPUT_FILE_OPTIONS, OutputOptions, check_output_options
from textrnn.cli.run_argument import run_argument
from textrnn.cli.text_options import FILE_OPTIONS, STDIN, TextOptions
from textrnn.config.choices import ADDITIVE, ATTRIBUTIONS
from textrnn.errors import DataError
from textrnn.host.atomic import write_atomically

if TYPE_CHECKING:
    from textrnn.runtime.explanation import Explanation

__all__ = ["explain"]

FOR, AGAINST = (31, 119, 220), (230, 110, 20)
SHADES = 5
BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class ExplanationOutput:
    """The values of `--output` and `--resume`."""

    output: Path | None
    resume: bool


_text_options = OptionGroup(
    TextOptions, click.argument("texts", metavar="[TEXT]", nargs=-1), *FILE_OPTIONS, name="source"
)
_output_options = OptionGroup(ExplanationOutput, *OUTPUT_FILE_OPTIONS, name="written")


@click.command(short_help="Show what each word of a text did for the answer.")
@run_argument
@_text_options
@_output_options
@click.option(
    "--method",
    type=click.Choice(ATTRIBUTIONS),
    default=ATTRIBUTIONS[0],
    show_default=True,
    help="How words get their scores: by gradients, by hiding them, by the head's own weights, or "
    "by what each state adds to the logit.",
)
@engine_option
@click.option("--label", help="The label to explain; the most probable one if not given.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, as --file does for each text."
)
@click.option(
    "--html", type=click.Path(path_type=Path), help="Write a page with the coloured text too."
)
def explain(
    run: Path,
    source: TextOptions,
    written: ExplanationOutput,
    method: str,
    engine: str,
    label: str | None,
    as_json: bool,
    html: Path | None,
) -> None:
    """Show what each word of TEXT did for RUN's answer. TEXT is read from stdin if it is -.

    Words in blue speak for the label, words in orange against it, the stronger the darker. Of a
    run that reads forwards only, the label's probability after each word is shown too.

    With --file, each text of a file is explained, as one JSON object per line, in input order; with
    --output, the explanations are written beside all columns of the file.
    """
    output = OutputOptions(output=written.output, resume=written.resume)
    _check(source, output, as_json=as_json, html=html)
    heavy = "" if method == ADDITIVE else f"--method {method}"
    opened = open_run(run, engine, needs_tensorflow=heavy)
    if source.file is None:
        _show(_explanation(opened, source, method, label=label), as_json=as_json, html=html)
        return
    from textrnn.cli.explanations import BatchExplanation
    from textrnn.cli.reporting import CommandReporter

    batch = BatchExplanation(opened, method, label, CommandReporter())
    if output.output is None:
        batch.print(source)
    else:
        batch.write(source, output)


def _check(
    source: TextOptions, written: OutputOptions, *, as_json: bool, html: Path | None
) -> None:
    """Checks the options that need no TensorFlow.

    Raises:
        click.UsageError: The options do not suit each other.
        DataError: The file of the texts is missing, or the output cannot be written.
    """
    if len(source.texts) > 1:
        raise click.UsageError(
            "give one TEXT, in quotes; --file explains many texts, one per line or row."
        )
    source.check()
    if source.file is None:
        if written != OutputOptions():
            raise click.UsageError("--output and --resume need --file.")
        return
    if html is not None:
        raise click.UsageError("--html shows one text; use --output with --file.")
    if written.output is None and written.resume:
        raise click.UsageError("--resume needs --output.")
    if written.output is not None and as_json:
        raise click.UsageError(
            "--json is about printed explanations; name a .jsonl file by --output."
        )
    check_output_options(written, source.path)


def _explanation(
    run: AnsweringRun, source: TextOptions, method: str, *, label: str | None
) -> Explanation:
    """Explains the text of the arguments, or stdin."""
    from textrnn.cli.texts import printable
    from textrnn.runtime import RuntimeModel

    (text,) = source.texts
    if text == STDIN:
        from textrnn.data.text_files import stdin_text

        text = stdin_text(source.encoding or run.config.data.encoding)
    if isinstance(run.classifier, RuntimeModel):
        return run.classifier.explain(printable(text), label=label)
    from textrnn.analysis.attribution.explain import explain as attribute

    return attribute(run.classifier, printable(text), method=method, label=label)


def _show(explanation: Explanation, *, as_json: bool, html: Path | None) -> None:
    """Prints an explanation, and writes its page if one is wanted."""
    from textrnn.analysis.attribution.page import explanation_page

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
