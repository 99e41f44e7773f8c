"""Everything that is to be known of one run: its figures, its mistakes, and what it remembers."""

from __future__ import annotations

import csv
import dataclasses
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from textrnn.analysis.dynamics.credit import Credit, credit_assignment
from textrnn.analysis.dynamics.divergence import Divergence, divergence
from textrnn.analysis.dynamics.lyapunov import Lyapunov, lyapunov
from textrnn.analysis.dynamics.systems import fresh_model
from textrnn.analysis.dynamics.time_constants import TimeScales, time_scales
from textrnn.analysis.redundancy import Redundancy, redundancy
from textrnn.analysis.report.mistakes import MISTAKES, Mistakes, Scored, find_mistakes, score
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Split
from textrnn.data.corpus import targets
from textrnn.errors import TextRNNError
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.wording import counted

__all__ = ["Part", "Step", "Summary", "key_figures", "place", "summary", "tokens", "within"]

T = TypeVar("T")
Step = Callable[..., AbstractContextManager[Callable[..., None]]]
"""`step(name, total=n)`, a context that is told how much of a step is done; see the Reporter."""

DOCUMENTS = 64
REDUNDANT_DOCUMENTS = 400


@dataclass(frozen=True)
class Part(Generic[T]):
    """The outcome of one analysis.

    Attributes:
        value: It; None if it cannot be made of this model or these texts.
        reason: Why not.
        seconds: What it took.
    """

    value: T | None
    reason: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        value: Any = self.value
        plain = None if value is None else value.to_dict()
        return {"value": plain, "reason": self.reason, "seconds": self.seconds}


@dataclass(frozen=True)
class Summary:
    """One run, looked at from all sides.

    Attributes:
        name: The run folder's name.
        data: Of which data the texts are, and which part of it.
        available: How many labelled texts there were.
        texts: How many of them were used, drawn at random.
        config: The run's settings.
        labels: The label names.
        weights: How many numbers the model has learned.
        metrics: What was measured after training.
        history: A row for each epoch.
        scored: The figures on these texts.
        mistakes: The worst ones.
        credit: How far back the answer and the states depend on what was read.
        credit_before: The same of a model with the same shape and random weights.
        lyapunov: Whether small changes of the states grow.
        lyapunov_before: The same with random weights.
        divergence: What one changed token does.
        times: For how long the units keep what they have read.
        times_before: The same with random weights.
        redundancy: What is lost when fewer tokens are read.
    """

    name: str
    data: str
    available: int
    texts: int
    config: ClassifierRunConfig
    labels: tuple[str, ...]
    weights: int
    metrics: dict[str, Any]
    history: list[dict[str, float]]
    scored: Scored
    mistakes: Part[Mistakes]
    credit: Part[Credit]
    credit_before: Part[Credit]
    lyapunov: Part[Lyapunov]
    lyapunov_before: Part[Lyapunov]
    divergence: Part[Divergence]
    times: Part[TimeScales]
    times_before: Part[TimeScales]
    redundancy: Part[Redundancy]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        plain: dict[str, Any] = {
            "run": self.name,
            "data": self.data,
            "available": self.available,
            "texts": self.texts,
            "labels": list(self.labels),
            "weights": self.weights,
            "scored": self.scored.to_dict(),
        }
        for each in dataclasses.fields(self):
            part = getattr(self, each.name)
            if isinstance(part, Part):
                plain[each.name] = part.to_dict()
        return plain


