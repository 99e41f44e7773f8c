"""The flags of the library's settings and arguments, whose names its errors contain.

The library knows nothing of flags: it says `final_weights` or `overwrite`.
"""

from __future__ import annotations

import re

from textrnn.config.section import RENAMED
from textrnn.errors import ConfigError

__all__ = ["OTHER_FLAGS", "renamed_flag", "with_flags"]

OTHER_FLAGS = {"imports": "--import", "teachers": "--teacher"}
"""The flags of settings that are not called like their setting; they may be repeated."""

_ARGUMENTS = re.compile("`(output|resume|resume_or_start|overwrite)`")
"""The arguments of the training functions that are options, but no settings."""


def with_flags(error: Exception) -> str:
    """Returns the text of an error in one line, with flags where the library names arguments.

    >>> with_flags(ConfigError("exists; choose another `output`, or replace it by `overwrite`."))
    'exists; choose another --output, or replace it by --overwrite.'
    """
    message = " ".join(str(error).split())
    message = _ARGUMENTS.sub(lambda found: f"--{found[1].replace('_', '-')}", message)
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
