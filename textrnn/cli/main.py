"""`textrnn`: finds the command that the user names, and turns errors into exit codes."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import Any

import click

from textrnn.errors import TextRNNError

__all__ = ["main"]

_COMMANDS = (
    "check",
    "train",
    "pretrain",
    "distil",
    "tune",
    "predict",
    "explain",
    "score",
    "evaluate",
    "decide",
    "compare",
    "report",
    "drift",
    "export",
    "serve",
    "config",
    "doctor",
)
"""The commands in the order of the help: to look at data, to train, to use, to measure, to deploy,
to set up."""


class _LazyGroup(click.Group):
    """Imports the module of a command only when the command is used, so that --help is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"textrnn.cli.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the command, or raises a UsageError that suggests similar names."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = difflib.get_close_matches(args[0], _COMMANDS)
            if close and not args[0].startswith("-"):
                message = f"{error.message} Did you mean {' or '.join(close)}?"
                raise click.UsageError(message, ctx) from None
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; the user's errors become one line on stderr and exit code 1."""
        try:
            return super().invoke(ctx)
        except TextRNNError as error:
            from textrnn.cli.flags import flags_of, with_flags

            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            flags = {} if command is None else flags_of(command)
            click.echo(f"textrnn: error: {with_flags(error, flags)}", err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            # The reader has closed the pipe; Python must not report that once more at its exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except KeyboardInterrupt:
            click.echo("textrnn: interrupted", err=True)
            ctx.exit(130)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="textrnn")
def main() -> None:
    """Train, use, explain and deploy recurrent text classifiers."""
    from textrnn.cli.console import print_any_name  # A shell's completion need not import rich.

    print_any_name()
    # `--import`, and runs with own cells, find modules here too, after all that are installed.
    is_safe = getattr(sys.flags, "safe_path", False)  # Python 3.11 has it.
    if "" not in sys.path and not is_safe:
        sys.path.append("")
