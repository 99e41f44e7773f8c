"""Charts as SVG in the colours of the page, which differ between light and dark mode."""

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

__all__ = ["Axes", "Line", "line_chart", "reliability_chart", "stairs_chart"]

SIZE = (4.4, 3.0)
"""The width in inches: that of a phone, so that the letters are legible on one."""

FLOOR = 1e-6
"""The least value that is drawn on a logarithmic axis."""

INK = "#0a0b0c"
SERIES = tuple(f"#c0000{i}" for i in range(1, 7))
"""Placeholders in the drawing for the colours of the page: `currentColor`, `--c1` to `--c6`."""

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # Text, not paths: smaller, and in the font of the page.
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
        name: The name in the legend.
        x: The places of the values, `[N]`.
        y: The values, `[N]`.
        low: The lower ends of the values' intervals, `[N]`; None: no intervals are drawn.
        high: The upper ends of the intervals, `[N]`.
        faint: Whether the line is broken, as a line to compare others with.
        colour: The number of the page's colour, from 0; None: the next one.
    """

    name: str
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    faint: bool = False
    colour: int | None = None

    def colour_in(self, place: int) -> str:
        """Returns the colour of the line, the one of its place among the lines by default."""
        return SERIES[(place if self.colour is None else self.colour) % len(SERIES)]


@dataclass(frozen=True)
class Axes:
    """The axes of a chart.

    Attributes:
        title: What the chart shows, for readers who cannot see it.
        x: The name of the horizontal axis.
        y: The name of the vertical axis.
        markers: Whether each value has a marker.
        log_y: Whether the vertical axis is logarithmic if the values span over a decade; values
            below `FLOOR` are left out.
        ticks: Names of the places 0, 1, ... on the horizontal axis; None: numbers.
    """

    title: str
    x: str
    y: str
    markers: bool = False
    log_y: bool = False
    ticks: Sequence[str] | None = None


def line_chart(lines: Sequence[Line], axes: Axes) -> str:
    """Returns curves over one pair of axes, as SVG.

    Args:
        lines: The curves.
        axes: The axes.
    """
    with matplotlib.rc_context(SETTINGS):
        figure, plot = _figure(axes.x, axes.y)
        for place, line in enumerate(lines):
            _draw(plot, line, place, axes)
        # An axis of less than a decade is harder to read if it is logarithmic.
        _, high = plot.get_ylim()
        if axes.log_y and min(float(np.min(line.y)) for line in lines) < 0.1 * high:
            plot.set_yscale("log")
            plot.yaxis.set_major_formatter("{x:g}")
        elif axes.log_y:
            plot.set_ylim(0.0, high)
        if axes.ticks is not None:
            names = ["\n".join(map(one_line, tick.split("\n"))) for tick in axes.ticks]
            plot.set_xticks(range(len(names)), names, parse_math=False)
        else:
            if len({float(x) for line in lines for x in line.x}) == 1:
                plot.set_xlim(lines[0].x[0] - 1, lines[0].x[0] + 1)
            plot.xaxis.get_major_locator().set_params(integer=axes.markers)
        if len(lines) > 1:
            _legend(figure)
        return _svg(figure, axes.title)


def _draw(plot: Any, line: Line, place: int, axes: Axes) -> None:
    """Draws one of the lines of a chart.

    Args:
        plot: The axes of Matplotlib.
        line: The line.
        place: The place of the line among the lines, from 0.
        axes: The axes of the chart.
    """
    style: dict[str, Any] = {"color": line.colour_in(place), "label": line.name}
    style |= {"linestyle": "--", "alpha": 0.6} if line.faint else {}
    if axes.markers:
        style |= {"marker": "osD^v"[place % 5], "markersize": 4}
    value = np.asarray(line.y, np.float64)
    if axes.log_y:
        value = np.where(value >= FLOOR, value, np.nan)
    if line.low is not None and line.high is not None:
        errors = np.abs([value - np.asarray(line.low), np.asarray(line.high) - value])
        plot.errorbar(line.x, value, yerr=errors, capsize=2, **style)
    else:
        plot.plot(line.x, value, **style)


def reliability_chart(reliability: Reliability, *, title: str) -> str:
    """Returns how often the answers of each confidence were right, as SVG.

    Args:
        reliability: The answers by confidence.
        title: What the chart shows, for readers who cannot see it.
    """
    with matplotlib.rc_context(SETTINGS):
        figure, plot = _figure("confidence", "share right")
        edges = np.arange(CALIBRATION_BINS + 1) / CALIBRATION_BINS
        full = reliability.counts > 0
        counts = np.maximum(reliability.counts, 1)
        plot.bar(
            edges[:-1][full],
            (reliability.correct / counts)[full],
            width=1 / CALIBRATION_BINS,
            align="edge",
            color=SERIES[0],
            alpha=0.75,
            edgecolor=INK,
            linewidth=0.4,
            label="right",
        )
        plot.plot([0, 1], [0, 1], color=INK, linestyle="--", linewidth=1, label="as sure as right")
        share = reliability.counts / reliability.counts.sum()
        middle = (edges[:-1] + edges[1:]) / 2
        plot.plot(
            middle, share, color=SERIES[1], marker="o", markersize=3, label="share of the answers"
        )
        plot.set(xlim=(0, 1), ylim=(0, 1.02))
        _legend(figure)
        return _svg(figure, title)


def stairs_chart(lines: Sequence[Line], axes: Axes, *, edges: np.ndarray) -> str:
    """Returns histograms over the same bins, whose edges are powers of two, as SVG.

    Args:
        lines: The histograms; the counts of each are its `y`.
        axes: The axes.
        edges: `[N+1]`.
    """
    faint: dict[str, Any] = {"linestyle": "--", "alpha": 0.6, "linewidth": 1.2}
    solid: dict[str, Any] = {"fill": True, "alpha": 0.5}
    with matplotlib.rc_context(SETTINGS):
        figure, plot = _figure(axes.x, axes.y)
        for place, line in enumerate(lines):
            style = faint if line.faint else solid
            plot.stairs(line.y, edges, color=line.colour_in(place), label=line.name, **style)
        plot.set_xscale("log", base=2)
        plot.xaxis.set_major_formatter("{x:g}")
        _legend(figure)
        return _svg(figure, axes.title)


def _figure(x: str, y: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=SIZE, layout="constrained")
    plot = figure.add_subplot()
    plot.set(xlabel=x, ylabel=y)
    plot.grid(True)
    return figure, plot


def _legend(figure: Figure) -> None:
    """Draws the legend above the axes, where it hides no line."""
    figure.legend(loc="outside upper center", ncols=2)


def _svg(figure: Figure, title: str) -> str:
    """Returns the figure as an element of a page, in the colours of the page."""
    picture = io.StringIO()
    # The ids of clips and markers must differ between the charts of one page.
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
