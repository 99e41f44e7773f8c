"""The flags of the library's settings and arguments, whose names its messages contain.

The library knows nothing of flags: it says `overwrite`, `text_column` or `check_labels=False`.
"""

from __future__ import annotations

import ast
import functools
import re
import shlex

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.section import RENAMED
from textrnn.errors import ConfigError, DataError

__all__ = ["OTHER_FLAGS", "flags_in_message", "renamed_flag", "with_flags"]

OTHER_FLAGS = {"imports": "--import", "teachers": "--teacher"}
"""The flags of settings that are not called like their setting; they may be repeated."""

_ARGUMENTS = re.compile("`(output|resume|resume_or_start|overwrite)`")
"""The arguments of the training functions that are options, but no settings."""
_WITH_VALUE = re.compile("`([a-z_]+)=([^`]+)`")
_SETTING = re.compile("`([a-z_]+)(?:=([^`]+))?`")
"""A setting, perhaps with the value that it should get."""
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


def with_flags(error: Exception) -> str:
    """Returns the text of an error in one line, with flags where the library names arguments.

    >>> with_flags(ConfigError("exists; choose another `output`, or replace it by `overwrite`."))
    'exists; choose another --output, or replace it by --overwrite.'
    """
    message = " ".join(str(error).split())
    message = _ARGUMENTS.sub(lambda found: f"--{found[1].replace('_', '-')}", message)
    if isinstance(error, DataError):
        return flags_in_message(message)
    message = _WITH_VALUE.sub(_flag, _SET_VALUE.sub("pass ", message))
    if isinstance(error, ConfigError):
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
