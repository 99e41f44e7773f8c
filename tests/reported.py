"""A summary of a tiny run whose labels and texts are HTML, for the tests of the report."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny import MODEL, Run, finished_run, labelled_texts, without_graphs

from textrnn.analysis.dynamics.sampled_batches import Sample
from textrnn.analysis.report import charts, figures
from textrnn.analysis.report.summary import Summary, summarize
from textrnn.config.model import ModelConfig
from textrnn.data import Split
from textrnn.evaluation.opened_run import OpenedRun
from textrnn.inference.classifier import TrainedClassifier
from textrnn.models.classifier import TextClassifier
from textrnn.progress import Silent

LABELS = ("<b>neg</b>", "<script>alert('pos')</script>")
TEXTS = ["<img src=http://a.b/x> x", "a & b y", "", "<script>y</script> " + "a b c d " * 5]


Shape = tuple[tuple[str, Any], ...]
_made: dict[tuple[Shape, bool, int, int], Summary] = {}
_drawn: dict[bytes, str] = {}


@contextlib.contextmanager
def charts_drawn_once() -> Iterator[None]:
    """Draws a chart again only for other data: the charts take nine tenths of a page's time."""

    def once(name: str) -> Callable[..., str]:
        def drawn(*arguments: Any, **settings: Any) -> str:
            key = pickle.dumps((name, arguments, settings))
            if key not in _drawn:
                _drawn[key] = getattr(charts, name)(*arguments, **settings)
            return _drawn[key]

        return drawn

    with pytest.MonkeyPatch.context() as patch:
        for name in ("line_chart", "reliability_chart", "stairs_chart"):
            patch.setattr(figures, name, once(name))
        yield


class Steps(Silent):
    """A reporter that adds up the progress of each step."""

    def __init__(self) -> None:
        self.done: dict[str, int] = {}

    @contextlib.contextmanager
    def step(self, name: str, *, total: int) -> Iterator[Callable[..., None]]:
        assert total > 0
        self.done[name] = 0

        def advance(count: int, text: str = "") -> None:
            self.done[name] += count

        yield advance


def _summary(run: Run, shape: Shape, multi_label: bool, samples: int, classes: int) -> Summary:
    model, values = run.classifier.model, run.config.to_dict()
    if shape:
        config = ModelConfig(**{**MODEL, **dict(shape)})
        values["model"] = config.to_dict()
        model = TextClassifier(run.classifier.tokenizer.vocab_size, classes, config=config)
        model.build((None, None))
    values["task"]["multi_label"] = multi_label
    classifier = TrainedClassifier(
        model,
        run.classifier.tokenizer,
        LABELS[:classes],
        type(run.config).from_dict(values),
        metrics=run.classifier.metrics,
    )
    rows = labelled_texts(12, seed=5) + [(text, "pos") for text in TEXTS]
    texts = [text for text, _ in rows]
    names = dict(zip(("neg", "pos"), LABELS, strict=True))
    true_labels = [(names[label],) for _, label in rows]
    split = Split(
        texts, [labels if labels[0] in LABELS[:classes] else () for labels in true_labels]
    )
    steps = Steps()
    summary = summarize(
        OpenedRun(classifier, run.folder),
        split,
        data="<i>letters</i>",
        sample=Sample(documents=samples, tokens=0),
        reporter=steps,
    )
    assert steps.done["answers"] == (samples or len(texts))
    return summary


def tiny_summary(
    factory: pytest.TempPathFactory,
    *,
    multi_label: bool = False,
    samples: int = 0,
    classes: int = 2,
    **shape: Any,
) -> Summary:
    """All analyses of the tiny run, a bidirectional minGRU, or of an untrained model of a shape."""
    key = tuple(shape.items()), multi_label, samples, classes
    if key not in _made:
        run = finished_run(factory)
        with without_graphs():
            _made[key] = _summary(run, *key)
    return _made[key]


def page_of(summary: Summary, folder: Path) -> Path:
    """The report, written to a file."""
    from textrnn.analysis.report.page import report_page

    path = folder / "report.html"
    path.write_text(report_page(summary), encoding="utf-8")
    return path
