"""The engine that answers: the light runtime, or TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from textrnn.cli.flags import flags_in_message
from textrnn.runtime.cores import one_thread_per_product

if TYPE_CHECKING:
    from textrnn.config.classifier import ClassifierRunConfig
    from textrnn.runtime import RuntimeModel

__all__ = ["LineReporter", "engine_option", "light_model", "settings_of"]

F = TypeVar("F", bound=Callable[..., Any])


def engine_option(command: F) -> F:
    """Adds the option `--engine` of a command that the light runtime can answer too."""
    return click.option(
        "--engine",
        type=click.Choice(["auto", "numpy", "tensorflow"]),
        default="auto",
        show_default=True,
        help="What computes the answers: the light runtime, which starts at once, or TensorFlow; "
        "auto: the light runtime if RUN has its file and the other options allow it. The answers "
        "are the same.",
    )(command)


def light_model(run: Path, engine: str, *, needs_tensorflow: str = "") -> RuntimeModel | None:
    """Returns the model of a run in the light runtime; None if TensorFlow is to answer.

    Args:
        run: The run folder.
        engine: The value of `--engine`.
        needs_tensorflow: The option of the user that needs TensorFlow; empty if there is none.

    Raises:
        click.UsageError: The light runtime was asked for what needs TensorFlow.
        ModelError: The run folder is damaged, or lacks the file that was asked for.
    """
    if engine == "tensorflow":
        return None
    if needs_tensorflow:
        if engine == "numpy":
            raise click.UsageError(f"{needs_tensorflow} needs TensorFlow; leave out --engine.")
        return None
    one_thread_per_product()
    from textrnn.runtime.run_folder import has_network

    if engine == "auto" and not has_network(run):
        return None
    from textrnn.runtime import load

    return load(run)


def settings_of(run: Path) -> ClassifierRunConfig:
    """Returns the settings of a run.

    Raises:
        ModelError: The file of the settings is missing or changed.
    """
    from textrnn.config.classifier import ClassifierRunConfig
    from textrnn.inference.run_files import checked_settings

    return checked_settings(run, ClassifierRunConfig)


class LineReporter:
    """Writes messages to stderr, without the package that draws progress bars."""

    def message(self, text: str) -> None:
        """Writes one line, with flags."""
        click.echo(flags_in_message(text), err=True)
