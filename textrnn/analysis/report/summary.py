"""All analyses of one run, and the key figures among their results."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from textrnn.analysis.dynamics.credit import Credit, credit_assignment
from textrnn.analysis.dynamics.divergence import Divergence, divergence
from textrnn.analysis.dynamics.lyapunov import Lyapunov, lyapunov
from textrnn.analysis.dynamics.sampled_batches import Sample
from textrnn.analysis.dynamics.systems import fresh_model
from textrnn.analysis.dynamics.time_constants import TimeScales, time_scales
from textrnn.analysis.redundancy import Redundancy, ThinningPlan, redundancy
from textrnn.analysis.report.answered_texts import AnsweredTexts
from textrnn.analysis.report.mistakes import MISTAKES, Mistakes, Scored, find_mistakes, score
from textrnn.analysis.report.outcomes import Analyses, Outcome
from textrnn.analysis.report.wrong_answers import (
    Doubts,
    WrongAnswer,
    find_doubts,
    wrong_answers,
)
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Split
from textrnn.data.provenance import LABEL_COUNTS
from textrnn.evaluation.opened_run import OpenedRun
from textrnn.inference.history import read_history
from textrnn.messages.wording import counted
from textrnn.progress import Reporter, Silent

__all__ = ["Summary", "horizon_text", "key_figures", "place_text", "summarize", "tokens_text"]

DEFAULT_SAMPLE = Sample(documents=2000, tokens=0)

DOCUMENTS = 64
"""The number of texts that the analyses of the states read."""

CREDIT_TOKENS = 512
REDUNDANCY_DOCUMENTS = 400


@dataclass(frozen=True)
class Summary:
    """The results of all analyses of one run.

    Attributes:
        name: The name of the run folder.
        data: The name of the data, and of the split that the texts come from.
        available: The number of labelled texts in the split.
        texts: The number of texts that were used, drawn at random.
        config: The settings of the run.
        labels: The label names.
        weights: The number of weights of the model.
        metrics: The figures that were measured after training.
        history: One row per epoch.
        training_texts: The number of training texts of each label; empty for a run that does not
            store it.
        scored: The figures of the answers to these texts.
        doubts: The texts that the model is unsure about.
        wrong: The wrong answers with the highest probabilities; `to_dict` leaves them out.
        mistakes: The worst mistakes.
        credit: How far back the answer and the states depend on the tokens read.
        credit_before: The same for an untrained model of the same shape.
        lyapunov: Whether small changes of the states grow.
        lyapunov_before: The same for the untrained model.
        divergence: The effect of one changed token.
        times: For how many tokens the units remember their input.
        times_before: The same for the untrained model.
        redundancy: How much accuracy is lost when fewer tokens are read.
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
    training_texts: Mapping[str, int]
    scored: Scored
    doubts: Doubts
    wrong: tuple[WrongAnswer, ...]
    mistakes: Outcome[Mistakes]
    credit: Outcome[Credit]
    credit_before: Outcome[Credit]
    lyapunov: Outcome[Lyapunov]
    lyapunov_before: Outcome[Lyapunov]
    divergence: Outcome[Divergence]
    times: Outcome[TimeScales]
    times_before: Outcome[TimeScales]
    redundancy: Outcome[Redundancy]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        plain: dict[str, Any] = {
            "run": self.name,
            "data": self.data,
            "available": self.available,
            "texts": self.texts,
            "labels": list(self.labels),
            "weights": self.weights,
            "scored": self.scored.to_dict(),
            "doubts": self.doubts.to_dict(),
        }
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Outcome):
                plain[field.name] = value.to_dict()
        return plain


def summarize(
    run: OpenedRun,
    split: Split,
    *,
    data: str,
    sample: Sample = DEFAULT_SAMPLE,
    reporter: Reporter | None = None,
) -> Summary:
    """Makes all analyses of a run on labelled texts.

    If an analysis does not work for this model or these texts, its `Outcome` has the reason.

    Args:
        run: The run.
        split: Labelled texts that it was not trained on.
        data: The name of the texts.
        sample: Which of the texts are used. Its seed also determines all other random choices.
        reporter: Receives the progress; None: nothing is reported.

    Raises:
        DataError: A label is unknown, or there is no text.
    """
    reporter, classifier, seed = reporter or Silent(), run.classifier, sample.seed
    rows = sample.rows(range(len(split)), rng=np.random.default_rng(seed))
    chosen = split.take([int(row) for row in rows])
    answered = AnsweredTexts.of(classifier, chosen, reporter=reporter)
    analyses = Analyses(
        classifier.model, fresh_model(classifier.model, seed=seed), reporter=reporter
    )
    mistakes = analyses.outcome(
        "mistakes",
        lambda advance: find_mistakes(answered, on_mistake=advance),
        total=MISTAKES,
    )
    dynamics = _analyse_dynamics(analyses, answered, seed=seed)
    return Summary(
        name=run.name if run.folder is None else run.folder.resolve().name,
        data=data,
        available=len(split),
        texts=len(chosen),
        config=classifier.config,
        labels=classifier.labels,
        weights=int(classifier.model.count_params()),
        metrics=classifier.metrics,
        history=[] if run.folder is None else read_history(run.folder),
        training_texts=classifier.data.get(LABEL_COUNTS, {}),
        scored=score(answered),
        doubts=find_doubts(answered),
        wrong=wrong_answers(answered),
        mistakes=mistakes,
        credit=dynamics.credit,
        credit_before=dynamics.credit_before,
        lyapunov=dynamics.lyapunov,
        lyapunov_before=dynamics.lyapunov_before,
        divergence=dynamics.divergence,
        times=dynamics.times,
        times_before=dynamics.times_before,
        redundancy=_analyse_redundancy(analyses, answered, seed=seed),
    )


