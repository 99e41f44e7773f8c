"""The reference of the commands, from click's own help texts with every option."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from click.testing import CliRunner

from textrnn.cli.help import EVERY_OPTION
from textrnn.cli.main import main


class MarkdownFormatter(click.HelpFormatter):
    """Writes what a command says about itself as Markdown."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Writes how the command is called."""
        self.write(f"```text\n{prog} {args}\n```\n\n")

    def write_text(self, text: str) -> None:
        """Writes paragraphs. What is indented in them, or begins with click's `\\b`, is code."""
        for paragraph in inspect.cleandoc(text).split("\n\n"):
            if paragraph.startswith(("\b\n", "    ")):
                code = inspect.cleandoc(paragraph.removeprefix("\b\n"))
                self.write(f"```text\n{code}\n```\n\n")
            else:
                self.write(f"{plain(paragraph)}\n\n")

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Writes the title of a group of options."""
        self.write(f"## {name}\n\n")
        yield

    def write_dl(
        self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Writes the options, each with its meaning."""
        for option, meaning in rows:
            self.write(f"`{option}`\n:   {plain(meaning) or '-'}\n\n")


def plain(text: str) -> str:
    """Returns a text of the help without meaning for Markdown, except for its code."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        part if part.startswith("`") else re.sub(r"([\\*_{}\[\]<>#|])", r"\\\1", part)
        for part in parts
    )


def help_of(command: click.Command, context: click.Context) -> str:
    """Returns the help of a command and of the commands in it, as Markdown."""
    context.meta[EVERY_OPTION] = True
    formatter = MarkdownFormatter(width=400)  # click cuts short texts that are wider.
    command.format_help(context, formatter)
    text = formatter.getvalue()
    if isinstance(command, click.Group):
        for name, part in command.commands.items():
            inner = part.make_context(name, [], parent=context, resilient_parsing=True)
            text += f"## {context.command_path} {name}\n\n"
            text += help_of(part, inner).replace("\n## ", "\n### ")
    return text


@functools.cache
def pages() -> dict[str, str]:
    """Returns the pages: an overview, and one per command.

    Returns:
        The Markdown of each page, by its path in the site.
    """
    context = click.Context(main, info_name="textrnn", **main.context_settings)
    overview = "# Commands\n\n" + plain(main.help or "") + "\n\n| command | does |\n|---|---|\n"
    made = {"commands/index.md": ""}
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        made[f"commands/{name}.md"] = f"# textrnn {name}\n\n{help_of(command, inner)}"
        overview += f"| [textrnn {name}]({name}.md) | {plain(command.get_short_help_str(200))} |\n"
    made["commands/index.md"] = (
        f"{overview}\nThe pages show what `textrnn COMMAND --help-all` prints. Results go to "
        "stdout, messages to stderr. The exit code is 0, 1 for an error in data, files or set-up, "
        "2 for wrong usage, and 130 after an interruption.\n"
    )
    made["settings.md"] = _settings()
    return made


def _settings() -> str:
    """Returns the page of all settings, as `textrnn config print` prints them."""
    text = (
        "# Settings\n\nEvery setting is an option of `textrnn train` or `textrnn pretrain`, a "
        "keyword of the functions, and a line of `config.yaml`. `textrnn config explain NAME` "
        "prints one of them.\n"
    )
    for kind, command in (("classifier", "train"), ("language-model", "pretrain")):
        printed = CliRunner().invoke(main, ["config", "print", "--kind", kind], prog_name="textrnn")
        assert printed.exit_code == 0, printed.output
        text += f"\n## Of textrnn {command}\n\n```yaml\n{printed.output}```\n"
    return text
