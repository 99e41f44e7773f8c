"""`textrnn train`."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from textrnn.cli.options import given_settings, merge_settings, setting_options
from textrnn.cli.startup import start_tensorflow
from textrnn.config import DataConfig, ModelConfig, RunConfig, TokenizerConfig, TrainingConfig
from textrnn.errors import ConfigError

__all__ = ["train"]


@click.command()
@setting_options(DataConfig, TokenizerConfig, ModelConfig, TrainingConfig)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="YAML file of settings, such as a run's config.yaml; the command line wins.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Run folder.  [default: runs/DATA SET]"
)
@click.option("--resume", is_flag=True, help="Go on with the unfinished run in --output.")
@click.option("--overwrite", is_flag=True, help="Replace the run in --output.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
@click.pass_context
def train(
    context: click.Context,
    config_file: Path | None,
    output: Path | None,
    resume: bool,
    overwrite: bool,
    as_json: bool,
    **_: Any,
) -> None:
    """Train a classifier into a run folder.

    With no data option it trains on bbc_news, which is bundled (pip install 'textrnn[demo]').
    """
    start_tensorflow()
    from textrnn import bundle
    from textrnn.training.progress import Reporter
    from textrnn.training.run import train as run_training

    given = given_settings(context)
    config = bundle.load_config(config_file) if config_file else RunConfig()
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other.")
    if resume and output is not None:
        config = bundle.load_config(output / bundle.CONFIG)
    merged = merge_settings(config, given)
    output = output or Path("runs") / _run_name(merged.data)
    if resume:
        config = bundle.load_config(output / bundle.CONFIG)
        if merge_settings(config, given) != config:
            raise ConfigError(
                "a run resumes with its own settings; leave out the options that differ from "
                f"{output / bundle.CONFIG}, or train anew with --overwrite."
            )
    else:
        config = merged
    reporter = Reporter()
    if config.data.dataset is None and config.data.train_file is None:
        reporter.message("no --dataset or --train-file was given: training on the bundled bbc_news")
    try:
        with _interrupt_once(reporter.message) as should_stop:
            classifier = run_training(
                config,
                output,
                reporter=reporter,
                resume=resume,
                overwrite=overwrite,
                should_stop=should_stop,
            )
    except KeyboardInterrupt:
        if (output / "checkpoints" / "latest.npz").is_file():
            reporter.message(f"saved; go on with: textrnn train --resume --output {output}")
        raise
    if as_json:
        click.echo(json.dumps({"run": str(output), **classifier.metrics}))
        return
    for which in ("validation", "test"):
        if which in classifier.metrics:
            measured = classifier.metrics[which]
            click.echo(
                f"{which} accuracy {measured['accuracy']:.2%} "
                f"(macro F1 {measured['macro_f1']:.2%}, {measured['texts']:,} texts)"
            )
    click.echo(f"run folder {output}")


def _run_name(data: DataConfig) -> str:
    from textrnn.data.files import stem

    if data.train_file is not None:
        return stem(data.train_file)
    return (data.dataset or "bbc_news").replace("/", "_").replace(":", "_")


class _interrupt_once:
    """While open, the first Ctrl-C only asks training to stop; a second one stops at once."""

    def __init__(self, message: Callable[[str], None]) -> None:
        self._message = message
        self._asked = False

    def __enter__(self) -> Callable[[], bool]:
        self._previous = signal.signal(signal.SIGINT, self._handle)
        return lambda: self._asked

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _handle(self, *_: object) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        self._message("stopping after this batch; Ctrl-C again stops at once")
