"""`--help` lists the options that people need first, in titled groups; `--help-all` lists all."""

from __future__ import annotations

from typing import Any

import click

from textrnn.cli.flags import renamed_flag

__all__ = ["SectionedCommand", "SettingOption"]

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
        """Parses the arguments; the error about a flag that was renamed suggests the new name."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            new = renamed_flag(error.option_name)
            if new and any(new in (*param.opts, *param.secondary_opts) for param in self.params):
                message = f"No such option: {error.option_name}. Did you mean {new}?"
                raise click.NoSuchOption(error.option_name, message, ctx=ctx) from None
            raise

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's parameters, with `--help-all` if `--help` leaves options out."""
        params = super().get_params(ctx)
        if any(isinstance(param, SettingOption) and not param.common for param in params):
            params.append(_help_all())
        return params

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the options: those of the command first, then one group per section."""
        every = bool(ctx.meta.get(_EVERY))
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


_EVERY = "textrnn.help_all"
"""Key of the context's `meta` that asks for every option."""


def _help_all() -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            ctx.meta[_EVERY] = True
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
