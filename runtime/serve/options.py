"""The options of the command line, by the settings of the server whose names messages contain."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from .settings import fields_with_section

__all__ = ["option_of", "with_options"]

_SETTING = re.compile(r"`([a-z_]+)`")


def option_of(setting: dataclasses.Field[Any]) -> str:
    """Returns the option of a setting; a list is an option that may be repeated.

    Args:
        setting: A field of a section of `ServeSettings`.
    """
    is_list = isinstance(setting.default, tuple)
    name = setting.name.removesuffix("s") if is_list else setting.name
    return f"--{name.replace('_', '-')}"


def with_options(message: str) -> str:
    """Returns a message with options in place of the names of settings.

    >>> with_options("choose another `port` or `host`; `text` stays.")
    'choose another --port or --host; `text` stays.'

    Args:
        message: A message that names settings in backticks.
    """
    options = {setting.name: option_of(setting) for _, setting in fields_with_section()}
    return _SETTING.sub(lambda found: options.get(found[1], found[0]), message)
