"""The time of a row: a date, a date with a time of day, or a number."""

from __future__ import annotations

import datetime
import math
import re

from textrnn.data.labels import RowError, as_json

__all__ = ["TimeReader"]

_YEAR_FIRST = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})")
_EXAMPLES = "2024-05-31, 2024-05-31T18:30:00 or a number"


class TimeReader:
    """Reads the cells of a column of times, which are all dates or all numbers.

    >>> reader = TimeReader()
    >>> reader.read("2024-05-31") < reader.read("2024-05-31T00:01:00Z")
    True

    A date without a zone is one of UTC. Dates are those of ISO 8601, because 05/06/2024 may be in
    May or in June.
    """

    def __init__(self) -> None:
        self._kind = ""

    def read(self, value: object) -> float:
        """Returns a number that grows with time: the seconds since 1970, or the number itself.

        Raises:
            RowError: The cell is empty, no date, or a number among dates.
        """
        kind, number = _parsed(value)
        if self._kind and kind != self._kind:
            raise RowError(
                f"expected a {self._kind} as time, as in the rows before, got {as_json(value)}; "
                "write all times alike"
            )
        self._kind = kind
        return number


def _parsed(value: object) -> tuple[str, float]:
    """Returns `date` or `number`, and the number of the time."""
    if isinstance(value, datetime.datetime):
        return "date", _seconds(value)
    if isinstance(value, datetime.date):
        return "date", _seconds(datetime.datetime(value.year, value.month, value.day))
    text = "" if value is None else str(value).strip()
    if isinstance(value, bool) or not text:
        raise RowError(f"expected a time such as {_EXAMPLES}, got {as_json(value)}; fill it in")
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if math.isfinite(number):
            return "number", number
    year_first = _YEAR_FIRST.match(text)
    if year_first:
        year, month, day = map(int, year_first.groups())
        text = f"{year:04}-{month:02}-{day:02}{text[year_first.end() :]}"
    try:
        moment = datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
        return "date", _seconds(moment)
    except (ValueError, OverflowError):
        raise RowError(
            f"expected a time such as {_EXAMPLES}, got {as_json(value)}; write the dates so"
        ) from None


def _seconds(moment: datetime.datetime) -> float:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment.timestamp()
