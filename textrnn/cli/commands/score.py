"""`textrnn score`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from textrnn.cli.options import run_argument
from textrnn.cli.startup import start_tensorflow
from textrnn.cli.texts import BadRow, TextSource, text_options
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.inference.run_files import check_finished

__all__ = ["score"]


@click.command(short_help="Tell how probable texts are, by a language model.")
@run_argument
@text_options
@click.option("--per-token", is_flag=True, help="The log-probability of each token too (JSON).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def score(
    run: Path,
    texts: tuple[str, ...],
    file: Path | None,
    text_column: str | None,
    delimiter: str | None,
    encoding: str | None,
    skip_bad_rows: bool,
    per_token: bool,
    as_json: bool,
) -> None:
    """Tell how probable texts are by RUN, which textrnn pretrain made.

    A line a text, in the order of the input: log-likelihood in nats, bits a token, perplexity, and
    the text. By the chain rule the log-likelihood is the sum of those of the tokens, each given
    those before it, and of the text's end, which counts as one token more.

    TEXTS are given as arguments, by --file, or one a line on stdin if TEXTS is -.
    """
    source = TextSource(
        texts,
        file=file,
        text_column=text_column,
        delimiter=delimiter,
        encoding=encoding,
        skip_bad_rows=skip_bad_rows,
    )
    check_finished(run, LanguageModelRunConfig)
    start_tensorflow()
    from textrnn.inference import run_folder
    from textrnn.progress import Reporter

    model = run_folder.load_language_model(run)
    try:
        for answer in source.in_order(model.score_stream(source.read(model.config.data))):
            if isinstance(answer, BadRow):
                reason = " ".join(answer.reason.split())
                error = {"text": None, "error": answer.reason}
                click.echo(json.dumps(error) if as_json or per_token else f"\t\t\t{reason}")
                continue
            text, found = answer
            if as_json or per_token:
                values = {"text": text, **found.to_dict(per_token=per_token)}
                click.echo(json.dumps(values, ensure_ascii=False))
            else:
                click.echo(
                    f"{found.log_likelihood:.3f}\t{found.bits_per_token:.4f}\t"
                    f"{found.perplexity:.1f}\t{' '.join(text.split())}"
                )
    finally:
        source.report(Reporter())
