"""Fits the decisions of a finished run to its validation texts, without a training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textrnn.data import Split
from textrnn.errors import DataError, ModelError
from textrnn.evaluation.decision_fitting import DecisionRequest, fit_rule
from textrnn.evaluation.labelled_data import LabelledData
from textrnn.evaluation.measurement import answers, measure, measure_answers
from textrnn.evaluation.opened_run import OpenedRun
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.run_files import replace_file
from textrnn.progress import Reporter, Silent

__all__ = ["decide", "decide_on"]


def decide_on(
    classifier: TrainedClassifier,
    split: Split,
    *,
    request: DecisionRequest,
    reporter: Reporter | None = None,
    until: float | None = None,
) -> dict[str, Any]:
    """Gives a classifier the rule that suits labelled texts, and returns its figures on them.

    Args:
        classifier: The classifier, whose `rule` is replaced.
        split: Texts that it has not learned from.
        request: The rule that is wanted.
        reporter: Receives the progress and the notes about the rule; None: nothing is reported.
        until: The value of `time.monotonic` at which measuring ends; see
            `textrnn.evaluation.measurement.measure`.
    """
    reporter = reporter or Silent()
    probabilities, split = answers(
        classifier, split, name="validation", reporter=reporter, until=until
    )
    label_space = classifier.label_space
    fitted = fit_rule(
        probabilities,
        label_space.targets(split.labels),
        label_space=label_space,
        request=request,
        seed=classifier.config.runtime.seed,
    )
    classifier.rule = fitted.rule
    for note in fitted.notes:
        reporter.message(f"note: {note}")
    return measure_answers(classifier, probabilities, split)


def decide(
    run: str | Path,
    *,
    reporter: Reporter | None = None,
    **settings: Any,
) -> TrainedClassifier:
    """Fits the decisions of a finished run once more, and writes them and the figures by them.

    Args:
        run: The run folder.
        reporter: Receives the progress and the notes; None: nothing is reported.
        **settings: Settings of the decisions, and of the data where they differ from the run's; see
            `textrnn.decide`.

    Returns:
        The classifier with the new rule and figures.

    Raises:
        ModelError: The folder is no finished run of a classifier, or cannot be written to.
        DataError: The data cannot be read, or a label or a cost is wrong.
        ConfigError: A setting is unknown or wrong.
    """
    reporter, opened = reporter or Silent(), OpenedRun.of(run)
    classifier, record = opened.classifier, opened.record
    names = classifier.config.section_of()
    chosen = {name: value for name, value in settings.items() if names.get(name) == "decisions"}
    source = LabelledData(
        split="validation",
        settings={name: value for name, value in settings.items() if name not in chosen},
    )
    request = _request(classifier, chosen)
    metrics = dict(classifier.metrics)
    validation = source.read(record, reporter=reporter)
    if request is None:
        classifier = classifier.abstaining(chosen.get("abstain_below"))
        metrics["validation"] = measure(
            classifier, validation, name="validation", reporter=reporter
        )
    else:
        metrics["validation"] = decide_on(
            classifier, validation, request=request, reporter=reporter
        )
    if metrics.pop("test", None) is not None:
        try:
            test = LabelledData(split="test").read(record, reporter=reporter)
            metrics["test"] = measure(classifier, test, name="test", reporter=reporter)
        except DataError as error:
            reporter.message(f"note: the figures of the test data are left out: {error}")
    classifier.metrics = metrics
    folder = Path(run)
    try:
        replace_file(folder, run_folder.DECISIONS, run_folder.decisions_text(classifier))
        replace_file(folder, run_folder.METRICS, json.dumps(metrics, indent=2) + "\n")
    except OSError as error:
        raise ModelError(
            f"{folder}: the decisions were not written ({error.strerror}); make room, or copy the "
            "run to a folder that can be written to."
        ) from None
    return classifier


def _request(classifier: TrainedClassifier, chosen: Mapping[str, Any]) -> DecisionRequest | None:
    """Returns the rule that some settings want; None if only the limit for answers changes.

    Raises:
        DataError: A label or a cost is wrong.
        ConfigError: A setting is wrong.
    """
    nothing = dict.fromkeys(("objective", "objective_label", "cost_matrix"))
    limit = {"abstain_below": classifier.rule.abstain_below}
    config = classifier.config.replace(**{**nothing, **limit, **chosen})
    if config.decisions.objective is None:
        return None
    return DecisionRequest.of(config.decisions, classifier.label_space)
