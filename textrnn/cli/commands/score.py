"""`textrnn score`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textrnn.cli.console import single_spaced
from textrnn.cli.engine import LineReporter, engine_option, light_language_model, texts_of
from textrnn.cli.run_argument import run_argument
from textrnn.cli.startup import start_tensorflow
from textrnn.cli.text_options import TextOptions, text_options
from textrnn.cli.texts import BadRow, TextSource

if TYPE_CHECKING:
    from textrnn.runtime import Likelihood

__all__ = ["score"]

_Answer = tuple[str, "Likelihood"]
"""A text and its likelihood."""


@click.command(short_help="Print how probable texts are by a language model.")
@run_argument
@text_options
@click.option(
    "--per-token",
    is_flag=True,
    help="Print also the log-probability of each token; implies --json.",
)
@engine_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def score(run: Path, source: TextOptions, per_token: bool, engine: str, as_json: bool) -> None:
    """Print how probable texts are by RUN, a language model that `textrnn pretrain` made.

    There is one line per text, in input order: log-likelihood in nats, bits per token, perplexity,
    text. By the chain rule, the log-likelihood is the sum of the log-probabilities of all tokens,
    each given those before it. The end of the text counts as a token.

    TEXTS are arguments. With - as the only argument, each line of stdin is a text; --file reads
    them from a file.
    """
    texts = TextSource(source)
    line = partial(_json_line, per_token=per_token) if as_json or per_token else _text_line
    light = light_language_model(run, engine)
    if light is not None:
        rows = texts.read(None if source.path is None else texts_of(run))
        texts.print_answers(light.score_stream(rows), line, reporter=LineReporter())
        return
    from textrnn.config.language_model import LanguageModelRunConfig
    from textrnn.inference.run_files import check_finished

    check_finished(run, LanguageModelRunConfig)
    start_tensorflow()
    from textrnn.cli.reporting import CommandReporter
    from textrnn.inference import run_folder

    model = run_folder.load_language_model(run)
    texts.print_answers(
        model.score_stream(texts.read(model.config.data)), line, reporter=CommandReporter()
    )


def _json_line(answer: _Answer | BadRow, *, per_token: bool) -> str:
    if isinstance(answer, BadRow):
        return json.dumps({"text": None, "error": answer.reason})
    text, likelihood = answer
    fields = {"text": text, **likelihood.to_dict(per_token=per_token)}
    return json.dumps(fields, ensure_ascii=False)


def _text_line(answer: _Answer | BadRow) -> str:
    if isinstance(answer, BadRow):
        return f"\t\t\t{single_spaced(answer.reason)}"
    text, likelihood = answer
    return (
        f"{likelihood.log_likelihood:.3f}\t{likelihood.bits_per_token:.4f}\t"
        f"{likelihood.perplexity:.1f}\t{single_spaced(text)}"
    )
