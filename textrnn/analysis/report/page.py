"""The report: one page about a run that needs nothing but itself."""

from __future__ import annotations

import importlib.metadata
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from textrnn.analysis.attribution.page import STYLE, coloured_html
from textrnn.analysis.dynamics.credit import Credit
from textrnn.analysis.report.charts import Line, line_chart, reliability_chart, stairs_chart
from textrnn.analysis.report.summary import Summary, place, tokens, within
from textrnn.evaluation.class_figures import shown_classes
from textrnn.text.piece_training import valid_unicode

__all__ = ["report_page"]

TEMPLATE = "report.html.j2"
MOST_LABELS = 12
"""Labels of a confusion matrix that is shown whole."""
MOST_CONFUSED = 24
"""Labels whose matrix is shown of more: those with the most mistakes."""
_LEAST = 1e-30


def report_page(found: Summary) -> str:
    """The page, as HTML: texts, labels and names in it are shown as they stand, whatever they hold.

    Args:
        found: What there is to know of the run.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": lambda share: f"{100 * share:.1f} %",
        "tokens": tokens,
        "coloured": lambda attribution: Markup(coloured_html(attribution)),
    }
    template = environment.from_string(
        files("textrnn.analysis.report").joinpath(TEMPLATE).read_text(encoding="utf-8")
    )
    model = found.config.model
    page: str = template.render(
        found=found,
        model=model,
        version=importlib.metadata.version("textrnn"),
        attribution_style=Markup(STYLE),
        charts={name: Markup(svg) for name, svg in _charts(found).items()},
        matrix=_matrix(found),
        confusions=found.scored.confusion.top() if found.scored.confusion else [],
        whole_matrix=len(found.labels) <= MOST_LABELS,
        classes=shown_classes(found.scored.per_label[:, 2], found.scored.per_label[:, 3]),
        place=place,
        cut=found.config.batches.max_length if model.bidirectional or model.pyramid else 0,
        within=within,
        many=lambda curve: (len(curve.norm) - 1) * curve.tokens_per_step,
        seconds=sum(part.seconds for part in vars(found).values() if hasattr(part, "reason")),
    )
    return valid_unicode(page)


def _matrix(found: Summary) -> list[tuple[str, list[int], int]]:
    """The rows of the confusion matrix: label, its counts, and the texts of it in all.

    Of more than `MOST_LABELS` labels those with the most mistakes are shown.
    """
    confusion = found.scored.confusion
    if confusion is None:
        return []
    shown = list(range(len(found.labels)))
    if len(shown) > MOST_LABELS:
        shown = confusion.most_confused(MOST_CONFUSED)
    counts = confusion.matrix(shown).tolist()
    return [
        (found.labels[row], counts[i], int(confusion.texts[confusion.pairs[:, 0] == row].sum()))
        for i, row in enumerate(shown)
    ]


def _charts(found: Summary) -> dict[str, str]:
    """The pictures by their names in the template; one that cannot be drawn is left out."""
    charts = {
        "reliability": reliability_chart(found.scored.reliability, title="Reliability diagram"),
        "length": _length_chart(found),
        **_curves(found.history),
    }
    if found.scored.calibrated is not None:
        charts["calibrated"] = reliability_chart(
            found.scored.calibrated, title="Reliability diagram after temperature scaling"
        )
    if found.credit.value is not None:
        charts |= _credit_charts(found.credit.value, found.credit_before.value)
    changed = found.divergence.value
    if changed is not None and changed.curves:
        charts["divergence"] = line_chart(
            [
                Line(
                    place(curve),
                    np.arange(len(curve.distance)) * curve.tokens_per_step,
                    curve.distance,
                )
                for curve in changed.curves
            ],
            title="Distance of the states after one changed token",
            x="tokens after the change",
            y="relative distance of the states",
            log_y=True,
        )
    if found.times.value is not None:
        before = found.times_before.value
        lines = [
            Line(place(layer), edges[:-1], counts, colour=i)
            for i, layer in enumerate(found.times.value.layers)
            for counts, edges in [layer.histogram()]
        ]
        lines += [
            Line(f"{place(layer)}, untrained", edges[:-1], counts, faint=True, colour=i)
            for i, layer in enumerate(before.layers if before else ())
            for counts, edges in [layer.histogram()]
        ]
        _, edges = found.times.value.layers[0].histogram()
        charts["times"] = stairs_chart(
            lines, edges, title="Time constants of the units", x="time constant, tokens", y="units"
        )
    if found.redundancy.value is not None:
        points = found.redundancy.value.points
        whole = points[0]
        charts["redundancy"] = line_chart(
            [
                Line(
                    name,
                    [100 * p.tokens for p in chosen],
                    [100 * p.accuracy for p in chosen],
                    low=[100 * p.low for p in chosen],
                    high=[100 * p.high for p in chosen],
                )
                for way, name in (("every", "every n-th token"), ("drop", "a random part"))
                for chosen in [[whole, *(p for p in points[1:] if p.way == way)]]
            ],
            title="Accuracy against the share of tokens read",
            x="tokens read, %",
            y="accuracy, %",
            markers=True,
        )
    return charts


def _curves(history: list[dict[str, float]]) -> dict[str, str]:
    charts = {}
    for name, unit in (("loss", "nats a text"), ("accuracy", "share of texts")):
        if history and {f"train_{name}", f"valid_{name}", "epoch"} <= set(history[0]):
            epochs = [row["epoch"] for row in history]
            charts[name] = line_chart(
                [
                    Line("training", epochs, [row[f"train_{name}"] for row in history]),
                    Line("validation", epochs, [row[f"valid_{name}"] for row in history]),
                ],
                title=f"Learning curve: {name}",
                x="epoch",
                y=f"{name}, {unit}",
                markers=True,
            )
    return charts


def _length_chart(found: Summary) -> str:
    buckets = found.scored.by_length
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
        title="Accuracy by length of the text",
        x="tokens of the text",
        y="accuracy, %",
        markers=True,
        ticks=[f"{bucket.shortest}-\n{bucket.longest}" for bucket in buckets],
    )


def _credit_charts(credit: Credit, before: Credit | None) -> dict[str, str]:
    """Of the answer's gradient and of the states', each relative to its value at the end."""

    def relative(curve: np.ndarray) -> np.ndarray:
        return np.asarray(curve / max(float(curve[0]), _LEAST))

    both = [("trained", credit, False)]
    both += [("untrained", before, True)] if before is not None else []
    charts: dict[str, Any] = {
        "gradient": line_chart(
            [
                Line(
                    name,
                    range(len(each.gradient)),
                    relative(each.gradient),
                    faint=faint,
                    colour=0,
                )
                for name, each, faint in both
            ],
            title="Gradient of the answer by the tokens before the end",
            x="tokens before the end",
            y="gradient, relative",
            log_y=True,
        )
    }
    if credit.states:
        charts["states"] = line_chart(
            [
                Line(
                    place(curve) if not faint else f"{place(curve)}, untrained",
                    np.arange(len(curve.norm)) * curve.tokens_per_step,
                    curve.norm,
                    faint=faint,
                    colour=i,
                )
                for _, each, faint in both
                for i, curve in enumerate(each.states)
            ],
            title="What is left of a state in later states",
            x="tokens later",
            y="share left",
            log_y=True,
        )
    return charts
