"""`--help` lists the options that people need first, in titled groups; `--help-all` lists all."""

from __future__ import annotations

import difflib
import os
import shlex
from typing import Any

import click

from textrnn.cli.flags import renamed_flag

__all__ = ["ARGUMENTS", "EVERY_OPTION", "SectionedCommand", "SettingOption"]

ARGUMENTS = "textrnn.arguments"
"""Key of the context's `meta` for the arguments as the user typed them."""

_OWN = "Options"
"""Title of the options that belong to no section of the settings."""


class SettingOption(click.Option):
    """The option of one setting.

    Args:
        declarations: The option's names, as for `click.Option`.
        section: The section of the settings that it belongs to.
        common: Whether `--help` lists it.
        **attributes: As for `click.Option`.
    """

    def __init__(
        self, declarations: list[str], *, section: str, common: bool, **attributes: Any
    ) -> None:
        super().__init__(declarations, **attributes)
        self.section, self.common = section, common


class SectionedCommand(click.Command):
    """A command whose help lists its options by section."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the arguments; errors suggest the flag that was meant.

        Raises:
            click.UsageError: An option or an argument is unknown, or has a wrong value.
        """
        ctx.allow_extra_args = True  # The error about them is this method's.
        ctx.meta[ARGUMENTS] = tuple(args)
        try:
            extra = super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            close = " or ".join(self._similar_flags(error.option_name))
            message = f"No such option: {error.option_name}."
            message += f" Did you mean {close}?" if close else ""
            raise click.NoSuchOption(error.option_name, message, ctx=ctx) from None
        if extra and not ctx.resilient_parsing:
            raise click.UsageError(self._about_extra(extra), ctx)
        return extra

    def _similar_flags(self, name: str) -> list[str]:
        """Returns the flags that a user may have meant, the most similar one first."""
        flags = [
            flag
            for param in self.params
            for flag in (*param.opts, *param.secondary_opts)
            if flag.startswith("--")
        ]
        new = renamed_flag(name)
        return [new] if new in flags else difflib.get_close_matches(name, flags, cutoff=0.7)

    def _about_extra(self, extra: list[str]) -> str:
        """Returns the message about arguments that the command does not have."""
        message = f"Got unexpected extra argument{'s' * (len(extra) > 1)} ({' '.join(extra)})."
        names = [param.name for param in self.params]
        files = ("test_file",) if "run" in names else ("text_file", "train_file")
        flag = next((f"--{name.replace('_', '-')}" for name in files if name in names), "")
        if not flag or not all(os.path.exists(name) for name in extra):
            return message
        return f"{message} To read files, pass {flag} {shlex.quote(','.join(extra))}."

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's parameters, with `--help-all` if `--help` leaves options out."""
        params = super().get_params(ctx)
        if any(isinstance(param, SettingOption) and not param.common for param in params):
            params.append(_help_all())
        return params

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the options: those of the command first, then one group per section."""
        every = bool(ctx.meta.get(EVERY_OPTION))
        groups: dict[str, list[tuple[str, str]]] = {_OWN: []}
        left_out: dict[str, int] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None or isinstance(param, click.Argument):
                continue
            if not isinstance(param, SettingOption):
                groups[_OWN].append(record)
            elif every or param.common:
                groups.setdefault(param.section.capitalize(), []).append(record)
            else:
                left_out[param.section] = left_out.get(param.section, 0) + 1
        for title, rows in groups.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        if left_out:
            counts = ", ".join(f"{count} of {section}" for section, count in left_out.items())
            formatter.write_paragraph()
            formatter.write_text(
                f"{ctx.command_path} --help-all lists {sum(left_out.values())} more options: "
                f"{counts}."
            )


EVERY_OPTION = "textrnn.help_all"
"""Key of the context's `meta` that asks for every option."""


def _help_all() -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            ctx.meta[EVERY_OPTION] = True
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()

    return click.Option(
        ["--help-all"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=show,
        help="Show every option and exit.",
    )
