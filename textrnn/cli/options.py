"""Options made from the settings' fields, so that each setting is stated once."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from textrnn.cli.flags import OTHER_FLAGS
from textrnn.cli.help import SettingOption
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import Settings, field_types
from textrnn.data.paths import missing_file
from textrnn.errors import DataError

__all__ = [
    "check_inputs",
    "data_options",
    "given_settings",
    "merge_settings",
    "setting_options",
    "with_given",
]

_METAVARS = {"imports": "MODULE", "teachers": "RUN"}
"""The values of the options that may be repeated, in the help."""

_OWN_DEFAULT = re.compile(r"\s*\[default: [^\]]*\]$")
"""The default in the help text of a setting whose default is None."""

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=Settings)


def setting_options(
    kind: type[Settings] = ClassifierRunConfig,
    *,
    only: tuple[str, ...] = (),
    default: str = "",
    common: bool = False,
) -> Callable[[F], F]:
    """Adds one option, `--like-this`, for each setting to a command.

    Args:
        kind: The settings.
        only: Names of the sections whose settings become options; empty: all sections.
        default: The default that the help texts show, if it is not that of the settings.
        common: Whether `--help` lists all of them, and not the common ones alone.
    """

    def decorate(command: F) -> F:
        for name, section in reversed(kind.sections().items()):
            if only and name not in only:
                continue
            types = field_types(section)
            for setting in reversed(dataclasses.fields(section)):
                option = _option(
                    setting,
                    *types[setting.name],
                    section=name,
                    shown=default,
                    common=common or setting.metadata["common"],
                )
                command = option(command)
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
        """The value converted to its type; None for `auto`."""
        if value == "auto" and self._type is click.INT:
            return None
        return self._type.convert(value, param, context)


class _RegisteredChoice(click.Choice[str]):
    """One of some names, or the name, `package>Name`, of a class that a module registers.

    The class is looked up later, because `--import` names its module.
    """

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """Returns the value if it is a choice or may be the name of a class."""
        if ">" in value:
            return value
        try:
            return super().convert(value, param, context)
        except click.BadParameter as error:
            message = (
                f"{error.message.rstrip('.')}, or 'package>Name', in quotes, of a class that a "
                "module of yours registers with Keras (--import)."
            )
            self.fail(message, param, context)


def _joined(context: click.Context, param: click.Parameter, values: tuple[str, ...]) -> str | None:
    """Returns the values of a repeated option as one, separated by commas."""
    return ",".join(values) or None


data_options = setting_options(only=("data", "task"), default="as in the run")
"""The options of a command with a run that name other data, and what a label in it is."""


def _option(
    setting: Any, kind: type, optional: bool, *, section: str, shown: str, common: bool
) -> Callable[[F], F]:
    flag = f"--{setting.name.replace('_', '-')}"
    # Each flag needs its opposite: --config may turn on what is off by default.
    if kind is bool:
        flag = f"{flag}/--no-{flag[2:]}"
    repeated: dict[str, Any] = {}
    if setting.name in OTHER_FLAGS:
        repeated = {"multiple": True, "callback": _joined, "metavar": _METAVARS[setting.name]}
    return click.option(
        *(OTHER_FLAGS[setting.name], flag) if setting.name in OTHER_FLAGS else (flag,),
        setting.name,
        cls=SettingOption,
        section=section,
        common=common,
        is_flag=kind is bool,
        type=_value_type(setting.metadata, kind, optional=optional),
        default=setting.default,
        show_default=shown or (not optional and kind is not bool) or bool(setting.default),
        help=_OWN_DEFAULT.sub("", setting.metadata["help"]) if shown else setting.metadata["help"],
        **{"metavar": "INTEGER|auto" if optional and kind is int else None, **repeated},
    )


def _value_type(metadata: Mapping[str, Any], kind: type, *, optional: bool) -> Any:
    """Returns the type of an option's values, by the setting's metadata and type."""
    if metadata["path"]:
        return click.Path()  # A shell completes it.
    if metadata["choices"]:
        choice = _RegisteredChoice if metadata["registered"] else click.Choice
        return choice(metadata["choices"])
    return _Auto(kind) if optional else kind


def given_settings(
    context: click.Context, kind: type[Settings] = ClassifierRunConfig
) -> dict[str, dict[str, Any]]:
    """The settings that the user typed on the command line, by section."""
    given: dict[str, dict[str, Any]] = {}
    for name, section in kind.section_of().items():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            given.setdefault(section, {})[name] = context.params[name]
    return given


def with_given(
    config: C, given: Mapping[str, Mapping[str, Any]], *, sources: tuple[str, ...] = ()
) -> C:
    """The config with the given settings in place of its own.

    Args:
        config: The config.
        given: Settings by section.
        sources: Settings of the data that exclude each other: one that is given replaces all.
    """
    values = config.to_dict()
    if set(sources) & set(given.get("data", {})):
        values["data"].update(dict.fromkeys(sources))
    for section, settings in given.items():
        values[section].update(settings)
    return type(config).from_dict(values)


def merge_settings(
    config: ClassifierRunConfig, given: Mapping[str, Mapping[str, Any]]
) -> ClassifierRunConfig:
    """The config with the given settings in place of its own.

    Another data set or training file replaces all sources of data in the config. If no source is
    left, the data set is the bundled one.
    """
    sources: tuple[str, ...] = ()
    if {"dataset", "train_file"} & set(given.get("data", {})):
        sources = ("dataset", "train_file", "valid_file", "test_file")
    config = with_given(config, given, sources=sources)
    if config.data.dataset is None and config.data.train_file is None:
        config = config.replace(dataset="bbc_news")
    return config


_NEED_NOT_EXIST = frozenset({"vectors", "data_dir"})
"""Vectors may be a package's, which have a name; TFDS makes its folder when it downloads."""


def check_inputs(config: Settings, given: Mapping[str, Mapping[str, Any]], *, source: str) -> None:
    """Checks the paths of some settings, before TensorFlow is imported.

    Args:
        config: The settings.
        given: The settings that the user typed on the command line, by section.
        source: Name of the file that holds the other settings, for messages; empty if they are
            defaults.

    Raises:
        DataError: A file or folder is missing.
    """
    for name, section in config.sections().items():
        values = getattr(config, name)
        for setting in dataclasses.fields(section):
            value = getattr(values, setting.name)
            if not setting.metadata["path"] or value is None or setting.name in _NEED_NOT_EXIST:
                continue
            typed = setting.name in given.get(name, {})
            origin = "" if typed or not source else f" (`{setting.name}` of {source})"
            several = setting.metadata["several"]
            path, problem = missing_file(value) if several else (value, "expected a file, got none")
            if path and (several or not os.path.exists(os.path.expanduser(path))):
                option = f"--{setting.name.replace('_', '-')}"
                raise DataError(
                    f"{path}{origin}: {problem}; check the path, or pass another "
                    f"{OTHER_FLAGS.get(setting.name, option)}."
                )
