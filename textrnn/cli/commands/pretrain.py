"""`textrnn pretrain`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from textrnn.cli.cluster_training import ClusterOptions, one_worker_options, train_on_workers
from textrnn.cli.help import SectionedCommand
from textrnn.cli.interrupt import resumable
from textrnn.cli.next_commands import language_model_commands, print_next
from textrnn.cli.options import given_settings, setting_options, with_given
from textrnn.cli.run_choice import RunChoice, RunOptions, run_options
from textrnn.cli.startup import start_tensorflow
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.inference.run_files import default_name

__all__ = ["pretrain"]


@click.command(cls=SectionedCommand, short_help="Train a language model on texts without labels.")
@setting_options(LanguageModelRunConfig)
@run_options("runs/DATA SET_lm")
@one_worker_options
@click.pass_context
def pretrain(
    context: click.Context, /, options: RunOptions, on_cluster: ClusterOptions, **_: Any
) -> None:
    """Train a language model on texts without labels and write it into a run folder.

    The model learns to predict the next token, and the previous one if it reads in both
    directions. `textrnn train --init-from RUN` starts a classifier from it, and `textrnn score RUN`
    prints how probable texts are. Without a data option, the data set is bbc_news, which is
    bundled.

    With --cluster, a worker on a Ray cluster trains, and starts again from the last checkpoint when
    it or its machine is lost.
    """
    if options.resume and options.overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other.")
    started = time.monotonic()
    choice = RunChoice.of(
        LanguageModelRunConfig(),
        options,
        given=given_settings(context, LanguageModelRunConfig),
        merge=_merge,
        name=lambda config: f"{default_name(config.data.dataset, config.data.text_file)}_lm",
    )
    if on_cluster.check():
        train_on_workers(context, choice, on_cluster=on_cluster, options=options)
        return
    if not options.resume:
        choice.check_inputs()
    start_tensorflow(choice.config.runtime.device)
    from textrnn.training.run.language_model import pretrain as run_training

    config = choice.resumed() if options.resume else choice.config
    reporter = options.reporter()
    with resumable(choice.folder, command="pretrain", message=reporter.message) as should_stop:
        trained = run_training(
            config,
            choice.folder,
            reporter=reporter,
            resume=options.resume,
            overwrite=options.overwrite,
            should_stop=should_stop,
            started=started,
        )
    held_out = trained.metrics["held_out"]
    options.print_results(
        {"run": str(choice.folder), **trained.metrics},
        f"{held_out['bits_per_token']:.4f} bits per token, perplexity "
        f"{held_out['perplexity']:.1f}, on held-out texts",
        f"run folder {choice.folder}",
    )
    print_next(language_model_commands(choice.folder), options=options)


def _merge(
    config: LanguageModelRunConfig, given: Mapping[str, Mapping[str, Any]]
) -> LanguageModelRunConfig:
    """The config with the given settings in place of its own; without data, it is bbc_news."""
    config = with_given(config, given, sources=("dataset", "text_file"))
    if config.data.dataset is None and config.data.text_file is None:
        config = config.replace(dataset="bbc_news")
    return config