class _Dynamics(NamedTuple):
    """The outcomes of the analyses of the states; see `Summary`."""

    credit: Outcome[Credit]
    credit_before: Outcome[Credit]
    lyapunov: Outcome[Lyapunov]
    lyapunov_before: Outcome[Lyapunov]
    divergence: Outcome[Divergence]
    times: Outcome[TimeScales]
    times_before: Outcome[TimeScales]


def _analyse_dynamics(analyses: Analyses, answered: AnsweredTexts, *, seed: int) -> _Dynamics:
    """Analyses what the states remember, before and after training."""
    ids, classifier = answered.ids, answered.classifier
    total = min(DOCUMENTS, len(ids))
    sample = Sample(documents=DOCUMENTS, seed=seed)
    long_sample = Sample(documents=DOCUMENTS, tokens=CREDIT_TOKENS, seed=seed)
    credit, credit_before = analyses.after_and_before(
        "credit assignment",
        lambda model, advance: credit_assignment(model, ids, sample=long_sample, on_batch=advance),
        total=total,
    )
    exponents, exponents_before = analyses.after_and_before(
        "chaos",
        lambda model, advance: lyapunov(model, ids, sample=sample, on_batch=advance),
        total=total,
    )
    changed = analyses.outcome(
        "one changed token",
        lambda advance: divergence(
            classifier.model,
            ids,
            label_space=classifier.label_space,
            sample=sample,
            on_batch=advance,
        ),
        total=total,
    )
    times, times_before = analyses.after_and_before(
        "time scales",
        lambda model, advance: time_scales(model, ids, sample=sample, on_batch=advance),
        total=total,
    )
    return _Dynamics(
        credit, credit_before, exponents, exponents_before, changed, times, times_before
    )


def _analyse_redundancy(
    analyses: Analyses, answered: AnsweredTexts, *, seed: int
) -> Outcome[Redundancy]:
    """Analyses how much accuracy is lost when fewer tokens are read."""
    plan = ThinningPlan()
    return analyses.outcome(
        "redundancy",
        lambda advance: redundancy(
            answered.classifier,
            answered.ids,
            labels=answered.split.labels,
            plan=plan,
            sample=Sample(documents=REDUNDANCY_DOCUMENTS, tokens=0, seed=seed),
            on_batch=advance,
        ),
        total=len(plan) * min(REDUNDANCY_DOCUMENTS, len(answered.ids)),
    )


def key_figures(summary: Summary) -> dict[str, str]:
    """Returns the most important figures for the model card, by their names."""
    figures = {
        f"accuracy on {counted(summary.texts, 'text')} ({summary.data}), with its 95 % interval": (
            f"{summary.scored.accuracy.value:.2%} "
            f"({summary.scored.accuracy.low:.2%} to {summary.scored.accuracy.high:.2%})"
        )
    }
    credit, chaos = summary.credit.value, summary.lyapunov.value
    if credit is not None:
        figures["tokens from the end at which the answer's gradient has halved"] = horizon_text(
            credit.half, len(credit.gradient)
        )
        for curve in credit.states:
            name = f"tokens after which half of a state is left, {place_text(curve)}"
            figures[name] = horizon_text(curve.half, (len(curve.norm) - 1) * curve.tokens_per_step)
    if chaos is not None:
        figures["largest Lyapunov exponent, nats a token"] = f"{chaos.largest:+.3f}"
    for layer in summary.times.value.layers if summary.times.value else ():
        name = f"time constant of the median unit, of the slowest, {place_text(layer)}"
        figures[name] = f"{tokens_text(layer.median)}, {tokens_text(layer.longest)}"
    if summary.redundancy.value is not None:
        whole, *points = summary.redundancy.value.points
        for point in points:
            if (point.way, point.amount) == ("every", 2.0):
                figures["accuracy with every token, with every second one"] = (
                    f"{whole.accuracy:.1%}, {point.accuracy:.1%}"
                )
    return figures


def place_text(result: Any) -> str:
    """Returns which recurrence a result belongs to, such as `layer 1 forward`."""
    return f"layer {result.layer} {result.direction}"


def tokens_text(count: float) -> str:
    """Returns a number of tokens as text.

    >>> tokens_text(12.34), tokens_text(1.0), tokens_text(float("inf"))
    ('12.3 tokens', '1 token', 'infinite')
    """
    if not np.isfinite(count):
        return "infinite"
    number = f"{count:.3g}"
    return f"{number} token" if number == "1" else f"{number} tokens"


def horizon_text(horizon: float | None, steps: int) -> str:
    """Returns a horizon as text.

    >>> horizon_text(6.58, 64), horizon_text(None, 64)
    ('6.58', 'more than 64')

    Args:
        horizon: The horizon in tokens; None beyond the end of the curve.
        steps: The number of tokens that the curve covers.
    """
    return f"more than {steps:,}" if horizon is None else f"{horizon:.3g}"
