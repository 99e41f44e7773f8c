"""`textrnn predict`."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textrnn.cli.answering_run import AnsweringRun, open_run, open_runs, with_scorer
from textrnn.cli.answers import (
    AnswerOptions,
    answer_texts,
    json_line,
    label_separator,
    text_line,
)
from textrnn.cli.cluster_option import cluster_option
from textrnn.cli.engine import LineReporter, engine_option
from textrnn.cli.option_group import OptionGroup
from textrnn.cli.output_options import OutputOptions, check_output_options, output_options
from textrnn.cli.run_argument import abstain_option, run_argument
from textrnn.cli.stdin_pieces import stdin_pieces, utf8_pieces
from textrnn.cli.text_options import TextOptions, text_options
from textrnn.cli.texts import TextSource
from textrnn.cli.uncertain_options import UncertainOptions, uncertain_options

if TYPE_CHECKING:
    from textrnn.config.data import DataConfig

__all__ = ["predict"]

_answer_options = OptionGroup(
    AnswerOptions,
    click.option(
        "--confident",
        type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
        help="Stop reading a text once its label has had this probability for --confident-tokens "
        "tokens.",
    ),
    click.option(
        "--confident-tokens",
        type=click.IntRange(min=1),
        default=32,
        show_default=True,
        help="Number of successive tokens that --confident requires.",
    ),
    click.option(
        "--with-likelihood",
        is_flag=True,
        help="Print also how probable each text is by the language model that RUN started from, "
        "and whether the text is unlike the texts that the model learned from.",
    ),
    click.option(
        "--language-model",
        type=click.Path(path_type=Path),
        help="Run folder of another language model for --with-likelihood.",
    ),
    name="options",
)


@click.command(short_help="Label texts with a trained classifier.")
@run_argument
@text_options
@_answer_options
@output_options
@uncertain_options
@click.option(
    "--stream",
    is_flag=True,
    help="Read stdin as one text, which may be endless, and print a JSON line after each sentence.",
)
@click.option(
    "--every",
    type=click.IntRange(min=1),
    help="With --stream: print a line after this number of tokens instead.",
)
@abstain_option
@engine_option
@cluster_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def predict(
    run: Path,
    source: TextOptions,
    options: AnswerOptions,
    written: OutputOptions,
    choice: UncertainOptions,
    stream: bool,
    every: int | None,
    abstain_below: float | None,
    engine: str,
    cluster: str | None,
    as_json: bool,
) -> None:
    """Label texts with RUN: print label, score and text, one line per text, in input order.

    TEXTS are arguments. With - as the only argument, each line of stdin is a text; --file reads
    them from a file. Texts are read and answered in blocks of 1,024.

    With --output, the answers are written beside all columns of the file, in input order. A row
    that cannot be read gets an empty answer with the reason. A job that was stopped continues with
    --resume.

    With --cluster, the workers of a Ray cluster answer the files and write the parts of the folder
    that --output names.

    With --uncertain N, only the N rows whose labels would teach the most are printed or written.

    With --stream, all of stdin is one text, which is answered while it is read, at constant
    memory: each line has the prediction for the text so far.
    """
    if stream:
        _check_stream(source, options, written=written, choice=choice)
        _follow_stdin(run, every, source.encoding, engine=engine, abstain_below=abstain_below)
        return
    if every is not None:
        raise click.UsageError("--every needs --stream.")
    if cluster is not None:
        if choice.uncertain is not None or as_json:
            raise click.UsageError("--cluster cannot be combined with --uncertain or --json.")
        _predict_on_cluster(
            run, source, written, options, (cluster, engine), abstain_below=abstain_below
        )
        return
    texts = TextSource(source)
    check_output_options(written, source.path)
    choice.check(run, has_file=source.path is not None, resume=written.resume)
    if written.output is not None and as_json:
        raise click.UsageError("--json is about printed answers; name a .jsonl file by --output.")
    heavy = "--explain-words" if written.explain_words else ""
    opened, *members = open_runs([run, *choice.members], engine, needs_tensorflow=heavy)
    if options.likelihood:
        opened, *members = with_scorer(opened, members, options.language_model, engine=engine)
    opened = opened.abstaining(abstain_below)
    if choice.uncertain is not None:
        from textrnn.cli.reporting import CommandReporter
        from textrnn.cli.uncertain_rows import UncertainRows, check_members

        check_members(members, opened)
        rows = UncertainRows(opened, choice, options, CommandReporter(), members)
        if written.output is None:
            rows.print(source, as_json=as_json)
        else:
            rows.write(source, written)
    elif written.output is not None:
        from textrnn.cli.answer_table import write_predictions
        from textrnn.cli.reporting import CommandReporter

        write_predictions(
            opened, source, options=options, written=written, reporter=CommandReporter()
        )
    else:
        separator = label_separator(opened.classifier)
        texts.print_answers(
            answer_texts(opened, texts.read(_data_of(opened, source)), options),
            json_line if as_json else partial(text_line, separator=separator),
            reporter=LineReporter(),
        )
    if opened.cut_share:
        click.echo(_cut_note(opened.cut_share), err=True)
    stored = opened.classifier.label_space.rule.abstain_below
    if abstain_below is None and stored:
        click.echo(
            f"note: the run answers no text that is less probable than {stored:g}: textrnn decide "
            "has stored that; --abstain-below 0 answers all.",
            err=True,
        )


def _predict_on_cluster(
    run: Path,
    source: TextOptions,
    written: OutputOptions,
    options: AnswerOptions,
    where: tuple[str, str],
    *,
    abstain_below: float | None,
) -> None:
    """Labels the rows of files on a cluster, whose address is followed by the engine."""
    from textrnn.cli.cluster_answers import cluster_job, write_on_cluster
    from textrnn.cli.reporting import CommandReporter
    from textrnn.cluster.connection import check_address
    from textrnn.cluster.units import units_on

    source.check()
    cluster, engine = where
    check_address(cluster)
    job = cluster_job(
        run,
        source,
        engine=engine,
        options=options,
        written=written,
        abstain_below=abstain_below,
    )
    share = write_on_cluster(
        job, source, cluster=units_on(cluster), resume=written.resume, reporter=CommandReporter()
    )
    if share:
        click.echo(_cut_note(share), err=True)


def _data_of(run: AnsweringRun, source: TextOptions) -> DataConfig | None:
    """Returns the settings of the data of a run, which only texts of a file need."""
    return None if source.path is None else run.config.data


def _cut_note(share: float) -> str:
    return f"note: the run's --max-length cut off {share:.1%} of the tokens."


def _check_stream(
    source: TextOptions,
    options: AnswerOptions,
    *,
    written: OutputOptions,
    choice: UncertainOptions,
) -> None:
    """Raises click.UsageError for options that say nothing about a stream."""
    if (
        source != TextOptions(encoding=source.encoding)
        or options != AnswerOptions(confident_tokens=options.confident_tokens)
        or written != OutputOptions()
        or choice != UncertainOptions()
    ):
        raise click.UsageError("--stream reads stdin, as one text, and nothing else.")


def _follow_stdin(
    run: Path,
    every: int | None,
    encoding: str | None,
    *,
    engine: str,
    abstain_below: float | None,
) -> None:
    """Prints a JSON line after each sentence of stdin, or each `every` tokens, and at its end."""
    opened = open_run(run, engine)
    stream = opened.classifier.abstaining(abstain_below).stream()
    from textrnn.runtime.following import follow_sentences, follow_tokens

    pieces = utf8_pieces(stdin_pieces(), encoding or opened.config.data.encoding)
    if every is None:
        for sentence, prediction in follow_sentences(stream, pieces):
            _print_line(tokens=stream.answered, text=sentence.strip(), **prediction.to_dict())
    else:
        for tokens, prediction in follow_tokens(stream, pieces, every=every):
            _print_line(tokens=tokens, **prediction.to_dict())


def _print_line(**fields: object) -> None:
    click.echo(json.dumps(fields, ensure_ascii=False))
    sys.stdout.flush()
