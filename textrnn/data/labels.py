"""From a label cell to label names: the forms in which people and programs write them.

A single label is the cell itself. Several labels of one text are read from

    a,b                     names with `label_separator` between them
    ['a', 'b']  ["a", "b"]  a list as Python, pandas or JSON write it, a tuple, a set
    ['a' 'b']               an array as NumPy writes it
    {"a": 1, "b": 0}        a dictionary of 0 and 1, in JSON or Python
    0,1,0  [0, 1, 0]        a 0 or 1 for each of `label_names`
    one column a class      of 0 and 1, named by `label_columns`

Two spellings that differ in nothing a reader can see are one label: Unicode's composed and
decomposed forms, invisible characters, kinds and runs of spaces, `1` and `1.0`.
"""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import listed_names

__all__ = ["BadRow", "LabelReader", "check_unicode", "label_key", "shown"]

_MISSING = {"nan", "<na>", "nat"}
"""What pandas and NumPy write for a value that is missing."""

_WHOLE_NUMBER = re.compile(r"\+?(-?\d+)(?:\.0+)?")
_NUMPY_ITEM = re.compile(r"""'([^']*)'|"([^"]*)"|([^\s'"\[\],]+)""")
_NUMPY_LIST = re.compile(r"""\[\s*(?:(?:'[^']*'|"[^"]*"|[-+.\d]+|True|False)\s*)+\]""")
_WRAPPED = re.compile(r"(?s)(?:array|frozenset|set)\((.*?)(?:,\s*dtype=[\w.']+)?\)")
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_FLAGS = {
    **dict.fromkeys(("1", "1.0", "true", "yes"), True),
    **dict.fromkeys(("0", "0.0", "false", "no", ""), False),
}
_UNSEEN = {"Cf", "Cc"}
"""Unicode's categories of characters without a shape: formats and controls."""

_JOINERS = "\u200c\u200d"
"""Invisible too, but letters of Persian and of emoji join by them."""


class BadRow(Exception):
    """A row that cannot be used; the message says why, and what to do."""


class LabelReader:
    """Reads label cells.

    Args:
        config: Says how labels are written.
        known: The only labels allowed; None allows any.

    Attributes:
        spelt: How each label was written, but for runs of spaces.
    """

    def __init__(self, config: ClassifierRunConfig, known: Collection[str] | None = None) -> None:
        self._config = config
        self._known = None if known is None else {label_key(name): name for name in known}
        self._names = listed_names(config.task.label_names)
        self._columns = listed_names(config.task.label_columns)
        self._cache: dict[str, tuple[str, ...]] = {}
        self.spelt: dict[str, set[str]] = {}

    def read(self, value: object) -> tuple[str, ...]:
        """The label names of a cell.

        Raises:
            BadRow: The cell is in none of the forms, or holds a label that is not known.
        """
        if isinstance(value, str) and value in self._cache:
            return self._cache[value]
        labels = tuple(dict.fromkeys(map(self._checked, self._parse(value))))
        if not self._config.task.multi_label and len(labels) != 1:
            if not labels:
                raise BadRow("expected a label, got none; fill it in")
            raise BadRow(f"expected one label, got {', '.join(labels)}; pass --multi-label")
        if isinstance(value, str):
            self._cache[value] = labels
        return labels

    def _parse(self, value: object) -> list[str]:
        if self._columns:
            return self._flagged(value)
        items = _as_list(value) if self._reads_lists(value) else None
        if self._config.task.multi_label or self._names:
            return self._several(value, items)
        if items is not None:
            raise BadRow(f"expected one label, got {shown(value)}; pass --multi-label")
        return self._named([value])

    def _reads_lists(self, value: object) -> bool:
        """Whether a value that looks like a list is one, rather than a name with brackets."""
        return (
            self._config.task.multi_label
            or self._config.task.check_labels
            or not isinstance(value, str)
        )

    def _several(self, value: object, items: list[object] | None) -> list[str]:
        if items is None and isinstance(value, str) and not self._names:
            text = value.strip()
            if text[:1] in _BRACKETS and text.endswith(_BRACKETS[text[0]]):
                raise BadRow(
                    f"expected labels with {self._config.task.label_separator!r} between them or a list "
                    f'such as ["a", "b"], got {shown(value)}; write it in one of these forms'
                )
        if items is None:
            items = self._split(value)
        if self._names:
            return self._positions(value, items)
        return self._named(items)

    def _split(self, value: object) -> list[object]:
        if not isinstance(value, str):
            return [] if value is None else [value]
        if self._names and re.fullmatch(r"[01]+", value.strip()):
            return list(value.strip())
        if self._names:
            return [part for part in re.split(r"[\s,;|]+", value.strip()) if part]
        return list(value.split(self._config.task.label_separator))

    def _positions(self, value: object, items: list[object]) -> list[str]:
        """The names at the places of a vector that hold 1."""
        if len(items) != len(self._names):
            raise BadRow(
                f"expected {len(self._names)} numbers of 0 and 1, one for each of `label_names`, "
                f"got {shown(value)}; correct it or --label-names"
            )
        return [name for name, item in zip(self._names, items, strict=True) if _flag(item, name)]

    def _flagged(self, value: object) -> list[str]:
        """The names of the columns that hold 1."""
        cells = value if isinstance(value, Mapping) else {self._columns[0]: value}
        return [name for name in self._columns if _flag(cells.get(name), name)]

    def _named(self, items: Sequence[object]) -> list[str]:
        names = [self._name(item) for item in items]
        return [name for name in names if name]

    def _name(self, value: object) -> str:
        """A label's name, empty for a missing one."""
        if value is None:
            return ""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int):  # True and False too, written as JSON writes them.
            return json.dumps(value)
        if isinstance(value, float) and value != value:
            value = "nan"
        if not isinstance(value, str):
            raise BadRow(
                "expected a string, an integer or a boolean as label, got "
                f"{shown(value)}; correct it"
            )
        name = value.strip()
        if len(name) > 2 and name[0] == name[-1] == '"':  # A space stood before the quote.
            name = name[1:-1].replace('""', '"').strip()
        check_unicode(name, self._config.data.encoding)
        # A run keeps its label names one a line.
        if len(name.splitlines()) > 1 or "\0" in name:
            raise BadRow(f"expected a label on one line, got {name!r}; check the quotes")
        if name.casefold() in _MISSING and self._config.task.check_labels:
            if self._config.task.multi_label:
                return ""
            raise BadRow(
                f"expected a label, got {name}, which stands for a missing one; fill it in"
            )
        cleaned = _cleaned(name)
        self.spelt.setdefault(cleaned, set()).add(" ".join(name.split()))
        return cleaned

    def _checked(self, name: str) -> str:
        """The known label of this name."""
        if self._known is None:
            return name
        found = self._known.get(label_key(name))
        if found is None:
            spelt = "" if name.isascii() else f" ({name!a})"
            raise BadRow(
                f"expected a label of the training data ({_listed(self._known.values())}), got "
                f"{name!r}{spelt}; correct it or train on texts with that label"
            )
        return found


