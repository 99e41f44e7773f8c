"""The run that a command trains: its options, its settings and its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import click

from textrnn.cli.console import print_json
from textrnn.cli.option_group import OptionGroup
from textrnn.cli.options import check_inputs
from textrnn.config.section import Settings
from textrnn.inference.run_files import CONFIG, read_settings

if TYPE_CHECKING:
    from textrnn.messages.terminal import TerminalReporter

__all__ = ["RunChoice", "RunOptions", "run_options"]

C = TypeVar("C", bound=Settings)
Given = Mapping[str, Mapping[str, Any]]
"""The settings that the user typed on the command line, by section."""


@dataclass(frozen=True)
class RunOptions:
    """The values of the options that `run_options` adds.

    Attributes:
        config_file: YAML file of settings; None: the settings begin as the defaults.
        output: The run folder; None: a folder named after the data.
        resume: Whether to continue the unfinished run in the folder.
        overwrite: Whether to replace the run in the folder.
        log_format: Format of messages and progress, `text` or `json`.
        as_json: Whether to print the results as JSON.
    """

    config_file: Path | None = None
    output: Path | None = None
    resume: bool = False
    overwrite: bool = False
    log_format: str = "text"
    as_json: bool = False

    def reporter(self) -> TerminalReporter:
        """Returns a reporter that writes in the chosen format."""
        from textrnn.cli.reporting import CommandJsonReporter, CommandReporter

        return CommandJsonReporter() if self.log_format == "json" else CommandReporter()

    def print_results(self, results: Mapping[str, Any], *lines: str) -> None:
        """Prints the results as JSON if the user asked for it, else the lines."""
        if self.as_json:
            print_json(results)
        else:
            click.echo("\n".join(lines))


def run_options(default_output: str) -> OptionGroup:
    """Returns the options of every command that trains into a run folder.

    The command receives their values as its parameter `options`, a `RunOptions`.

    Args:
        default_output: The folder that the help text names as the default of `--output`.
    """
    return OptionGroup(
        RunOptions,
        click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path),
            help="YAML file of settings, such as a run's config.yaml; an option on the command "
            "line takes precedence.",
        ),
        click.option(
            "--output",
            type=click.Path(path_type=Path),
            help=f"Run folder.  [default: {default_output}]",
        ),
        click.option("--resume", is_flag=True, help="Continue the unfinished run in --output."),
        click.option("--overwrite", is_flag=True, help="Replace the run in --output."),
        click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            help="Format of messages and progress on stderr; json: one object per line.",
            show_default=True,
        ),
        click.option(
            "--json", "as_json", is_flag=True, help="Print the results as one JSON object."
        ),
        name="options",
    )


@dataclass(frozen=True)
class RunChoice(Generic[C]):
    """The settings and the folder of the run that the user asks for.

    Attributes:
        config: All settings.
        folder: The run folder.
        given: The settings that the user typed on the command line, by section.
        config_file: The file of the other settings; None if they are defaults.
        merge: Returns some settings with the given ones in place of their own.
    """

    config: C
    folder: Path
    given: Given
    config_file: Path | None
    merge: Callable[[C, Given], C]

    @classmethod
    def of(
        cls,
        default: C,
        options: RunOptions,
        *,
        given: Given,
        merge: Callable[[C, Given], C],
        name: Callable[[C], str],
    ) -> RunChoice[C]:
        """Makes the choice from a command's options, without TensorFlow.

        Args:
            default: The default settings.
            options: The options of the run.
            given: The settings that the user typed on the command line, by section.
            merge: Returns some settings with the given ones in place of their own.
            name: Returns the name of the run folder if the user names none.

        Raises:
            ConfigError: A setting is unknown or has a wrong value.
            ModelError: The file of settings cannot be read, or belongs to another kind of run.
        """
        config = default
        if options.config_file is not None:
            config = read_settings(options.config_file, type(default))
        config = merge(config, given)
        folder = options.output or Path("runs") / name(config)
        return cls(config, folder, given, options.config_file, merge)

    def check_inputs(self) -> None:
        """Raises DataError if a file or folder that the settings name is missing."""
        check_inputs(self.config, self.given, source=str(self.config_file or ""))

    def resumed(self) -> C:
        """Returns the settings of the unfinished run in the folder, which is to continue.

        Settings that may change when a run resumes, such as the strategy, have their new values.

        Raises:
            ConfigError: The chosen settings differ from those of the run.
            ModelError: The folder holds no run that can continue.
        """
        from textrnn.training.run.folder import check_started, check_unchanged

        path = self.folder / CONFIG
        if not path.is_file():
            check_started(self.folder)
        stored = read_settings(path, type(self.config))
        resumed = self.merge(stored, self.given)
        for config in (self.config,) * (self.config_file is not None) + (resumed,):
            check_unchanged(config, stored, path=path)
        return resumed
