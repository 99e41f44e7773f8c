"""The charts of a report, by their names in its template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from textrnn.analysis.dynamics.credit import Credit
from textrnn.analysis.dynamics.divergence import Divergence
from textrnn.analysis.dynamics.time_constants import TimeScales
from textrnn.analysis.redundancy import Redundancy, Thinning
from textrnn.analysis.report.charts import (
    Axes,
    Line,
    line_chart,
    reliability_chart,
    stairs_chart,
)
from textrnn.analysis.report.summary import Summary, place_text
from textrnn.analysis.statistics import LengthAccuracy
from textrnn.evaluation.abstention import CoveragePoint

__all__ = ["report_charts"]

_LEAST = 1e-30


def report_charts(summary: Summary) -> dict[str, str]:
    """Returns the charts as SVG by their names; a chart that cannot be drawn is left out."""
    scored = summary.scored
    charts = {
        "reliability": reliability_chart(scored.reliability, title="Reliability diagram"),
        "length": _length_chart(scored.by_length),
        **_learning_curves(summary.history),
    }
    if scored.uncalibrated is not None:
        charts["uncalibrated"] = reliability_chart(
            scored.uncalibrated, title="Reliability diagram before temperature scaling"
        )
    if len(scored.coverage) > 1:
        charts["coverage"] = _coverage_chart(scored.coverage)
    if summary.credit.value is not None:
        charts |= _credit_charts(summary.credit.value, summary.credit_before.value)
    if summary.divergence.value is not None and summary.divergence.value.curves:
        charts["divergence"] = _divergence_chart(summary.divergence.value)
    if summary.times.value is not None:
        charts["times"] = _times_chart(summary.times.value, summary.times_before.value)
    if summary.redundancy.value is not None:
        charts["redundancy"] = _redundancy_chart(summary.redundancy.value)
    return charts


def _learning_curves(history: Sequence[Mapping[str, float]]) -> dict[str, str]:
    charts = {}
    for name, unit in (("loss", "nats a text"), ("accuracy", "share of texts")):
        if history and {f"train_{name}", f"valid_{name}", "epoch"} <= set(history[0]):
            epochs = [row["epoch"] for row in history]
            charts[name] = line_chart(
                [
                    Line("training", epochs, [row[f"train_{name}"] for row in history]),
                    Line("validation", epochs, [row[f"valid_{name}"] for row in history]),
                ],
                Axes(f"Learning curve: {name}", x="epoch", y=f"{name}, {unit}", markers=True),
            )
    return charts


def _length_chart(buckets: Sequence[LengthAccuracy]) -> str:
    return line_chart(
        [
            Line(
                "accuracy",
                range(len(buckets)),
                [100 * bucket.accuracy.value for bucket in buckets],
                low=[100 * bucket.accuracy.low for bucket in buckets],
                high=[100 * bucket.accuracy.high for bucket in buckets],
            )
        ],
        Axes(
            "Accuracy by length of the text",
            x="tokens of the text",
            y="accuracy, %",
            markers=True,
            ticks=[f"{bucket.shortest}-\n{bucket.longest}" for bucket in buckets],
        ),
    )


def _coverage_chart(points: Sequence[CoveragePoint]) -> str:
    return line_chart(
        [
            Line(
                "accuracy",
                [100 * point.coverage for point in points],
                [100 * point.accuracy for point in points],
            )
        ],
        Axes(
            "Accuracy of the most certain answers",
            x="share of the texts that are answered, %",
            y="accuracy of these answers, %",
        ),
    )


def _credit_charts(credit: Credit, before: Credit | None) -> dict[str, str]:
    """Draws the gradient of the answer, and that of the states."""
    charts = {
        "gradient": line_chart(
            [
                Line(
                    "untrained" if faint else "trained",
                    range(len(curves.gradient)),
                    _relative(curves.gradient),
                    faint=faint,
                    colour=0,
                )
                for curves, faint in _with_untrained(credit, before)
            ],
            Axes(
                "Gradient of the answer by the tokens before the end",
                x="tokens before the end",
                y="gradient, relative",
                log_y=True,
            ),
        )
    }
    if credit.states:
        charts["states"] = line_chart(
            [
                Line(
                    f"{place_text(curve)}, untrained" if faint else place_text(curve),
                    np.arange(len(curve.norm)) * curve.tokens_per_step,
                    curve.norm,
                    faint=faint,
                    colour=i,
                )
                for curves, faint in _with_untrained(credit, before)
                for i, curve in enumerate(curves.states)
            ],
            Axes(
                "What is left of a state in later states",
                x="tokens later",
                y="share left",
                log_y=True,
            ),
        )
    return charts


def _with_untrained(credit: Credit, before: Credit | None) -> list[tuple[Credit, bool]]:
    """Returns the curves, each with whether it is drawn as a faint line."""
    return [(credit, False)] if before is None else [(credit, False), (before, True)]


def _relative(curve: np.ndarray) -> np.ndarray:
    """Returns a curve relative to its first value."""
    return np.asarray(curve / max(float(curve[0]), _LEAST))


def _divergence_chart(divergence: Divergence) -> str:
    return line_chart(
        [
            Line(
                place_text(curve),
                np.arange(len(curve.distance)) * curve.tokens_per_step,
                curve.distance,
            )
            for curve in divergence.curves
        ],
        Axes(
            "Distance of the states after one changed token",
            x="tokens after the change",
            y="relative distance of the states",
            log_y=True,
        ),
    )


def _times_chart(times: TimeScales, before: TimeScales | None) -> str:
    _, edges = times.layers[0].histogram()
    lines = _histograms(times, name=place_text)
    if before is not None:
        lines += _histograms(
            before, name=lambda layer: f"{place_text(layer)}, untrained", faint=True
        )
    axes = Axes("Time constants of the units", x="time constant, tokens", y="units")
    return stairs_chart(lines, axes, edges=edges)


def _histograms(
    times: TimeScales, *, name: Callable[[object], str], faint: bool = False
) -> list[Line]:
    lines = []
    for i, layer in enumerate(times.layers):
        counts, edges = layer.histogram()
        lines.append(Line(name(layer), edges[:-1], counts, faint=faint, colour=i))
    return lines


def _redundancy_chart(redundancy: Redundancy) -> str:
    whole, *points = redundancy.points
    ways = (("every", "every n-th token"), ("drop", "a random part"))
    return line_chart(
        [
            _redundancy_line(name, [whole, *(point for point in points if point.way == way)])
            for way, name in ways
        ],
        Axes(
            "Accuracy against the share of tokens read",
            x="tokens read, %",
            y="accuracy, %",
            markers=True,
        ),
    )


def _redundancy_line(name: str, points: Sequence[Thinning]) -> Line:
    return Line(
        name,
        [100 * point.tokens for point in points],
        [100 * point.accuracy for point in points],
        low=[100 * point.low for point in points],
        high=[100 * point.high for point in points],
    )
