"""`textrnn predict`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from textrnn.cli.options import run_argument
from textrnn.cli.startup import start_tensorflow

__all__ = ["predict", "printable"]

READ_BYTES = 1 << 16
"""Of stdin at a time, at the most; less where less is there."""


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
@click.option(
    "--confident",
    type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    help="Read each text only until its label has had this calibrated probability for "
    "--confident-tokens on end.",
)
@click.option(
    "--confident-tokens",
    type=click.IntRange(min=1),
    default=32,
    show_default=True,
    help="See --confident.",
)
@click.option(
    "--stream",
    is_flag=True,
    help="Read stdin as one text that may have no end, and print a JSON line for each sentence.",
)
@click.option(
    "--every", type=click.IntRange(min=1), help="With --stream: a line every so many tokens."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def predict(
    run: Path,
    texts: tuple[str, ...],
    file: Path | None,
    text_column: str,
    encoding: str,
    confident: float | None,
    confident_tokens: int,
    stream: bool,
    every: int | None,
    as_json: bool,
) -> None:
    """Label texts with RUN: label, score and text a line, in the order of the input.

    TEXTS are given as arguments, by --file, or one a line on stdin if TEXTS is -. They are read
    and answered in blocks of 1,024.

    With --stream all of stdin is one text, answered while it is read, in constant memory: each line
    has the prediction for the text up to there.
    """
    if stream:
        if texts or confident is not None or file is not None or encoding != "utf-8":
            raise click.UsageError("--stream reads stdin, as UTF-8, and nothing else.")
        start_tensorflow()
        _follow(run, every)
        return
    if every is not None:
        raise click.UsageError("--every needs --stream.")
    if (file is None) == (not texts):
        raise click.UsageError("give either TEXTS, or - for stdin, or --file.")
    start_tensorflow()
    from textrnn import bundle
    from textrnn.data import read_texts
    from textrnn.training.progress import Reporter

    classifier = bundle.load(run)
    source: Iterable[str] = map(printable, texts)
    if file is not None:
        source = read_texts(file, text_column=text_column, encoding=encoding)
    elif texts == ("-",):
        source = _stdin_lines()
    answers: Iterable[tuple[str, Any, dict[str, int]]]
    answers = ((text, found, {}) for text, found in classifier.predict_stream(source))
    if confident is not None:
        early = partial(classifier.predict_early, confident=confident, tokens=confident_tokens)
        answers = (
            (text, found, {"tokens_read": read, "tokens": tokens})
            for text in source
            for found, read, tokens in [early(text)]
        )
    for text, prediction, more in answers:
        if as_json:
            fields = {"text": text, **prediction.to_dict(), **more}
            click.echo(json.dumps(fields, ensure_ascii=False))
        else:
            labels = ",".join(prediction.labels) or "-"
            click.echo(f"{labels}\t{prediction.score:.4f}\t{' '.join(text.split())}")
    if classifier.cut_tokens:
        share = classifier.cut_tokens / classifier.read_tokens
        Reporter().message(f"note: the run's --max-length cut off {share:.1%} of the tokens given.")


def _follow(run: Path, every: int | None) -> None:
    """Prints a JSON line for each sentence of stdin, or every so many tokens, and for its end."""
    from textrnn import bundle
    from textrnn.streaming import follow_sentences, follow_tokens

    stream = bundle.load(run).stream()
    pieces = iter(lambda: os.read(sys.stdin.fileno(), READ_BYTES), b"")
    if every is None:
        for sentence, prediction in follow_sentences(stream, pieces):
            _print_line(tokens=stream.tokens, text=sentence.strip(), **prediction.to_dict())
    else:
        for tokens, prediction in follow_tokens(stream, pieces, every=every):
            _print_line(tokens=tokens, **prediction.to_dict())


def _print_line(**fields: Any) -> None:
    click.echo(json.dumps(fields, ensure_ascii=False))
    sys.stdout.flush()


def printable(text: str) -> str:
    """The text, U+FFFD standing for the lone surrogates that bytes of no encoding arrive as."""
    return text.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")


def _stdin_lines() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")
