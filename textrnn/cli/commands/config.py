"""`textrnn config`."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from pathlib import Path
from typing import Any

import click
import yaml
from rich.table import Table

from textrnn.cli.console import print_table, table_console
from textrnn.cli.startup import start_tensorflow
from textrnn.config.choices import CELLS
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import EncoderConfig
from textrnn.config.section import Section, Settings, field_types, suggestion
from textrnn.errors import ConfigError
from textrnn.inference.run_files import CONFIG, is_complete, read_any_settings
from textrnn.messages.wording import counted

__all__ = ["config"]

_KINDS: dict[str, type[Settings]] = {
    "classifier": ClassifierRunConfig,
    "language-model": LanguageModelRunConfig,
}
_WIDTH = 88
"""Width of the comments in a printed file of settings."""

_kind_option = click.option(
    "--kind",
    type=click.Choice(list(_KINDS)),
    default="classifier",
    show_default=True,
    help="Settings of textrnn train, or those of textrnn pretrain.",
)


@click.group(short_help="Print, check and explain settings.")
def config() -> None:
    """Print, check and explain the settings of a run.

    Every setting is an option of `textrnn train` or `textrnn pretrain`, and a line in a YAML file
    that both commands read by --config.
    """


@config.command(name="print")
@click.argument("source", required=False, type=click.Path(path_type=Path))
@_kind_option
@click.option("--plain", is_flag=True, help="Leave out the comments.")
def print_(source: Path | None, kind: str, plain: bool) -> None:
    """Print all settings as YAML, with a comment for each.

    SOURCE is a run folder or a YAML file of settings; without it, all settings have their defaults.
    The output is a file for --config:

        textrnn config print > my.yaml
    """
    settings = _KINDS[kind]() if source is None else read_any_settings(_file(source))
    click.echo(_as_yaml(settings, comments=not plain), nl=False)


@config.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(source: Path, as_json: bool) -> None:
    """Check a file of settings, or those of a run, and list the ones that differ from the default.

    An unknown name, a wrong value, or settings that exclude each other are an error, exit code 1.
    If the cell is one of yours, the modules in `imports` are imported to find it.
    """
    path = _file(source)
    settings = read_any_settings(path)
    if isinstance(settings, ClassifierRunConfig | LanguageModelRunConfig):
        _check_cell(settings.model, path)
    changed = _changed(settings)
    if as_json:
        kind = next(name for name, known in _KINDS.items() if isinstance(settings, known))
        values = {name: value for name, (value, _) in changed.items()}
        click.echo(json.dumps({"file": str(path), "kind": kind, "changed": values}))
        return
    if changed:
        table = Table("setting", "value", "default")
        for name, (value, default) in changed.items():
            table.add_row(name, _shown(value), _shown(default))
        print_table(table_console(), table)
    click.echo(f"{path}: valid; {counted(len(changed), 'setting')} not at the default")


def _check_cell(encoder: EncoderConfig, path: Path) -> None:
    """Raises ConfigError if the cell is neither built in nor registered by the modules."""
    if encoder.cell in CELLS:
        return
    start_tensorflow()
    from textrnn.inference.own_cell import import_cell

    try:
        import_cell(encoder, run=path.parent if is_complete(path.parent) else None)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


@config.command(context_settings={"ignore_unknown_options": True})
@click.argument("names", nargs=-1, type=click.UNPROCESSED)
@_kind_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(names: tuple[str, ...], kind: str, as_json: bool) -> None:
    """Explain settings: meaning, section, default and allowed values.

    NAMES are settings, such as learning-rate, or sections, such as model; without NAMES, all
    settings are explained.
    """
    entries = _entries(_KINDS[kind], names)
    if as_json:
        click.echo(json.dumps(entries))
        return
    for i, (name, entry) in enumerate(entries.items()):
        if i:
            click.echo()
        allowed = f"; {entry['allowed']}" if entry["allowed"] else ""
        default = "auto" if "auto" in entry["allowed"] else _shown(entry["default"])
        flag = f"--{name.replace('_', '-')}"
        click.echo(f"{name}, {flag}  ({entry['section']}; default {default}{allowed})")
        click.echo(click.wrap_text(entry["help"], initial_indent="  ", subsequent_indent="  "))


def _file(source: Path) -> Path:
    return source / CONFIG if source.is_dir() else source


def _entries(kind: type[Settings], names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Returns the texts that `explain` prints, by setting."""
    wanted = [name.removeprefix("--").replace("-", "_") for name in names]
    sections, homes = kind.sections(), kind.section_of()
    for name in wanted:
        if name not in sections and name not in homes:
            hint = suggestion(name, [*homes, *sections]) or "; leave it out to list all."
            raise ConfigError(f"expected a setting or a section, got {name}{hint}")
    return {
        definition.name: {
            "section": section,
            "default": definition.default,
            "allowed": _allowed(sections[section], definition),
            "help": definition.metadata["help"],
        }
        for section in sections
        for definition in dataclasses.fields(sections[section])
        if not wanted or definition.name in wanted or section in wanted
    }


def _allowed(section: type[Section], definition: dataclasses.Field[Any]) -> str:
    """The values that a setting may have, in words."""
    if definition.metadata["choices"]:
        own = ", or package>Name of a registered class" if definition.metadata["registered"] else ""
        return f"one of {', '.join(definition.metadata['choices'])}{own}"
    kind, optional = field_types(section)[definition.name]
    words = {int: "integer", float: "number", bool: "true or false", str: "text"}[kind]
    minimum, below = definition.metadata["minimum"], definition.metadata["below"]
    if minimum is not None:
        words += f", at least {minimum:g}"
    if below is not None:
        words += f", below {below:g}"
    return f"{words}, or auto" if optional and kind is int else words


def _changed(settings: Settings) -> dict[str, tuple[Any, Any]]:
    """Maps the settings that differ from their defaults to value and default."""
    default = type(settings)().to_dict()
    return {
        name: (value, default[section][name])
        for section, values in settings.to_dict().items()
        for name, value in values.items()
        if value != default[section][name]
    }


def _shown(value: Any) -> str:
    return (
        "none" if value is None else str(value).lower() if isinstance(value, bool) else f"{value}"
    )


def _as_yaml(settings: Settings, *, comments: bool) -> str:
    """The settings as YAML, with the help text of each one above it."""
    lines = []
    for name, section in settings.sections().items():
        values = getattr(settings, name).to_dict()
        lines.append(f"{name}:")
        for definition in dataclasses.fields(section):
            if comments:
                lines.append(
                    textwrap.fill(
                        definition.metadata["help"],
                        width=_WIDTH,
                        initial_indent="  # ",
                        subsequent_indent="  # ",
                        break_on_hyphens=False,
                    )
                )
            line = yaml.safe_dump({definition.name: values[definition.name]}, allow_unicode=True)
            lines.append(f"  {line.rstrip()}")
        lines.append("")
    return "\n".join(lines)
