"""`textrnn predict`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from textrnn.cli.answers import (
    Answer,
    AnswerOptions,
    answer_texts,
    json_line,
    label_separator,
    text_line,
    with_likelihoods,
)
from textrnn.cli.engine import (
    LineReporter,
    data_of,
    engine_option,
    light_model,
    settings_of,
)
from textrnn.cli.likelihoods import light_scorer
from textrnn.cli.option_group import OptionGroup
from textrnn.cli.output_options import OutputOptions, check_output_options, output_options
from textrnn.cli.run_argument import abstain_option, run_argument
from textrnn.cli.startup import start_tensorflow
from textrnn.cli.stdin_pieces import stdin_pieces, utf8_pieces
from textrnn.cli.text_options import TextOptions, text_options
from textrnn.cli.texts import TextSource
from textrnn.cli.uncertain_options import UncertainOptions, uncertain_options

if TYPE_CHECKING:
    from textrnn.inference.classifier import TrainedClassifier
    from textrnn.runtime import RuntimeLanguageModel, RuntimeModel

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
    as_json: bool,
) -> None:
    """Label texts with RUN: print label, score and text, one line per text, in input order.

    TEXTS are arguments. With - as the only argument, each line of stdin is a text; --file reads
    them from a file. Texts are read and answered in blocks of 1,024.

    With --output, the answers are written beside all columns of the file, in input order. A row
    that cannot be read gets an empty answer with the reason. A job that was stopped continues with
    --resume.

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
    texts = TextSource(source)
    check_output_options(written, source.path)
    choice.check(run, has_file=source.path is not None, resume=written.resume)
    if written.output is not None and as_json:
        raise click.UsageError("--json is about printed answers; name a .jsonl file by --output.")
    light = _light(run, options, engine=engine, heavy=_heavy_option(options, written, choice))
    if light is not None:
        light = light._replace(model=light.model.abstaining(abstain_below))
        _print_light(light, run, source, texts=texts, as_json=as_json)
        return
    from textrnn.inference.run_files import check_finished

    for folder in (run, *choice.members):
        check_finished(folder)
    start_tensorflow()
    from textrnn.cli.answer_table import write_predictions
    from textrnn.cli.reporting import CommandReporter
    from textrnn.evaluation.opened_run import OpenedRun
    from textrnn.inference import run_folder

    reporter = CommandReporter()
    classifier = run_folder.load(run).abstaining(abstain_below)
    if choice.uncertain is not None:
        from textrnn.cli.uncertain_rows import UncertainRows, load_members

        members = load_members(choice, classifier)
        rows = UncertainRows(classifier, choice, options, reporter, members)
        if written.output is None:
            rows.print(source, as_json=as_json)
        else:
            rows.write(source, written)
    elif written.output is None:
        texts.print_answers(
            answer_texts(classifier, texts.read(classifier.config.data), options),
            json_line if as_json else partial(text_line, separator=label_separator(classifier)),
            reporter=reporter,
        )
    else:
        write_predictions(
            OpenedRun(classifier, run), source, options=options, written=written, reporter=reporter
        )
    if classifier.cut_tokens:
        reporter.message(_cut_note(classifier.cut_tokens / classifier.read_tokens))


def _heavy_option(options: AnswerOptions, written: OutputOptions, choice: UncertainOptions) -> str:
    """Returns an option that the light runtime does not know; empty if there is none."""
    given = {
        "--confident": options.confident is not None,
        "--output": written.output is not None,
        "--uncertain": choice.uncertain is not None,
    }
    return next((name for name, is_given in given.items() if is_given), "")


class _Light(NamedTuple):
    """A classifier in the light runtime, and the language model of its likelihoods with its run."""

    model: RuntimeModel
    scorer: tuple[RuntimeLanguageModel, Path] | None


def _light(run: Path, options: AnswerOptions, *, engine: str, heavy: str) -> _Light | None:
    """Returns the models in the light runtime; None if TensorFlow is to answer.

    Args:
        run: The run folder of the classifier.
        options: The options of the answers.
        engine: The value of `--engine`.
        heavy: The option of the user that needs TensorFlow; empty if there is none.
    """
    model = light_model(run, engine, needs_tensorflow=heavy)
    if model is None or not options.likelihood:
        return None if model is None else _Light(model, None)
    started_from = options.language_model or settings_of(run).start.init_from
    scorer = light_scorer(started_from, engine)
    return None if scorer is None else _Light(model, scorer)


def _print_light(
    light: _Light, run: Path, source: TextOptions, *, texts: TextSource, as_json: bool
) -> None:
    """Prints the answers of the light runtime, and then the notes."""
    reporter, counts = LineReporter(), Counter[str]()
    rows = texts.read(None if source.path is None else data_of(run))

    def predictions() -> Iterator[Answer]:
        for text, answer in light.model.predict_stream(rows):
            counts.update(read=answer.tokens + answer.cut_tokens, cut=answer.cut_tokens)
            yield Answer(text, answer)

    answers = predictions()
    if light.scorer is not None:
        answers = with_likelihoods(answers, light.scorer[0], run=light.scorer[1])
    separator = label_separator(light.model)
    line = json_line if as_json else partial(text_line, separator=separator)
    texts.print_answers(answers, line, reporter=reporter)
    if counts["cut"]:
        reporter.message(_cut_note(counts["cut"] / counts["read"]))


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
    stream = _opened(run, engine).abstaining(abstain_below).stream()
    from textrnn.runtime.following import follow_sentences, follow_tokens

    pieces = utf8_pieces(stdin_pieces(), encoding or data_of(run).encoding)
    if every is None:
        for sentence, prediction in follow_sentences(stream, pieces):
            _print_line(tokens=stream.answered, text=sentence.strip(), **prediction.to_dict())
    else:
        for tokens, prediction in follow_tokens(stream, pieces, every=every):
            _print_line(tokens=tokens, **prediction.to_dict())


def _opened(run: Path, engine: str) -> RuntimeModel | TrainedClassifier:
    """Returns the classifier of a run, in the engine that the user wants."""
    light = light_model(run, engine)
    if light is not None:
        return light
    from textrnn.inference.run_files import check_finished

    check_finished(run)
    start_tensorflow()
    from textrnn.inference import run_folder

    return run_folder.load(run)


def _print_line(**fields: object) -> None:
    click.echo(json.dumps(fields, ensure_ascii=False))
    sys.stdout.flush()
