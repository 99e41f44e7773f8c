"""The page of a check: HTML that loads nothing from elsewhere."""

from __future__ import annotations

import importlib.metadata
from importlib.resources import files

import jinja2

from textrnn.analysis.data_check.check import DataCheck
from textrnn.runtime.text.unicode import valid_unicode

__all__ = ["check_page"]

TEMPLATE = "check.html.j2"

MOST_CLASSES = 200
"""The largest number of classes that are shown; of more, the largest and the smallest are."""

MOST_SUSPECTS = 500
"""The largest number of suspicious labels that are shown."""


def check_page(check: DataCheck) -> str:
    """Returns the page as HTML. Texts, labels and names are escaped, so that they are shown as is.

    Args:
        check: The results of the check.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": lambda share: f"{100 * share:.1f} %",
        "number": lambda value: f"{value:,.0f}" if value >= 100 else f"{value:,.4g}",
    }
    template = environment.from_string(
        files("textrnn.analysis.data_check").joinpath(TEMPLATE).read_text(encoding="utf-8")
    )
    classes = list(check.classes.items())
    hidden = max(0, len(classes) - MOST_CLASSES)
    if hidden:
        classes = [*classes[: MOST_CLASSES // 2], *classes[-MOST_CLASSES // 2 :]]
    suspects = [] if check.label_errors is None else list(check.label_errors.rows())
    page: str = template.render(
        check=check,
        names=[split.name for split in check.splits],
        classes=classes,
        hidden_classes=hidden,
        largest=max((sum(counts.values()) for counts in check.classes.values()), default=1),
        suspects=suspects[:MOST_SUSPECTS],
        version=importlib.metadata.version("textrnn"),
    )
    return valid_unicode(page)
