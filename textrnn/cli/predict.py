"""`textrnn predict`."""

from __future__ import annotations

import itertools
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
from textrnn.cli.texts import given_texts, text_options
from textrnn.errors import ConfigError, ModelError

__all__ = ["predict"]

BLOCK_TEXTS = 256
"""Texts whose likelihoods are computed together."""

READ_BYTES = 1 << 16
"""Of stdin at a time, at the most; less where less is there."""


@click.command(short_help="Label texts with a run.")
@run_argument
@text_options
@click.option(
    "--confident",
    type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    help="Read each text only until its label has had this probability for --confident-tokens on "
    "end. That is the calibrated one; the score that is printed is not.",
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
@click.option(
    "--with-likelihood",
    is_flag=True,
    help="Tell how probable each text is too, by the language model that RUN began with, and "
    "whether it is unlike what that model has read.",
)
@click.option(
    "--language-model",
    type=click.Path(path_type=Path),
    help="The same by another language model's run folder.",
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
    with_likelihood: bool,
    language_model: Path | None,
    as_json: bool,
) -> None:
    """Label texts with RUN: label, score and text a line, in the order of the input.

    TEXTS are given as arguments, by --file, or one a line on stdin if TEXTS is -. They are read
    and answered in blocks of 1,024.

    With --stream all of stdin is one text, answered while it is read, in constant memory: each line
    has the prediction for the text up to there.
    """
    if stream:
        more = with_likelihood or language_model is not None or confident is not None
        if texts or more or file is not None or encoding != "utf-8":
            raise click.UsageError("--stream reads stdin, as UTF-8, and nothing else.")
        start_tensorflow()
        _follow(run, every)
        return
    if every is not None:
        raise click.UsageError("--every needs --stream.")
    source = given_texts(texts, file=file, text_column=text_column, encoding=encoding)
    start_tensorflow()
    from textrnn import bundle
    from textrnn.training.progress import Reporter

    classifier = bundle.load(run)
    answers: Iterable[tuple[str, Any, dict[str, Any]]]
    answers = ((text, found, {}) for text, found in classifier.predict_stream(source))
    if confident is not None:
        early = partial(classifier.predict_early, confident=confident, tokens=confident_tokens)
        answers = (
            (text, found, {"tokens_read": read, "tokens": tokens})
            for text in source
            for found, read, tokens in [early(text)]
        )
    if with_likelihood or language_model is not None:
        answers = _with_likelihoods(answers, language_model or classifier.config.training.init_from)
    for text, prediction, about in answers:
        if as_json:
            fields = {"text": text, **prediction.to_dict(), **about}
            click.echo(json.dumps(fields, ensure_ascii=False))
        else:
            labels = ",".join(prediction.labels) or "-"
            told = f"{labels}\t{prediction.score:.4f}"
            if "bits_per_token" in about:
                told += f"\t{about['bits_per_token']:.2f} bits" + (
                    ", unusual" if about["unusual"] else ""
                )
            click.echo(f"{told}\t{' '.join(text.split())}")
    if classifier.cut_tokens:
        share = classifier.cut_tokens / classifier.read_tokens
        Reporter().message(f"note: the run's --max-length cut off {share:.1%} of the tokens given.")


def _with_likelihoods(
    answers: Iterable[tuple[str, Any, dict[str, Any]]], run: str | Path | None
) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """The answers with bits a token of each text, and whether these are unusually many.

    They are if 99 of 100 of the texts that were held out of the language model's training have
    fewer.
    """
    from textrnn import bundle

    if run is None:
        raise ConfigError(
            "the run did not begin with a language model, so there are no likelihoods; name one "
            "with --language-model, which textrnn pretrain makes."
        )
    try:
        model = bundle.load_language_model(run)
    except ModelError as error:
        raise ModelError(f"{error} --language-model RUN names another one.") from None
    held_out = model.metrics.get("held_out", {})
    if "unusual_bits_per_token" not in held_out:
        raise ModelError(f"{run}: expected figures of texts held out, got none; pretrain it again.")
    usual = float(held_out["unusual_bits_per_token"])
    source = iter(answers)
    while block := list(itertools.islice(source, BLOCK_TEXTS)):
        found = model.score([text for text, _, _ in block])
        for (text, prediction, about), likelihood in zip(block, found, strict=True):
            bits = likelihood.bits_per_token
            more = {"log_likelihood": likelihood.log_likelihood, "bits_per_token": bits}
            yield text, prediction, {**about, **more, "unusual": bits > usual}


def _follow(run: Path, every: int | None) -> None:
    """Prints a JSON line for each sentence of stdin, or every so many tokens, and for its end."""
    from textrnn import bundle
    from textrnn.streaming import follow_sentences, follow_tokens

    stream = bundle.load(run).stream()
    pieces = iter(lambda: os.read(sys.stdin.fileno(), READ_BYTES), b"")
    if every is None:
        for sentence, prediction in follow_sentences(stream, pieces):
            _print_line(tokens=stream.answered, text=sentence.strip(), **prediction.to_dict())
    else:
        for tokens, prediction in follow_tokens(stream, pieces, every=every):
            _print_line(tokens=tokens, **prediction.to_dict())


def _print_line(**fields: Any) -> None:
    click.echo(json.dumps(fields, ensure_ascii=False))
    sys.stdout.flush()
