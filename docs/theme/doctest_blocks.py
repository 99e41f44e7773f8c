"""Puts the examples of docstrings (`>>>`, and `Example:`) into blocks of code for Markdown."""

import inspect
import re
from typing import Any

import griffe

_SESSION = re.compile(r"^(?:>>> .*\n?)(?:.+\n?)*", re.MULTILINE)
"""A line that begins with `>>>`, and all lines up to the next blank one."""
_EXAMPLE = re.compile(r"^Example:\n((?:    .*(?:\n|\Z)|\n)+)", re.MULTILINE)
"""The section of an example, which is code."""


def fenced(text: str) -> str:
    """Returns a docstring whose examples are fenced."""
    text = _EXAMPLE.sub(lambda found: f"```python\n{inspect.cleandoc(found[1])}\n```\n\n", text)
    return _SESSION.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text)


class DoctestBlocks(griffe.Extension):
    """Fences the examples of every docstring that is read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Changes the docstring of an object, if it has one."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)
