"""`textrnn predict`."""

from __future__ import annotations

import codecs
import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textrnn.cli.options import run_argument
from textrnn.cli.startup import start_tensorflow
from textrnn.cli.texts import BadRow, TextSource, text_options
from textrnn.errors import ConfigError, ModelError
from textrnn.host.blocks import blocks
from textrnn.inference.run_files import check_finished

if TYPE_CHECKING:
    from textrnn.inference.classifier import Prediction, TrainedClassifier

__all__ = ["predict"]

BLOCK_TEXTS = 256
"""Texts whose likelihoods are computed together."""

Answer = tuple[str, "Prediction", dict[str, Any]]
"""A text, what the model says of it, and further figures by their names."""

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
    text_column: str | None,
    delimiter: str | None,
    encoding: str | None,
    skip_bad_rows: bool,
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
        columns = text_column is not None or delimiter is not None or skip_bad_rows
        if texts or more or columns or file is not None:
            raise click.UsageError("--stream reads stdin, as one text, and nothing else.")
        check_finished(run)
        start_tensorflow()
        _follow(run, every, encoding)
        return
    if every is not None:
        raise click.UsageError("--every needs --stream.")
    source = TextSource(
        texts,
        file=file,
        text_column=text_column,
        delimiter=delimiter,
        encoding=encoding,
        skip_bad_rows=skip_bad_rows,
    )
    check_finished(run)
    start_tensorflow()
    from textrnn.inference import run_folder
    from textrnn.progress import Reporter

    classifier = run_folder.load(run)
    given = source.read(classifier.config.data)
    answers: Iterable[Answer]
    answers = ((text, found, {}) for text, found in classifier.predict_stream(given))
    if confident is not None:
        early = partial(classifier.predict_early, confident=confident, tokens=confident_tokens)
        answers = (
            (text, found, {"tokens_read": read, "tokens": tokens})
            for text in given
            for found, read, tokens in [early(text)]
        )
    if with_likelihood or language_model is not None:
        answers = _with_likelihoods(answers, language_model or classifier.config.start.init_from)
    show = _show_json if as_json else partial(_show, separator=_label_separator(classifier))
    reporter = Reporter()
    try:
        for answer in source.in_order(answers):
            show(answer)
    finally:
        source.report(reporter)
    if classifier.cut_tokens:
        share = classifier.cut_tokens / classifier.read_tokens
        reporter.message(f"note: the run's --max-length cut off {share:.1%} of the tokens given.")


def _show_json(answer: Answer | BadRow) -> None:
    if isinstance(answer, BadRow):
        fields = {"text": None, "label": None, "error": answer.reason}
    else:
        text, prediction, about = answer
        fields = {"text": text, **prediction.to_dict(), **about}
    click.echo(json.dumps(fields, ensure_ascii=False))


def _show(answer: Answer | BadRow, *, separator: str) -> None:
    """A line of three columns: labels, their scores, the text; or of a reason alone."""
    if isinstance(answer, BadRow):
        click.echo(f"\t\t{' '.join(answer.reason.split())}")
        return
    text, prediction, about = answer
    labels = [" ".join(label.split()) for label in prediction.labels]
    scores = [prediction.scores[label] for label in prediction.labels] or [prediction.score]
    line = f"{separator.join(labels) or '-'}\t{separator.join(f'{p:.4f}' for p in scores)}"
    if "bits_per_token" in about:
        line += f"\t{about['bits_per_token']:.2f} bits" + (", unusual" if about["unusual"] else "")
    click.echo(f"{line}\t{' '.join(text.split())}")


def _label_separator(classifier: TrainedClassifier) -> str:
    """What stands between the labels of a text: as in the run's data, if no label holds it."""
    wanted = classifier.config.task.label_separator
    for separator in (wanted, ";", "|", " | "):
        if separator.strip() and not any(separator in label for label in classifier.labels):
            return separator
    return " || "


def _with_likelihoods(
    answers: Iterable[tuple[str, Any, dict[str, Any]]], run: str | Path | None
) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """The answers with bits a token of each text, and whether these are unusually many.

    They are if 99 of 100 of the texts that were held out of the language model's training have
    fewer.
    """
    from textrnn.inference import run_folder

    if run is None:
        raise ConfigError(
            "the run did not begin with a language model, so there are no likelihoods; name one "
            "with --language-model, which textrnn pretrain makes."
        )
    try:
        model = run_folder.load_language_model(run)
    except ModelError as error:
        raise ModelError(f"{error} --language-model RUN names another one.") from None
    held_out = model.metrics.get("held_out", {})
    if "unusual_bits_per_token" not in held_out:
        raise ModelError(f"{run}: expected figures of texts held out, got none; pretrain it again.")
    usual = float(held_out["unusual_bits_per_token"])
    for block in blocks(answers, BLOCK_TEXTS):
        found = model.score([text for text, _, _ in block])
        for (text, prediction, about), likelihood in zip(block, found, strict=True):
            bits = likelihood.bits_per_token
            more = {"log_likelihood": likelihood.log_likelihood, "bits_per_token": bits}
            yield text, prediction, {**about, **more, "unusual": bits > usual}


def _follow(run: Path, every: int | None, encoding: str | None) -> None:
    """Prints a JSON line for each sentence of stdin, or every so many tokens, and for its end."""
    from textrnn.inference import run_folder
    from textrnn.inference.streaming import follow_sentences, follow_tokens

    classifier = run_folder.load(run)
    stream = classifier.stream()
    pieces = _utf8(
        iter(lambda: os.read(sys.stdin.fileno(), READ_BYTES), b""),
        encoding or classifier.config.data.encoding,
    )
    if every is None:
        for sentence, prediction in follow_sentences(stream, pieces):
            _print_line(tokens=stream.answered, text=sentence.strip(), **prediction.to_dict())
    else:
        for tokens, prediction in follow_tokens(stream, pieces, every=every):
            _print_line(tokens=tokens, **prediction.to_dict())


def _utf8(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The pieces of a text in UTF-8, without a byte order mark; other bytes become U+FFFD."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    except LookupError:
        raise ConfigError(
            "`encoding` must be a text encoding that Python knows, such as utf-8 or latin-1, got "
            f"{encoding!r}."
        ) from None
    began = foreign = False
    for piece in itertools.chain(pieces, [b""]):
        text = decoder.decode(piece, final=not piece)
        if text and not began:
            text, began = text.removeprefix("\ufeff"), True
        if "\ufffd" in text and not foreign:
            foreign = True
            click.echo(
                f"note: some bytes are no {encoding} text and are read as U+FFFD; --encoding says "
                "what they are.",
                err=True,
            )
        yield text.encode("utf-8", errors="replace")


def _print_line(**fields: Any) -> None:
    click.echo(json.dumps(fields, ensure_ascii=False))
    sys.stdout.flush()
