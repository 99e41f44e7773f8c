"""Parses label cells, in the forms that people and programs write.

A single label is the cell itself. Several labels of one text may be written as

    a,b                     names with `label_separator` between them
    ['a', 'b']  ["a", "b"]  a list as Python, pandas or JSON write it, a tuple, a set
    ['a' 'b']               an array as NumPy writes it
    {"a": 1, "b": 0}        a dictionary of 0 and 1, in JSON or Python
    0,1,0  [0, 1, 0]        a 0 or 1 for each of `label_names`
    one column per class    of 0 and 1; `label_columns` names the columns

Two spellings that a reader cannot tell apart are one label. They may differ in Unicode's composed
and decomposed forms, in invisible characters, in kinds and runs of spaces, or as `1` and `1.0`.
"""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import listed_names
from textrnn.data.encodings import encoding_remedy
from textrnn.messages.wording import listed

__all__ = [
    "EncodingError",
    "LabelReader",
    "RowError",
    "UnknownLabelError",
    "as_json",
    "check_unicode",
    "label_key",
]

_MISSING = {"nan", "<na>", "nat"}
"""The spellings of a missing value in pandas and NumPy."""

_WHOLE_NUMBER = re.compile(r"\+?(-?\d+)(?:\.0+)?")
_NUMPY_ITEM = re.compile(r"""'([^']*)'|"([^"]*)"|([^\s'"\[\],]+)""")
_NUMPY_LIST = re.compile(r"""\[\s*(?:(?:'[^']*'|"[^"]*"|[-+.\d]+|True|False)\s*)+\]""")
_WRAPPED = re.compile(r"(?s)(?:array|frozenset|set)\((.*?)(?:,\s*dtype=[\w.']+)?\)")
_MOST_SHOWN = 10
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_FLAGS = {
    **dict.fromkeys(("1", "1.0", "true", "yes"), True),
    **dict.fromkeys(("0", "0.0", "false", "no", ""), False),
}
_INVISIBLE = {"Cf", "Cc"}
"""Unicode's categories of invisible characters: formats and controls."""

_JOINERS = "\u200c\u200d"
"""Invisible characters that change a word: they join letters of Persian, and emoji."""


class RowError(Exception):
    """A row that cannot be used; the message says what is wrong and what to do."""


class EncodingError(RowError):
    """A row with bytes that are no text in the encoding of its file."""


class UnknownLabelError(RowError):
    """A row with a label that the training data does not have."""


class LabelReader:
    """Reads label cells.

    >>> reader = LabelReader(ClassifierRunConfig.of(multi_label=True))
    >>> reader.read("sport, news"), reader.read('["news"]')
    (('sport', 'news'), ('news',))

    Args:
        config: Says how labels are written.
        known: The labels allowed; None allows any.

    Attributes:
        spellings: The spellings of each label so far; a run of spaces counts as one space.
    """

    def __init__(self, config: ClassifierRunConfig, known: Collection[str] | None = None) -> None:
        self._config = config
        self._known = None if known is None else {label_key(name): name for name in known}
        self._names = listed_names(config.task.label_names)
        self._columns = listed_names(config.task.label_columns)
        self._cache: dict[str, tuple[str, ...]] = {}
        self.spellings: dict[str, set[str]] = {}

    def read(self, value: object, *, origin: str = "") -> tuple[str, ...]:
        """Returns the label names of a cell.

        Args:
            value: The cell.
            origin: Where the cell is, such as the path and line of a file, for messages.

        Raises:
            RowError: The cell has none of the forms, or holds a label that is not allowed.
        """
        if isinstance(value, str):
            if value in self._cache:
                return self._cache[value]
            check_unicode(value, self._config.data.encoding, origin=origin)
        labels = tuple(dict.fromkeys(map(self._known_name, self._parse(value))))
        if not self._config.task.multi_label and len(labels) != 1:
            if not labels:
                raise RowError("expected a label, got none; fill it in")
            raise RowError(f"expected one label, got {', '.join(labels)}; set `multi_label=True`")
        if isinstance(value, str):
            self._cache[value] = labels
        return labels

    def _parse(self, value: object) -> list[str]:
        if self._columns:
            return self._names_of_flags(value)
        items = _as_list(value) if self._reads_lists(value) else None
        if self._config.task.multi_label or self._names:
            return self._several_names(value, items)
        if items is not None:
            raise RowError(f"expected one label, got {as_json(value)}; set `multi_label=True`")
        return self._all_names([value])

    def _reads_lists(self, value: object) -> bool:
        """Returns whether a value that looks like a list is no name with brackets."""
        return (
            self._config.task.multi_label
            or self._config.task.check_labels
            or not isinstance(value, str)
        )

    def _several_names(self, value: object, items: list[object] | None) -> list[str]:
        if items is None and isinstance(value, str) and not self._names:
            text = value.strip()
            if text[:1] in _BRACKETS and text.endswith(_BRACKETS[text[0]]):
                raise RowError(
                    f"expected labels with {self._config.task.label_separator!r} between them or a "
                    f'list such as ["a", "b"], got {as_json(value)}; write it in one of these forms'
                )
        if items is None:
            items = self._split(value)
        if self._names:
            return self._names_at_positions(value, items)
        return self._all_names(items)

    def _split(self, value: object) -> list[object]:
        if not isinstance(value, str):
            return [] if value is None else [value]
        if self._names and re.fullmatch(r"[01]+", value.strip()):
            return list(value.strip())
        if self._names:
            return [part for part in re.split(r"[\s,;|]+", value.strip()) if part]
        return list(value.split(self._config.task.label_separator))

    def _names_at_positions(self, value: object, items: list[object]) -> list[str]:
        """Returns the label names at the positions of a vector that hold 1."""
        if len(items) != len(self._names):
            raise RowError(
                f"expected {len(self._names)} numbers of 0 and 1, one for each of `label_names`, "
                f"got {as_json(value)}; correct it or `label_names`"
            )
        return [name for name, item in zip(self._names, items, strict=True) if _flag(item, name)]

    def _names_of_flags(self, value: object) -> list[str]:
        """Returns the names of the columns that hold 1."""
        cells = value if isinstance(value, Mapping) else {self._columns[0]: value}
        return [name for name in self._columns if _flag(cells.get(name), name)]

    def _all_names(self, items: Sequence[object]) -> list[str]:
        names = [self._name(item) for item in items]
        return [name for name in names if name]

    def _name(self, value: object) -> str:
        """Returns the name of a label, or "" for a missing label."""
        if value is None:
            return ""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int):  # This includes True and False, written as in JSON.
            return json.dumps(value)
        if isinstance(value, float) and value != value:
            value = "nan"
        if not isinstance(value, str):
            raise RowError(
                "expected a string, an integer or a boolean as label, got "
                f"{as_json(value)}; correct it"
            )
        name = value.strip()
        if len(name) > 2 and name[0] == name[-1] == '"':  # The cell has a space before the quote.
            name = name[1:-1].replace('""', '"').strip()
        check_unicode(name, self._config.data.encoding)
        # A run folder stores the label names one per line.
        if len(name.splitlines()) > 1 or "\0" in name:
            raise RowError(f"expected a label on one line, got {name!r}; check the quotes")
        if name.casefold() in _MISSING and self._config.task.check_labels:
            if self._config.task.multi_label:
                return ""
            raise RowError(f"expected a label, got {name}, which means a missing value; fill it in")
        cleaned = _cleaned(name)
        self.spellings.setdefault(cleaned, set()).add(" ".join(name.split()))
        return cleaned

    def _known_name(self, name: str) -> str:
        """Returns the allowed label that looks like this name."""
        if self._known is None:
            return name
        known_name = self._known.get(label_key(name))
        if known_name is None:
            escaped = "" if name.isascii() else f" ({name!a})"
            known = listed(list(self._known.values()), _MOST_SHOWN)
            raise UnknownLabelError(
                f"expected a label of the training data ({known}), got {name!r}{escaped}; correct "
                "it or train on texts with that label"
            )
        return known_name


