"""`textrnn pretrain`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from textrnn.cli.help import SectionedCommand
from textrnn.cli.interrupt import interrupt_once
from textrnn.cli.options import (
    check_inputs,
    given_settings,
    run_options,
    setting_options,
    with_given,
)
from textrnn.cli.startup import start_tensorflow
from textrnn.config.language_model import LanguageModelRunConfig, TextConfig
from textrnn.errors import ConfigError
from textrnn.inference.run_files import read_settings

__all__ = ["pretrain"]


@click.command(cls=SectionedCommand, short_help="Train a language model on texts without labels.")
@setting_options(LanguageModelRunConfig)
@run_options("runs/DATA SET_lm")
@click.pass_context
def pretrain(
    context: click.Context,
    /,
    config_file: Path | None,
    output: Path | None,
    resume: bool,
    overwrite: bool,
    log_format: str,
    as_json: bool,
    **_: Any,
) -> None:
    """Train a language model into a run folder: the next token, and the previous one.

    It reads texts without labels; `textrnn train --init-from RUN` then begins with what it has
    learned, and `textrnn score RUN` tells how probable a text is. With no data option it reads
    bbc_news, which is bundled.
    """
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other.")
    started = time.monotonic()
    given = given_settings(context, LanguageModelRunConfig)
    config = LanguageModelRunConfig()
    if config_file is not None:
        config = read_settings(config_file, LanguageModelRunConfig)
    config = with_given(config, given, sources=("dataset", "text_file"))
    if not resume:
        check_inputs(config, given, source=str(config_file or ""))
    start_tensorflow()
    from textrnn.inference import run_folder
    from textrnn.messages.json_lines import JsonReporter
    from textrnn.messages.terminal import TerminalReporter
    from textrnn.training.run.folder import check_started, is_started
    from textrnn.training.run.language_model import pretrain as run_training

    if config.data.dataset is None and config.data.text_file is None:
        config = with_given(config, {"data": {"dataset": "bbc_news"}})
    folder = output or Path("runs") / _run_name(config.data)
    if resume:
        if not (folder / run_folder.CONFIG).is_file():
            check_started(folder)
        own = run_folder.read_settings(folder / run_folder.CONFIG, LanguageModelRunConfig)
        going_on = with_given(own, given)
        if not going_on.resumes(own) or (config_file and not config.resumes(own)):
            raise ConfigError(
                "a run resumes with its own settings; leave out the options that differ from "
                f"{folder / run_folder.CONFIG}, or train anew with --overwrite."
            )
        config = going_on
    reporter = JsonReporter() if log_format == "json" else TerminalReporter()
    try:
        with interrupt_once(reporter.message) as should_stop:
            trained = run_training(
                config,
                folder,
                reporter=reporter,
                resume=resume,
                overwrite=overwrite,
                should_stop=should_stop,
                started=started,
            )
    except KeyboardInterrupt:
        if is_started(folder):
            reporter.message(f"saved; go on with: textrnn pretrain --resume --output {folder}")
        raise
    if as_json:
        click.echo(json.dumps({"run": str(folder), **trained.metrics}))
        return
    held = trained.metrics["held_out"]
    click.echo(
        f"{held['bits_per_token']:.4f} bits a token, perplexity {held['perplexity']:.1f}, on texts "
        "held out"
    )
    click.echo(f"run folder {folder}")


def _run_name(data: TextConfig) -> str:
    from textrnn.data.text_files import stem

    name = stem(data.text_file) if data.text_file is not None else str(data.dataset)
    return f"{name.replace('/', '_').replace(':', '_')}_lm"
