"""Options made from the settings' fields, so that each setting is stated once."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from textrnn.config.data import DataConfig
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import Settings, field_types
from textrnn.errors import DataError

__all__ = [
    "check_inputs",
    "data_options",
    "given_settings",
    "merge_settings",
    "run_argument",
    "run_options",
    "setting_options",
    "with_given",
]

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=Settings)


def setting_options(*sections: type) -> Callable[[F], F]:
    """Adds one option a field of these sections, `--like-this`, to a command."""

    def decorate(command: F) -> F:
        for section in reversed(sections):
            types = field_types(section)
            for setting in reversed(dataclasses.fields(section)):
                command = _option(setting, *types[setting.name])(command)
        return command

    return decorate


class _Auto(click.ParamType[Any]):
    """A value, or `auto` for the default that None stands for."""

    def __init__(self, kind: type) -> None:
        self._type = click.types.convert_type(kind)
        self.name = self._type.name

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """The value as its type has it; None for `auto`."""
        if value == "auto" and self._type is click.INT:
            return None
        return self._type.convert(value, param, context)


data_options = setting_options(DataConfig)
"""The options that say where texts and labels come from."""


def _option(setting: Any, kind: type, optional: bool) -> Callable[[F], F]:
    flag = f"--{setting.name.replace('_', '-')}"
    # Each flag needs its opposite: --config may turn on what is off by default.
    if kind is bool:
        flag = f"{flag}/--no-{flag[2:]}"
    choices = setting.metadata["choices"]
    value_type: Any = click.Choice(choices) if choices else _Auto(kind) if optional else kind
    if setting.metadata["path"]:
        value_type = click.Path()  # A shell completes it.
    return click.option(
        flag,
        setting.name,
        is_flag=kind is bool,
        type=value_type,
        default=setting.default,
        show_default=(not optional and kind is not bool) or bool(setting.default),
        help=setting.metadata["help"],
    )


def given_settings(
    context: click.Context, kind: type[Settings] = ClassifierRunConfig
) -> dict[str, dict[str, Any]]:
    """The settings of a kind that were typed on the command line, by section."""
    given: dict[str, dict[str, Any]] = {}
    for section, fields in kind.sections().items():
        for setting in dataclasses.fields(fields):
            source = context.get_parameter_source(setting.name)
            if source is ParameterSource.COMMANDLINE:
                given.setdefault(section, {})[setting.name] = context.params[setting.name]
    return given


def with_given(
    config: C, given: Mapping[str, Mapping[str, Any]], *, sources: tuple[str, ...] = ()
) -> C:
    """The config with the given settings in the place of its own.

    Args:
        config: The config.
        given: Settings by section.
        sources: Settings of the data of which a given one takes the place of all.
    """
    values = config.to_dict()
    if set(sources) & set(given.get("data", {})):
        values["data"].update(dict.fromkeys(sources))
    for section, settings in given.items():
        values[section].update(settings)
    return type(config).from_dict(values)


def merge_settings(config: ClassifierRunConfig, given: Mapping[str, Mapping[str, Any]]) -> ClassifierRunConfig:
    """The config with the given settings in the place of its own.

    Another data set or training file takes the place of all the config's sources of data. Where
    none is left, it is the bundled one.
    """
    sources: tuple[str, ...] = ()
    if {"dataset", "train_file"} & set(given.get("data", {})):
        sources = ("dataset", "train_file", "valid_file", "test_file")
    config = with_given(config, given, sources=sources)
    if config.data.dataset is None and config.data.train_file is None:
        config = with_given(config, {"data": {"dataset": "bbc_news"}})
    return config


_NEED_NOT_EXIST = frozenset({"vectors", "data_dir"})
"""Vectors may be those of a package, which have a name; TFDS makes its folder when it downloads."""


def check_inputs(config: Settings, given: Mapping[str, Mapping[str, Any]], *, source: str) -> None:
    """Finds what is wrong with the paths of some settings before TensorFlow is waited for.

    Args:
        config: The settings.
        given: Those that were typed on the command line, by section.
        source: Where the others come from, for messages; empty if they are defaults.

    Raises:
        DataError: A file or folder is missing.
    """
    for name, section in config.sections().items():
        values = getattr(config, name)
        for setting in dataclasses.fields(section):
            path = getattr(values, setting.name)
            if not setting.metadata["path"] or path is None or setting.name in _NEED_NOT_EXIST:
                continue
            if not os.path.exists(os.path.expanduser(path)):
                typed = setting.name in given.get(name, {})
                told = "" if typed or not source else f" (`{setting.name}` of {source})"
                option = f"--{setting.name.replace('_', '-')}"
                raise DataError(
                    f"{path}{told}: expected a file, got none; check the path, or pass "
                    f"another {option}."
                )


def run_options(default_output: str) -> Callable[[F], F]:
    """Adds what every command takes that trains into a run folder.

    Args:
        default_output: What the folder is if `--output` does not say.
    """

    def decorate(command: F) -> F:
        for option in reversed(
            (
                click.option(
                    "--config",
                    "config_file",
                    type=click.Path(path_type=Path),
                    help="YAML file of settings, such as a run's config.yaml; the command line "
                    "wins.",
                ),
                click.option(
                    "--output",
                    type=click.Path(path_type=Path),
                    help=f"Run folder.  [default: {default_output}]",
                ),
                click.option(
                    "--resume", is_flag=True, help="Go on with the unfinished run in --output."
                ),
                click.option("--overwrite", is_flag=True, help="Replace the run in --output."),
                click.option(
                    "--log-format",
                    type=click.Choice(["text", "json"]),
                    default="text",
                    help="Of messages and progress on stderr; json: one object a line.",
                    show_default=True,
                ),
                click.option(
                    "--json", "as_json", is_flag=True, help="Print the figures as one JSON object."
                ),
            )
        ):
            command = option(command)
        return command

    return decorate


def run_argument(command: F) -> F:
    """Adds the argument RUN, a run folder."""
    return click.argument("run", type=click.Path(path_type=Path))(command)
