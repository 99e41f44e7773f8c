"""The base of all settings: frozen dataclasses whose fields know their help text and bounds."""

from __future__ import annotations

import dataclasses
import difflib
import glob
import os
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import humanfriendly

from textrnn.errors import ConfigError

__all__ = [
    "RENAMED",
    "Section",
    "Settings",
    "check_file",
    "field_types",
    "listed_names",
    "listed_paths",
    "seconds",
    "setting",
    "suggestion",
]

S = TypeVar("S", bound="Section")
C = TypeVar("C", bound="Settings")


def setting(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] | None = None,
    minimum: float | None = None,
    below: float | None = None,
    operational: bool = False,
    path: bool = False,
    several: bool = False,
    common: bool = False,
    registered: bool = False,
    chosen: bool = False,
) -> Any:
    """Returns a dataclass field with its help text and bounds.

    Args:
        default: The default; None stands for `auto` or for "not given".
        help: The help text: one or more sentences.
        choices: All values that are allowed; None: any.
        minimum: The least value; None: no bound.
        below: The bound; the value must be less than it. None: no bound.
        operational: Whether the setting may differ when an interrupted run resumes, because it
            changes how the training is carried out and not its result.
        path: Whether the value is the path of a file or folder.
        several: Whether the value may be several ones, with commas between them.
        registered: Whether the value may also be the name, `package>Name`, under which a
            class of the user is registered with Keras.
        common: Whether `--help` lists the option; `--help-all` lists every option.
        chosen: Whether a run with the default chooses a value when it begins, by the device; an
            interrupted run resumes with that value.
    """
    metadata = {
        "help": help,
        "choices": choices,
        "minimum": minimum,
        "below": below,
        "operational": operational,
        "path": path,
        "several": several,
        "common": common,
        "registered": registered,
        "chosen": chosen,
    }
    return field(default=default, metadata=metadata)


def field_types(section: type[Section]) -> dict[str, tuple[type, bool]]:
    """Maps each field's name to its plain type and whether None is allowed."""
    types: dict[str, tuple[type, bool]] = {}
    for name, hint in typing.get_type_hints(section).items():
        members = [m for m in typing.get_args(hint) if m is not type(None)]
        types[name] = (members[0], True) if members else (hint, False)
    return types


@dataclass(frozen=True)
class Section:
    """A group of settings that checks its own fields."""

    def __post_init__(self) -> None:
        types = field_types(type(self))
        for definition in dataclasses.fields(self):
            name = definition.name
            expected, optional = types[name]
            value = getattr(self, name)
            if value is None and optional:
                continue
            if expected is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
                object.__setattr__(self, name, value)
            if not isinstance(value, expected) or (
                isinstance(value, bool) and expected is not bool
            ):
                raise ConfigError(f"`{name}` must be {_article(expected.__name__)}, got {value!r}.")
            self._check_bounds(name, value, definition.metadata)

    @staticmethod
    def _check_bounds(name: str, value: Any, bounds: Mapping[str, Any]) -> None:
        choices, minimum, below = bounds["choices"], bounds["minimum"], bounds["below"]
        is_class_name = bounds["registered"] and ">" in value
        if choices is not None and value not in choices and not is_class_name:
            raise ConfigError(f"`{name}` must be one of {', '.join(choices)}, got {value!r}.")
        # The comparisons are negated so that NaN fails them.
        if minimum is not None and not value >= minimum:
            raise ConfigError(f"`{name}` must be at least {minimum}, got {value}.")
        if below is not None and not value < below:
            raise ConfigError(f"`{name}` must be less than {below}, got {value}.")

    def to_dict(self) -> dict[str, Any]:
        """Returns the settings as plain values, ready for YAML."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls: type[S], values: Mapping[str, Any]) -> S:
        """Makes the section from plain values.

        Raises:
            ConfigError: A name is unknown, or a value has the wrong type or is out of bounds.
        """
        known = {definition.name for definition in dataclasses.fields(cls)}
        unknown = sorted(str(name) for name in values if name not in known)
        if unknown:
            raise ConfigError(
                f"unknown setting {', '.join(unknown)}{suggestion(unknown[0], known)}; known: "
                f"{', '.join(sorted(known))}."
            )
        return cls(**{str(name): value for name, value in values.items()})


@dataclass(frozen=True)
class Settings:
    """All settings of one run, by section: each field of a subclass is a `Section`."""

    @classmethod
    def of(cls: type[C], **settings: Any) -> C:
        """Makes the settings from single values; each one finds its section by its name.

        Args:
            **settings: Settings by name, such as `cell="lstm"`; those left out keep their defaults.

        Raises:
            ConfigError: A setting is unknown or has a wrong value.
        """
        return cls().replace(**settings)

    def replace(self: C, **settings: Any) -> C:
        """Returns the settings with some values replaced; see `of`.

        Raises:
            ConfigError: A setting is unknown or has a wrong value.
        """
        homes = self.section_of()
        values = self.to_dict()
        for name, value in settings.items():
            if name not in homes:
                raise ConfigError(f"unknown setting {name}{suggestion(name, homes) or '.'}")
            values[homes[name]][name] = value
        return type(self).from_dict(values)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Returns the settings by section, as plain values."""
        return {name: getattr(self, name).to_dict() for name in self.sections()}

    @classmethod
    def from_dict(cls: type[C], values: Mapping[str, Any]) -> C:
        """Makes the settings from values by section; a section left out keeps its defaults.

        Raises:
            ConfigError: A section or setting is unknown or has a wrong value.
        """
        known = cls.sections()
        homes = cls.section_of()
        unknown = sorted(str(name) for name in values if name not in known)
        if unknown:
            hint = "".join(_section_hint(name, homes) for name in unknown[:1])
            raise ConfigError(
                f"unknown section {', '.join(unknown)}; known: {', '.join(known)}.{hint}"
            )
        sections: dict[str, Any] = {}
        for name, section in known.items():
            settings = values.get(name) or {}
            if not isinstance(settings, Mapping):
                raise ConfigError(f"section `{name}` must map names to values, got {settings!r}.")
            for setting_name in settings:
                if homes.get(setting_name, name) != name:
                    raise ConfigError(
                        f"`{setting_name}` belongs to section `{homes[setting_name]}`, got it in "
                        f"`{name}`; move it."
                    )
            sections[name] = section.from_dict(settings)
        return cls(**sections)

    @classmethod
    def sections(cls) -> dict[str, type[Section]]:
        """Maps each section's name to its dataclass, in the order of the file."""
        return dict(typing.get_type_hints(cls))

    @classmethod
    def section_of(cls) -> dict[str, str]:
        """Maps each setting's name to the name of its section."""
        return {
            definition.name: name
            for name, section in cls.sections().items()
            for definition in dataclasses.fields(section)
        }

    def with_absolute_paths(self: C) -> C:
        """Returns the settings with absolute paths, which are valid in any working directory.

        A name that is no file, folder or pattern of files is not changed, because it may name
        something else.
        """
        return self._with_paths(lambda path: os.path.abspath(path) if _names_files(path) else "")

    def _with_paths(self: C, change: Callable[[str], str]) -> C:
        """Returns the settings with changed paths; a path whose change is empty stays."""
        changed = {}
        for name, section in self.sections().items():
            values = getattr(self, name)
            for definition in dataclasses.fields(section):
                value = getattr(values, definition.name)
                if definition.metadata["path"] and value is not None:
                    paths = listed_paths(value) if definition.metadata["several"] else [value]
                    changed[definition.name] = ",".join(
                        change(os.path.expanduser(path)) or path for path in paths
                    )
        return self.replace(**changed)

    def with_choices_of(self: C, other: Settings) -> C:
        """Returns the settings with the values that a run chose where these leave the choice."""
        chosen = {
            definition.name: getattr(getattr(other, name), definition.name)
            for name, section in self.sections().items()
            for definition in dataclasses.fields(section)
            if definition.metadata["chosen"]
            and getattr(getattr(self, name), definition.name) == definition.default
        }
        return self.replace(**chosen)

    def resumes(self, other: Settings) -> bool:
        """Returns whether a run with the other settings may continue with these."""
        return not self.differences(other)

    def differences(self, other: Settings) -> dict[str, tuple[Any, Any]]:
        """Maps the settings that hinder a run with the other ones to continue to both values.

        All settings must be equal except the operational ones; relative paths equal absolute ones.
        """
        ours, theirs = (settings._with_paths(os.path.abspath) for settings in (self, other))
        return {
            definition.name: values
            for name, section in self.sections().items()
            for definition in dataclasses.fields(section)
            if not definition.metadata["operational"]
            for values in [
                tuple(getattr(getattr(config, name), definition.name) for config in (ours, theirs))
            ]
            if values[0] != values[1]
        }