def summary(
    classifier: TrainedClassifier,
    split: Split,
    *,
    folder: str | Path,
    data: str,
    step: Step,
    samples: int = 2000,
    seed: int = 0,
) -> Summary:
    """Makes all analyses of a run on labelled texts.

    What an analysis cannot do for this model is its `Part.reason`, no error.

    Args:
        classifier: The trained classifier.
        split: Labelled texts that it was not trained on.
        folder: Its run folder.
        data: What to call the texts.
        step: Told of the progress.
        samples: How many of the texts are used; 0: all.
        seed: Of the choice of texts and of all that is random.

    Raises:
        DataError: A label is unknown, or there is no text.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(split))[: samples or len(split)])
    chosen = split.take([int(row) for row in rows])
    carried = targets(chosen.labels, classifier.labels)
    ids = classifier.tokenizer.encode_batch(chosen.texts)
    with step("answers", total=len(chosen)) as advance:
        probabilities = classifier.score_ids(ids, on_batch=advance)
    most = min(DOCUMENTS, len(ids))
    fresh = fresh_model(classifier.model, seed=seed)

    def part(name: str, total: int, make: Callable[[Callable[..., None]], T]) -> Part[T]:
        begin, value, reason = time.monotonic(), None, ""
        try:
            with step(name, total=total) as advance:
                value = make(advance)
        except TextRNNError as error:
            reason = str(error)
        return Part(value, reason, time.monotonic() - begin)

    return Summary(
        name=Path(folder).resolve().name,
        data=data,
        available=len(split),
        texts=len(chosen),
        config=classifier.config,
        labels=classifier.labels,
        weights=int(classifier.model.count_params()),
        metrics=classifier.metrics,
        history=read_history(Path(folder) / "history.csv"),
        scored=score(classifier, probabilities, carried, np.array([len(text) for text in ids])),
        mistakes=part(
            "mistakes",
            MISTAKES,
            lambda done: find_mistakes(classifier, chosen, ids, probabilities, carried, done),
        ),
        credit=part(
            "credit assignment",
            most,
            lambda done: credit_assignment(
                classifier.model, ids, documents=DOCUMENTS, seed=seed, on_batch=done
            ),
        ),
        credit_before=part(
            "credit assignment before training",
            most,
            lambda done: credit_assignment(
                fresh, ids, documents=DOCUMENTS, seed=seed, on_batch=done
            ),
        ),
        lyapunov=part(
            "chaos",
            most,
            lambda done: lyapunov(
                classifier.model, ids, documents=DOCUMENTS, seed=seed, on_batch=done
            ),
        ),
        lyapunov_before=part(
            "chaos before training",
            most,
            lambda done: lyapunov(fresh, ids, documents=DOCUMENTS, seed=seed, on_batch=done),
        ),
        divergence=part(
            "one changed token",
            most,
            lambda done: divergence(
                classifier.model,
                ids,
                documents=DOCUMENTS,
                multi_label=classifier.config.task.multi_label,
                seed=seed,
                on_batch=done,
            ),
        ),
        times=part(
            "time scales",
            most,
            lambda done: time_scales(
                classifier.model, ids, documents=DOCUMENTS, seed=seed, on_batch=done
            ),
        ),
        times_before=part(
            "time scales before training",
            most,
            lambda done: time_scales(fresh, ids, documents=DOCUMENTS, seed=seed, on_batch=done),
        ),
        redundancy=part(
            "redundancy",
            10 * min(REDUNDANT_DOCUMENTS, len(ids)),
            lambda done: redundancy(
                classifier,
                ids,
                chosen.labels,
                documents=REDUNDANT_DOCUMENTS,
                seed=seed,
                on_batch=done,
            ),
        ),
    )


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of a run's `history.csv`; none if it is not there or no such file."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [{name: float(x) for name, x in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError):
        return []


def key_figures(found: Summary) -> dict[str, str]:
    """The figures that say the most, by their names, for the model card."""
    figures = {
        f"accuracy on {counted(found.texts, 'text')} ({found.data}), with its 95 % interval": (
            f"{found.scored.accuracy.value:.2%} "
            f"({found.scored.accuracy.low:.2%} to {found.scored.accuracy.high:.2%})"
        )
    }
    credit, chaos = found.credit.value, found.lyapunov.value
    if credit is not None:
        figures["tokens from the end at which the answer's gradient has halved"] = within(
            credit.half, len(credit.gradient)
        )
        for curve in credit.states:
            name = f"tokens after which half of a state is left, {place(curve)}"
            figures[name] = within(curve.half, (len(curve.norm) - 1) * curve.tokens_per_step)
    if chaos is not None:
        figures["largest Lyapunov exponent, nats a token"] = f"{chaos.largest:+.3f}"
    for layer in found.times.value.layers if found.times.value else ():
        name = f"time constant of the median unit, of the slowest, {place(layer)}"
        figures[name] = f"{tokens(layer.median)}, {tokens(layer.longest)}"
    if found.redundancy.value is not None:
        whole, *points = found.redundancy.value.points
        for point in points:
            if (point.way, point.amount) == ("every", 2.0):
                figures["accuracy with every token, with every second one"] = (
                    f"{whole.accuracy:.1%}, {point.accuracy:.1%}"
                )
    return figures


def place(of: Any) -> str:
    """Which recurrence something is of."""
    return f"layer {of.layer} {of.direction}"


def tokens(count: float) -> str:
    """A number of tokens, for people."""
    if not np.isfinite(count):
        return "without end"
    shown = f"{count:.3g}"
    return f"{shown} token" if shown == "1" else f"{shown} tokens"


def within(horizon: float | None, steps: int) -> str:
    """A horizon of a curve of so many steps, for people."""
    return f"more than {steps:,}" if horizon is None else f"{horizon:.3g}"
