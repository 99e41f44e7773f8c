"""JSON lines (.jsonl, .ndjson): one object per line, whose keys are the columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from textrnn.data.columns import ABSENT, Record
from textrnn.data.formats.table import Request, Table, got_names
from textrnn.data.opening import open_text
from textrnn.messages.wording import counted

__all__ = ["open_json_lines"]


@contextmanager
def open_json_lines(path: Path, request: Request) -> Iterator[Table]:
    """Opens a file of JSON lines.

    A record has `ABSENT` for a key that its object lacks. To keep all columns, the file is read
    twice, because any object may have further keys.

    Args:
        path: The file.
        request: The keys that each object must have.

    Raises:
        DataError: The file is damaged.
        ConfigError: The encoding is unknown.
    """
    if request.keep:
        columns = request.known or _all_keys(path, request)
    else:
        text, *labels = request.columns
        columns = (text.name, *text.parts, *(label.name for label in labels))
    columns = tuple(dict.fromkeys(columns))
    with open_text(path, request.form.encoding, newline="\n") as lines:
        yield Table(columns, lambda: _records(lines, path, columns, request))


def _all_keys(path: Path, request: Request) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    with open_text(path, request.form.encoding, newline="\n") as lines:
        for line in lines:
            item = _parsed(line)
            if isinstance(item, dict):
                keys.update(dict.fromkeys(item))
    return tuple(keys)


def _records(
    lines: Iterator[str], path: Path, columns: tuple[str, ...], request: Request
) -> Iterator[Record]:
    blank = 0
    for number, line in enumerate(lines, start=1):
        if not line.removeprefix("\ufeff").strip():
            blank += 1
            continue
        origin, item = f"{path}:{number}", _parsed(line)
        problem = item if isinstance(item, str) else _missing_key(item, request)
        if isinstance(item, str) or (problem and not request.keep):
            yield Record(origin, problem=problem)
        else:
            cells = [item.get(column, ABSENT) for column in columns]
            yield Record(origin, cells, problem)
    if blank:
        request.notices.append(f"{path}: {counted(blank, 'blank line')} skipped.")


def _parsed(line: str) -> dict[str, object] | str:
    """Returns the object of a line, or what is wrong with the line."""
    try:
        item = json.loads(line.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        # `str(error)` would name line 1, because each line is parsed alone.
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        return f"expected a JSON object, got invalid JSON ({reason}); correct it"
    if not isinstance(item, dict):
        return f"expected a JSON object, got {type(item).__name__}; correct the line"
    return item


def _missing_key(item: Mapping[str, object], request: Request) -> str:
    """Returns what is wrong with an object that lacks a key; "" if it has all."""
    for column in request.columns:
        # Of several texts, those that are there are joined.
        if column.name not in item and not any(part in item for part in column.parts):
            return (
                f"expected the key {column.name!r}, got {got_names(column.name, item)}; set "
                f"`{column.setting}` or add it"
            )
    return ""