def label_key(name: str) -> str:
    """Returns a key that is the same for all spellings that a reader cannot tell apart.

    >>> label_key("1.0"), label_key(" new  york ")
    ('1', 'new york')
    """
    key = "".join(c for c in _cleaned(name) if c not in _JOINERS)
    number = _WHOLE_NUMBER.fullmatch(key)
    if number is None:
        return key
    return "0" if number[1] == "-0" else number[1]


def _cleaned(name: str) -> str:
    """Returns a name in composed form, without invisible characters and runs of spaces."""
    if name.isascii():
        return " ".join(name.split())
    visible = (
        c for c in name if c in _JOINERS or c.isspace() or unicodedata.category(c) not in _INVISIBLE
    )
    return " ".join(unicodedata.normalize("NFC", "".join(visible)).split())


def _as_list(value: object) -> list[object] | None:
    """Returns the items of a list in any of its forms, or None if the value is not a list."""
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
    """Returns the list, tuple, set or dictionary that a text is the source code of, or None."""
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped:
        text = wrapped[1] or "[]"
    if text[:1] not in _BRACKETS or text[-1:] != _BRACKETS[text[0]]:
        return None
    parsed: Any = None
    for parse in (json.loads, ast.literal_eval):
        try:
            parsed = parse(text)
            break
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    if (parsed is None or _joined_strings(text, parsed)) and _NUMPY_LIST.fullmatch(text):
        return [next(filter(None, item), "") for item in _NUMPY_ITEM.findall(text[1:-1])]
    return parsed if isinstance(parsed, list | tuple | set | dict) else None


def _joined_strings(text: str, parsed: object) -> bool:
    """Returns whether Python read NumPy's `['a' 'b']` as one string, `ab`."""
    return isinstance(parsed, list) and len(parsed) == 1 and text.count("'") + text.count('"') > 2


def _flag(value: object, name: str) -> bool:
    text = json.dumps(value) if isinstance(value, bool | int | float) else value
    text = "" if text is None else text
    if not isinstance(text, str) or text.strip().lower() not in _FLAGS:
        raise RowError(f"expected 0 or 1 for the label {name!r}, got {as_json(value)}; correct it")
    return _FLAGS[text.strip().lower()]


def check_unicode(text: str, encoding: str, *, origin: str = "") -> None:
    """Raises RowError if a text has lone surrogates, which stand for bytes of another encoding.

    Args:
        text: The text.
        encoding: The encoding of its file.
        origin: The path of the file, perhaps with the number of a line, by which the message names
            the probable encoding.
    """
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        if 0xDC80 <= code <= 0xDCFF:
            raise EncodingError(
                f"expected {encoding} text, got the byte 0x{code - 0xDC00:02x}; "
                + encoding_remedy(origin, encoding=encoding)
            ) from None
        raise RowError(
            f"expected Unicode text, got the lone surrogate U+{code:04X}; correct the text"
        ) from None


def as_json(value: object) -> str:
    """Returns a value as JSON, shortened to 40 characters."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 40 else text[:37] + "..."
