"""The flags of the library's settings and arguments, whose names its messages contain.

The library knows nothing of flags: it says `overwrite`, `text_column` or `check_labels=False`.
"""

from __future__ import annotations

import ast
import functools
import re
import shlex
from collections.abc import Mapping

import click

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.section import RENAMED
from textrnn.errors import ConfigError, DataError

__all__ = ["OTHER_FLAGS", "flags_in_message", "flags_of", "renamed_flag", "with_flags"]

OTHER_FLAGS = {"imports": "--import", "teachers": "--teacher"}
"""The flags of settings that are not called like their setting; they may be repeated."""

_ARGUMENTS = re.compile("`(output|resume|resume_or_start|overwrite)`")
"""The arguments of the training functions that are options, but no settings."""
_WITH_VALUE = re.compile("`([a-z_]+)=([^`]+)`")
_SETTING = re.compile("`([a-z_]+)(?:=([^`]+))?`")
"""A setting, perhaps with the value that it should get."""
_IN_SETTINGS_FILE = re.compile(r"[^`]*\.ya?ml(:\d+)?: ")
"""The start of a message about a file of settings, which has no flags."""
_SET_VALUE = re.compile(r"\bset (?=`[a-z_]+=)")
_SET = re.compile(r"\bset (?=`[a-z_]+[=`])")
""""set" before a setting: a flag is passed."""


@functools.cache
def _settings() -> frozenset[str]:
    """Returns the names of all settings that are options."""
    kinds = (ClassifierRunConfig, LanguageModelRunConfig)
    return frozenset(name for kind in kinds for name in kind.section_of())


def flags_in_message(message: str) -> str:
    """Returns a message about data with flags in place of the names of settings.

    >>> flags_in_message("check `label_column`, or set `check_labels=False`.")
    'check --label-column, or pass --no-check-labels.'
    >>> flags_in_message("a.csv has no `title`; set `label_separator=';'`.")
    "a.csv has no `title`; pass --label-separator ';'."
    """
    return _SETTING.sub(_flag, _SET.sub("pass ", message))


def _flag(setting: re.Match[str]) -> str:
    name, value = setting[1], setting[2]
    if name not in _settings():
        return setting[0]
    flag = OTHER_FLAGS.get(name, f"--{name.replace('_', '-')}")
    if value is None or value == "True":
        return flag
    if value == "False":
        return f"--no-{flag[2:]}"
    try:
        return f"{flag} {shlex.quote(str(ast.literal_eval(value)))}"
    except (SyntaxError, ValueError):
        return f"{flag} {value}"


def flags_of(command: click.Command) -> dict[str, str]:
    """Returns the flags of a command by the names that the library has for them.

    >>> @click.command()
    ... @click.option("--max-texts", "limit")
    ... def serve(limit): ...
    >>> flags_of(serve)
    {'max_texts': '--max-texts'}
    """
    return {
        name[2:].replace("-", "_"): param.opts[0]
        for param in command.params
        if isinstance(param, click.Option)
        for name in param.opts
        if name.startswith("--")
    }


def with_flags(error: Exception, flags: Mapping[str, str] | None = None) -> str:
    """Returns the text of an error in one line, with flags where the library names arguments.

    >>> with_flags(ConfigError("exists; choose another `output`, or replace it by `overwrite`."))
    'exists; choose another --output, or replace it by --overwrite.'
    >>> with_flags(ConfigError("`units` must be at least 1."), {"units": "--units"})
    '--units must be at least 1.'

    Args:
        error: The error.
        flags: The flags of the command that failed, as `flags_of` returns them. A message about
            settings names those, and keeps the names of other settings.
    """
    message = " ".join(str(error).split())
    message = _ARGUMENTS.sub(lambda found: f"--{found[1].replace('_', '-')}", message)
    if isinstance(error, DataError):
        return flags_in_message(message)
    message = _WITH_VALUE.sub(_flag, _SET_VALUE.sub("pass ", message))
    if not isinstance(error, ConfigError):
        return message
    if flags and not _IN_SETTINGS_FILE.match(message):
        names = re.compile(f"(\\bset )?`({'|'.join(flags)})`")
        message = names.sub(
            lambda found: f"{'pass ' if found[1] else ''}{flags[found[2]]}", message
        )
    for name, flag in OTHER_FLAGS.items():
        message = message.replace(f"`{name}`", f"`{name}` ({flag})")
    return message


def renamed_flag(flag: str) -> str:
    """Returns the present name of a flag of an earlier version; empty if it was not renamed.

    >>> renamed_flag("--no-towers"), renamed_flag("--units")
    ('--no-separate-directions', '')
    """
    negation = "--no-" if flag.startswith("--no-") else "--"
    name = flag.removeprefix(negation).replace("-", "_")
    return negation + RENAMED[name].replace("_", "-") if name in RENAMED else ""
