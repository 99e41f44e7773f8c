"""`textrnn predict`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from textrnn.cli.options import run_argument
from textrnn.cli.startup import start_tensorflow

__all__ = ["predict"]


@click.command(short_help="Label texts with a run.")
@run_argument
@click.argument("texts", nargs=-1)
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path),
    help="Read texts from a file: one a line, or a column of a .csv, .tsv or .jsonl.",
)
@click.option("--text-column", default="text", show_default=True, help="Column of the text.")
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def predict(
    run: Path,
    texts: tuple[str, ...],
    file: Path | None,
    text_column: str,
    encoding: str,
    as_json: bool,
) -> None:
    """Label texts with RUN: label, score and text a line, in the order of the input.

    TEXTS are given as arguments, by --file, or one a line on stdin if TEXTS is -. They are read
    and answered in blocks of 1,024.
    """
    if (file is None) == (not texts):
        raise click.UsageError("give either TEXTS, or - for stdin, or --file.")
    start_tensorflow()
    from textrnn import bundle
    from textrnn.data import read_texts
    from textrnn.training.progress import Reporter

    classifier = bundle.load(run)
    source: Iterable[str] = map(_printable, texts)
    if file is not None:
        source = read_texts(file, text_column=text_column, encoding=encoding)
    elif texts == ("-",):
        source = _stdin_lines()
    for text, prediction in classifier.predict_stream(source):
        if as_json:
            click.echo(json.dumps({"text": text, **prediction.to_dict()}, ensure_ascii=False))
        else:
            labels = ",".join(prediction.labels) or "-"
            click.echo(f"{labels}\t{prediction.score:.4f}\t{' '.join(text.split())}")
    if classifier.cut_tokens:
        share = classifier.cut_tokens / classifier.read_tokens
        Reporter().message(f"note: the run's --max-length cut off {share:.1%} of the tokens given.")


def _printable(text: str) -> str:
    """The text, U+FFFD standing for the lone surrogates that bytes of no encoding arrive as."""
    return text.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")


def _stdin_lines() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")
