"""The things that a check of a data set finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["MOST_ROWS", "SEVERITIES", "Finding", "Severity", "most_severe_first"]

Severity = Literal["error", "warning", "info"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""All severities, the most severe first."""

MOST_ROWS = 10
"""The largest number of rows that a finding names."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check has found.

    >>> found = Finding("blank_texts", "warning", "train", "1 text is blank.", rows=(7,))
    >>> found.to_dict()["rows"]
    [7]

    Attributes:
        kind: A short identifier, such as `blank_texts`.
        severity: `error`: a training stops, or its figures are wrong. `warning`: the model or its
            figures suffer. `info`: worth knowing.
        split: `train`, `validation` or `test`, to which the rows belong; "" if it is none of them.
        message: One sentence that says what was found.
        advice: One sentence that says what to do; "" if there is nothing to do.
        rows: The numbers of some of the rows, at most `MOST_ROWS`. The first row after the header
            is row 1.
        count: The number of all rows, or of whatever the message counts.
    """

    kind: str
    severity: Severity
    split: str
    message: str
    advice: str = ""
    rows: Sequence[int] = ()
    count: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows)[:MOST_ROWS])

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {**asdict(self), "rows": list(self.rows)}


def most_severe_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Returns the findings by severity; those of one severity keep their order."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))
