"""A group of options whose values reach a command as one object."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

__all__ = ["OptionGroup"]

F = TypeVar("F", bound=Callable[..., Any])


class OptionGroup:
    """A decorator that adds options to a command and passes their values as one dataclass.

    >>> import click
    >>> @dataclasses.dataclass(frozen=True)
    ... class Size:
    ...     width: int
    ...     height: int
    >>> size_options = OptionGroup(
    ...     Size, click.option("--width", default=1), click.option("--height", default=2)
    ... )
    >>> @click.command()
    ... @size_options
    ... def area(size: Size) -> None:
    ...     click.echo(size.width * size.height)
    >>> area(["--width", "3"], standalone_mode=False)
    6

    Args:
        kind: The dataclass. Each field has the name of one option's parameter.
        *options: Results of `click.option` or `click.argument`, in the order of the help.
        name: Name of the command's parameter that receives the dataclass; by default the name of
            the class in lower case.
    """

    def __init__(
        self, kind: type[Any], *options: Callable[[Any], Any], name: str | None = None
    ) -> None:
        self._kind = kind
        self._options = options
        self._name = name or kind.__name__.lower()

    def __call__(self, command: F) -> F:
        """Returns the command with the options of the group."""
        fields = [field.name for field in dataclasses.fields(self._kind)]

        @functools.wraps(command)
        def call(*arguments: Any, **values: Any) -> Any:
            group = self._kind(**{field: values.pop(field) for field in fields})
            return command(*arguments, **{self._name: group}, **values)

        for option in reversed(self._options):
            option(call)
        return cast(F, call)
