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
    from textrnn.config.language_model import TextConfig
    from textrnn.runtime import RuntimeLanguageModel, RuntimeModel

__all__ = [
    "LineReporter",
    "engine_option",
    "light_language_model",
    "light_model",
    "settings_of",
    "texts_of",
]

F = TypeVar("F", bound=Callable[..., Any])


def engine_option(command: F) -> F:
    """Adds the option `--engine` of a command that the light runtime can answer too."""
    return click.option(
        "--engine",
        callback=_before_numpy,
        type=click.Choice(["auto", "numpy", "tensorflow"]),
        default="auto",
        show_default=True,
        help="What computes the answers: the light runtime, which starts at once, or TensorFlow; "
        "auto: the light runtime if RUN has its file and the other options allow it. The answers "
        "are the same.",
    )(command)


def _before_numpy(context: click.Context, parameter: click.Parameter, engine: str) -> str:
    """Sets the threads of products before anything imports NumPy; they decide the last bits."""
    one_thread_per_product()
    return engine


def _may_be_light(engine: str, *, needs_tensorflow: str = "") -> bool:
    """Returns whether the light runtime may answer.

    Args:
        engine: The value of `--engine`.
        needs_tensorflow: The option of the user that needs TensorFlow; empty if there is none.

    Raises:
        click.UsageError: The light runtime was asked for what needs TensorFlow.
    """
    if needs_tensorflow and engine == "numpy":
        raise click.UsageError(f"{needs_tensorflow} needs TensorFlow; leave out --engine.")
    return engine != "tensorflow" and not needs_tensorflow


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
    if not _may_be_light(engine, needs_tensorflow=needs_tensorflow) or not _is_light(run, engine):
        return None
    from textrnn.runtime import load

    return load(run)


def light_language_model(run: Path, engine: str) -> RuntimeLanguageModel | None:
    """Returns the language model of a run in the light runtime; None if TensorFlow is to answer.

    Args:
        run: The run folder.
        engine: The value of `--engine`.

    Raises:
        ModelError: The run folder is damaged, is that of a classifier, or lacks the file that was
            asked for.
    """
    if engine == "tensorflow" or not _is_light(run, engine):
        return None
    from textrnn.runtime import load_language_model

    return load_language_model(run)


def _is_light(run: Path, engine: str) -> bool:
    """Returns whether the light runtime is to load a run."""
    from textrnn.runtime.run_folder import has_network

    return engine == "numpy" or has_network(run)


def settings_of(run: Path) -> ClassifierRunConfig:
    """Returns the settings of the run of a classifier.

    Raises:
        ModelError: The file of the settings is missing or changed.
    """
    from textrnn.config.classifier import ClassifierRunConfig
    from textrnn.inference.run_files import checked_settings

    return checked_settings(run, ClassifierRunConfig)


def texts_of(run: Path) -> TextConfig:
    """Returns the settings of the texts of a language model's run; see `settings_of`."""
    from textrnn.config.language_model import LanguageModelRunConfig
    from textrnn.inference.run_files import checked_settings

    return checked_settings(run, LanguageModelRunConfig).data


class LineReporter:
    """Writes messages to stderr, without the package that draws progress bars."""

    def message(self, text: str) -> None:
        """Writes one line, with flags."""
        click.echo(flags_in_message(text), err=True)
