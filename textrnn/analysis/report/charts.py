"""Pictures for a page: SVG whose colours are the page's, so that they suit light and dark."""

from __future__ import annotations

import html
import io
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from textrnn.inference.calibration import CALIBRATION_BINS, Reliability
from textrnn.messages.shown import one_line
from textrnn.pictures import make_plain, without_warnings

__all__ = ["Line", "line_chart", "reliability_chart", "stairs_chart"]

SIZE = (4.4, 3.0)
"""In inches: not wider than a phone, so that the letters stay legible on one."""

FLOOR = 1e-6
"""Of a logarithmic axis."""

INK = "#0a0b0c"
SERIES = tuple(f"#c0000{i}" for i in range(1, 7))
"""What stands for the page's colours in the drawing: `currentColor`, and `--c1` to `--c6`."""

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # Letters stay letters: small, and the page's own font.
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "axes.prop_cycle": matplotlib.cycler(color=SERIES),  # type: ignore[attr-defined]
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
}
_METADATA = ("Creator", "Date", "Format", "Type")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Line:
    """A curve.

    Attributes:
        name: In the legend.
        x: Its places, `[N]`.
        y: Its values, `[N]`.
        low: Lower ends of intervals, `[N]`; None: without.
        high: Their upper ends.
        faint: Whether to draw it broken, as what the others are compared with.
        colour: Which of the page's colours, from 0; None: the next one.
    """

    name: str
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    faint: bool = False
    colour: int | None = None


def line_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x: str,
    y: str,
    markers: bool = False,
    log_y: bool = False,
    ticks: Sequence[str] | None = None,
) -> str:
    """Curves over one pair of axes, as SVG.

    Args:
        lines: The curves.
        title: What the picture shows, for those who cannot see it.
        x: Name of the horizontal axis.
        y: Name of the vertical one.
        markers: Whether each value has a mark.
        log_y: Whether the vertical axis is logarithmic, where the values are of several scales;
            those below `FLOOR` are left out.
        ticks: Names of the places 0, 1, ... instead of numbers.
    """
    with matplotlib.rc_context(SETTINGS):
        figure, axes = _axes(x, y)
        for i, line in enumerate(lines):
            colour = SERIES[(i if line.colour is None else line.colour) % len(SERIES)]
            style: dict[str, Any] = {"color": colour, "label": line.name}
            style |= {"linestyle": "--", "alpha": 0.6} if line.faint else {}
            if markers:
                style |= {"marker": "osD^v"[i % 5], "markersize": 4}
            value = np.asarray(line.y, np.float64)
            if log_y:
                value = np.where(value >= FLOOR, value, np.nan)
            if line.low is not None and line.high is not None:
                errors = np.abs([value - np.asarray(line.low), np.asarray(line.high) - value])
                axes.errorbar(line.x, value, yerr=errors, capsize=2, **style)
            else:
                axes.plot(line.x, value, **style)
        # Over less than a decade a logarithmic axis is only harder to read.
        _, high = axes.get_ylim()
        if log_y and min(float(np.min(line.y)) for line in lines) < 0.1 * high:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
        elif log_y:
            axes.set_ylim(0.0, high)
        if ticks is not None:
            names = ["\n".join(map(one_line, tick.split("\n"))) for tick in ticks]
            axes.set_xticks(range(len(ticks)), names, parse_math=False)
        else:
            if len({float(x) for line in lines for x in line.x}) == 1:
                axes.set_xlim(lines[0].x[0] - 1, lines[0].x[0] + 1)
            axes.xaxis.get_major_locator().set_params(integer=markers)
        if len(lines) > 1:
            _legend(figure)
        return _svg(figure, title)


def reliability_chart(found: Reliability, *, title: str) -> str:
    """How often the answers of each confidence were right, against the diagonal; as SVG."""
    with matplotlib.rc_context(SETTINGS):
        figure, axes = _axes("confidence", "share right")
        edges = np.arange(CALIBRATION_BINS + 1) / CALIBRATION_BINS
        full = found.counts > 0
        counts = np.maximum(found.counts, 1)
        axes.bar(
            edges[:-1][full],
            (found.correct / counts)[full],
            width=1 / CALIBRATION_BINS,
            align="edge",
            color=SERIES[0],
            alpha=0.75,
            edgecolor=INK,
            linewidth=0.4,
            label="right",
        )
        axes.plot([0, 1], [0, 1], color=INK, linestyle="--", linewidth=1, label="as sure as right")
        share = found.counts / found.counts.sum()
        middle = (edges[:-1] + edges[1:]) / 2
        axes.plot(
            middle, share, color=SERIES[1], marker="o", markersize=3, label="share of the answers"
        )
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        _legend(figure)
        return _svg(figure, title)


def stairs_chart(lines: Sequence[Line], edges: np.ndarray, *, title: str, x: str, y: str) -> str:
    """Histograms over the same bins, whose edges are powers of two; as SVG.

    Args:
        lines: Each one's counts are its `y`.
        edges: `[N+1]`.
        title: What the picture shows, for those who cannot see it.
        x: Name of the horizontal axis.
        y: Name of the vertical one.
    """
    with matplotlib.rc_context(SETTINGS):
        figure, axes = _axes(x, y)
        for i, line in enumerate(lines):
            colour = SERIES[(i if line.colour is None else line.colour) % len(SERIES)]
            faint: dict[str, Any] = {"linestyle": "--", "alpha": 0.6, "linewidth": 1.2}
            solid: dict[str, Any] = {"fill": True, "alpha": 0.5}
            axes.stairs(
                line.y, edges, color=colour, label=line.name, **(faint if line.faint else solid)
            )
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        _legend(figure)
        return _svg(figure, title)


def _axes(x: str, y: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y)
    axes.grid(True)
    return figure, axes


def _legend(figure: Figure) -> None:
    """Above the axes, where it hides nothing."""
    figure.legend(loc="outside upper center", ncols=2)


def _svg(figure: Figure, title: str) -> str:
    """The figure as an element of a page, in the page's colours."""
    picture = io.StringIO()
    # Names of clips and marks must differ between the pictures of one page.
    salt: dict[Any, Any] = {"svg.hashsalt": f"textrnn{next(_numbers)}"}
    make_plain(figure)
    with matplotlib.rc_context(salt), without_warnings():
        figure.savefig(picture, format="svg", transparent=True, metadata=dict.fromkeys(_METADATA))
    text = picture.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<(metadata|style).*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sid="(?![mp][0-9a-f]{10})[^"]*"', "", text)
    text = re.sub(r'\s(width|height)="[\d.]+pt"', "", text, count=2)
    text = text.replace("'DejaVu Sans'", "system-ui, sans-serif").replace(INK, "currentColor")
    for i, colour in enumerate(SERIES, start=1):
        text = text.replace(colour, f"var(--c{i})")
    return text.replace("<svg ", f'<svg role="img" aria-label="{html.escape(one_line(title))}" ', 1)
