"""Puts the examples of docstrings (`>>>`) into blocks of code, as Markdown needs it."""

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^(?:>>> .*\n?)(?:.+\n?)*", re.MULTILINE)
"""A line that begins with `>>>`, and all lines up to the next blank one."""


def fenced(text: str) -> str:
    """Returns a docstring whose examples are fenced."""
    return _EXAMPLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text)


class DoctestBlocks(griffe.Extension):
    """Fences the examples of every docstring that is read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Changes the docstring of an object, if it has one."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)
