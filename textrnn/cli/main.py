"""`textrnn`: the commands, and what becomes of errors."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import Any

import click

from textrnn.errors import ConfigError, TextRNNError

__all__ = ["main"]

_COMMANDS = (
    "train",
    "tune",
    "pretrain",
    "evaluate",
    "predict",
    "score",
    "explain",
    "compare",
    "report",
    "export",
    "config",
    "doctor",
)


class _LazyGroup(click.Group):
    """Imports a command's module when the command is used, so that --help is quick."""

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
        """The command of that name, or an error that names those like it."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = difflib.get_close_matches(args[0], _COMMANDS)
            if close and not args[0].startswith("-"):
                told = f"{error.message} Did you mean {' or '.join(close)}?"
                raise click.UsageError(told, ctx) from None
            raise

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TextRNNError as error:
            kind = "settings" if isinstance(error, ConfigError) else "error"
            click.echo(f"textrnn: {kind}: {' '.join(str(error).split())}", err=True)
            ctx.exit(1)
        except BrokenPipeError:
            # The reader of our output has seen enough; Python must not complain at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except KeyboardInterrupt:
            click.echo("textrnn: interrupted", err=True)
            ctx.exit(130)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="textrnn")
def main() -> None:
    """Recurrent text classifiers: small, fast, explainable, trained on your own machine."""
    from textrnn.cli.console import print_any_name

    print_any_name()