RENAMED = {"keep": "final_weights", "towers": "separate_directions", "halve": "pyramid"}
"""Settings that had other names before, by their former names; their flags too."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Returns a question that names the settings like an unknown one; empty if there are none.

    >>> suggestion("unit", ["units", "cell"]), suggestion("halve", ["pyramid"])
    ('; did you mean units?', '; did you mean pyramid?')

    Args:
        name: The unknown name.
        known: The names of the settings.
    """
    names = list(known)
    if RENAMED.get(name) in names:
        return f"; did you mean {RENAMED[name]}?"
    close = difflib.get_close_matches(name, names, cutoff=0.7)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _section_hint(name: str, homes: Mapping[str, str]) -> str:
    """Returns what to do about an unknown section that is a setting, or that there was once."""
    if name in homes:
        return f" `{name}` is a setting of section `{homes[name]}`."
    if name in ("training", "pretraining"):
        return (
            " Its settings are in batches, optimizer, schedule, regularization, start and runtime "
            "now; textrnn config explain NAME says which section a setting is in."
        )
    return ""


def listed_names(value: str | None) -> tuple[str, ...]:
    """Returns the names in a setting such as `toxic,insult`; none if it is not set."""
    return tuple(name.strip() for name in value.split(",")) if value else ()


def listed_paths(value: str) -> tuple[str, ...]:
    """Returns the paths in a setting that may name several, such as `a.csv,b.csv`.

    A file whose name contains the commas itself has precedence.
    """
    return (value,) if os.path.exists(os.path.expanduser(value)) else listed_names(value)


def _names_files(path: str) -> bool:
    """Returns whether a path exists, or is a pattern that a file matches."""
    return os.path.exists(path) or (glob.has_magic(path) and bool(glob.glob(path, recursive=True)))


def check_file(name: str, path: str | None) -> None:
    """Raises ConfigError if a path that is read more than once is standard input, `-`."""
    if path == "-":
        raise ConfigError(
            f"`{name}` is read more than once, so it must be a file, got - for stdin; write the "
            "texts to a file first."
        )


def _article(type_name: str) -> str:
    names = {"int": "an integer", "float": "a number", "str": "a text", "bool": "true or false"}
    return names.get(type_name, type_name)


def seconds(duration: str) -> float:
    """The length of a duration such as 90s, 30m or 2h.

    Raises:
        ConfigError: It is none, or it is not longer than 0.
    """
    try:
        length = float(humanfriendly.parse_timespan(duration))
    except humanfriendly.InvalidTimespan:
        length = 0.0
    if not length > 0.0:
        raise ConfigError(f"expected a duration such as 90s, 30m or 2h, got {duration!r}.")
    return length
