"""The page of a report: HTML that loads nothing from elsewhere."""

from __future__ import annotations

import importlib.metadata
from importlib.resources import files

import jinja2
from markupsafe import Markup

from textrnn.analysis.attribution.page import STYLE, coloured_html
from textrnn.analysis.dynamics.credit import StateCurve
from textrnn.analysis.report.figures import report_charts
from textrnn.analysis.report.outcomes import Outcome
from textrnn.analysis.report.summary import Summary, horizon_text, place_text, tokens_text
from textrnn.evaluation.abstention import coverage_sentence
from textrnn.evaluation.class_figures import (
    shown_classes,
    weakest_class,
    weakest_class_sentence,
)
from textrnn.messages.wording import counted
from textrnn.runtime.text.unicode import valid_unicode

__all__ = ["report_page"]

TEMPLATE = "report.html.j2"

MOST_LABELS = 12
"""The number of labels up to which the whole confusion matrix is shown."""

MOST_CONFUSED = 24
"""The number of labels in a matrix of many labels: those with the most mistakes."""

SUREST = 3
"""The number of wrong answers at the top of the page."""


def report_page(summary: Summary) -> str:
    """Returns the page as HTML. Texts, labels and names are escaped, so that they are shown as is.

    Args:
        summary: The results of all analyses of the run.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": lambda share: f"{100 * share:.1f} %",
        "tokens": tokens_text,
        "coloured": lambda attribution: Markup(coloured_html(attribution)),
    }
    template = environment.from_string(
        files("textrnn.analysis.report").joinpath(TEMPLATE).read_text(encoding="utf-8")
    )
    model, confusion = summary.config.model, summary.scored.confusion
    outcomes = [value for value in vars(summary).values() if isinstance(value, Outcome)]
    page: str = template.render(
        summary=summary,
        model=model,
        version=importlib.metadata.version("textrnn"),
        attribution_style=Markup(STYLE),
        charts={name: Markup(svg) for name, svg in report_charts(summary).items()},
        matrix=_matrix(summary),
        confusions=confusion.top() if confusion else [],
        coverage=coverage_sentence(summary.scored.coverage),
        weakest=_weakest_label(summary),
        surest=summary.wrong[:SUREST],
        wrong_count=summary.texts - round(summary.scored.accuracy.value * summary.texts),
        whole_matrix=len(summary.labels) <= MOST_LABELS,
        classes=shown_classes(summary.scored.per_label[:, 2], summary.scored.per_label[:, 3]),
        place=place_text,
        cut=summary.config.batches.max_length if model.bidirectional or model.pyramid else 0,
        within=horizon_text,
        many=_tokens_covered,
        seconds=sum(outcome.seconds for outcome in outcomes),
    )
    return valid_unicode(page)


def _weakest_label(summary: Summary) -> str:
    """Returns what is known of the label whose texts suffer most; empty if none is worse."""
    names = ("precision", "recall", "f1", "support")
    rows = summary.scored.per_label.tolist()
    figures = [dict(zip(names, row, strict=True)) for row in rows]
    per_class = dict(zip(summary.labels, figures, strict=True))
    label = weakest_class(per_class)
    if label is None:
        return ""
    sentences = [weakest_class_sentence(per_class), _wrong_answer_for(summary, label)]
    known = summary.training_texts
    if label in known:
        learned = counted(known[label], "training text")
        sentences.append(f"The run learned it from {learned}; the labels have on average ")
        sentences[-1] += f"{sum(known.values()) / len(known):,.0f}."
    return " ".join(filter(None, sentences))


def _wrong_answer_for(summary: Summary, label: str) -> str:
    """Returns a sentence about the most frequent wrong answer for a label; empty if none."""
    confusion = summary.scored.confusion
    if confusion is None:
        return ""
    place = summary.labels.index(label)
    wrong = (confusion.pairs[:, 0] == place) & (confusion.pairs[:, 1] != place)
    if not wrong.any():
        return ""
    counts = confusion.texts[wrong]
    answer = summary.labels[int(confusion.pairs[wrong][counts.argmax(), 1])]
    return (
        f"The most frequent wrong answer for it is {answer} ({counted(int(counts.max()), 'text')})."
    )


def _tokens_covered(curve: StateCurve) -> int:
    """Returns the number of tokens that a curve covers."""
    return (len(curve.norm) - 1) * curve.tokens_per_step


def _matrix(summary: Summary) -> list[tuple[str, list[int], int]]:
    """Returns the rows of the confusion matrix: label, its counts, and its number of texts.

    Of more than `MOST_LABELS` labels those with the most mistakes are shown.
    """
    confusion = summary.scored.confusion
    if confusion is None:
        return []
    rows = list(range(len(summary.labels)))
    if len(rows) > MOST_LABELS:
        rows = confusion.most_confused(MOST_CONFUSED)
    counts = confusion.matrix(rows).tolist()
    return [
        (summary.labels[row], counts[i], int(confusion.texts[confusion.pairs[:, 0] == row].sum()))
        for i, row in enumerate(rows)
    ]
