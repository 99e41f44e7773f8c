"""The commands that a user is likely to need after a training, ready to be copied."""

from __future__ import annotations

from pathlib import Path

import click

from textrnn.cli.run_choice import RunOptions
from textrnn.messages.shown import shell_word

__all__ = ["classifier_commands", "language_model_commands", "print_next"]


def classifier_commands(run: Path, *, tested: bool) -> list[str]:
    """Returns the commands to use and to judge a classifier.

    >>> classifier_commands(Path("my runs/a"), tested=True)[1]
    "textrnn report 'my runs/a'"

    Args:
        run: The run folder.
        tested: Whether the run has test texts; if not, its validation texts are evaluated.
    """
    folder = shell_word(str(run))
    split = "" if tested else " --split validation"
    return [
        f"textrnn predict {folder} 'a text'",
        f"textrnn report {folder}",
        f"textrnn evaluate {folder}{split} --output answers.csv",
        f"textrnn export {folder}",
    ]


def language_model_commands(run: Path) -> list[str]:
    """Returns the commands to use a language model.

    >>> language_model_commands(Path("runs/lm"))[0]
    'textrnn train --init-from runs/lm --train-file labelled.csv'
    """
    folder = shell_word(str(run))
    return [
        f"textrnn train --init-from {folder} --train-file labelled.csv",
        f"textrnn score {folder} 'a text'",
    ]


def print_next(commands: list[str], *, options: RunOptions) -> None:
    """Prints commands on stderr, unless a program reads the output.

    Args:
        commands: The commands.
        options: The options of the run that was trained.
    """
    if options.as_json or options.log_format == "json":
        return
    for place, command in enumerate(commands):
        click.echo(f"{'next: ' if place == 0 else '      '}{command}", err=True)