def label_key(name: str) -> str:
    """What two spellings of a label share that a reader cannot tell apart."""
    key = "".join(c for c in _cleaned(name) if c not in _JOINERS)
    number = _WHOLE_NUMBER.fullmatch(key)
    if number is None:
        return key
    return "0" if number[1] == "-0" else number[1]


def _cleaned(name: str) -> str:
    """A name in Unicode's composed form, without invisible characters and runs of spaces."""
    if name.isascii():
        return " ".join(name.split())
    visible = (
        c for c in name if c in _JOINERS or c.isspace() or unicodedata.category(c) not in _UNSEEN
    )
    return " ".join(unicodedata.normalize("NFC", "".join(visible)).split())


def _as_list(value: object) -> list[object] | None:
    """The items of a list in any of its spellings; None if the value is no list."""
    if isinstance(value, str):
        value = _literal(value.strip())
    if isinstance(value, Mapping):
        return [name for name, flag in value.items() if _flag(flag, str(name))]
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return None


def _literal(text: str) -> Any:
    """The list, tuple, set or dictionary that a text spells; None if it spells none."""
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped:
        text = wrapped[1] or "[]"
    if text[:1] not in _BRACKETS or text[-1:] != _BRACKETS[text[0]]:
        return None
    found: Any = None
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text)
            break
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    joined = found is None or _joined_strings(text, found)
    if joined and _NUMPY_LIST.fullmatch(text):
        return [next(filter(None, item), "") for item in _NUMPY_ITEM.findall(text[1:-1])]
    return found if isinstance(found, list | tuple | set | dict) else None


def _joined_strings(text: str, found: object) -> bool:
    """Whether Python read NumPy's `['a' 'b']` as one string, `ab`."""
    return isinstance(found, list) and len(found) == 1 and text.count("'") + text.count('"') > 2


def _flag(value: object, name: str) -> bool:
    text = json.dumps(value) if isinstance(value, bool | int | float) else value
    text = "" if text is None else text
    if not isinstance(text, str) or text.strip().lower() not in _FLAGS:
        raise BadRow(f"expected 0 or 1 for the label {name!r}, got {shown(value)}; correct it")
    return _FLAGS[text.strip().lower()]


def _listed(names: Collection[str]) -> str:
    return ", ".join(list(names)[:10]) + (", ..." if len(names) > 10 else "")


def check_unicode(text: str, encoding: str) -> None:
    """Raises BadRow if a text holds lone surrogates: bytes that do not fit the encoding."""
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        if 0xDC80 <= code <= 0xDCFF:
            raise BadRow(
                f"expected {encoding} text, got the byte 0x{code - 0xDC00:02x}; save the file as "
                f"{encoding} or pass its --encoding"
            ) from None
        raise BadRow(
            f"expected Unicode text, got the lone surrogate U+{code:04X}; correct the text"
        ) from None


def shown(value: object) -> str:
    """A value as JSON has it, cut to a few characters."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 40 else text[:37] + "..."
