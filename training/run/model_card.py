"""The model card: a README.md that describes the model in a run folder and its accuracy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from textrnn.analysis.statistics import accuracy_of
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import EncoderConfig
from textrnn.config.task import TaskConfig
from textrnn.config.training import DistillationConfig
from textrnn.evaluation.abstention import coverage_sentence
from textrnn.evaluation.class_figures import weakest_class_sentence
from textrnn.messages.shown import markdown, shell_word
from textrnn.messages.wording import counted
from textrnn.runtime.decision_rule import DecisionRule

__all__ = [
    "TrainedModel",
    "language_model_card",
    "model_card",
    "with_decisions",
    "with_key_figures",
]

MOST_LABELS = 20
"""The largest number of labels in a card."""
MOST_CLASSES = 30
"""The largest number of labels in the table of figures per label."""
MOST_COLUMNS = 80
"""The largest width of a label."""

_METRICS = "## Metrics"
_OLD_METRICS = re.compile(
    rf"^{_METRICS}\n.*?(?=^(There was no test data|!\[learning curves|<!-- textrnn report|## ))",
    re.DOTALL | re.MULTILINE,
)
"""The section of the figures of a card."""


@dataclass(frozen=True)
class TrainedModel:
    """The facts about a trained model that a card reports.

    Attributes:
        folder: The run folder, as the user names it.
        weights: The number of weights.
        metrics: The figures of the run: `training`, and those of each measured data set.
        rule: The decisions of a classifier, with which its figures were measured.
    """

    folder: Path
    weights: int
    metrics: Mapping[str, Any]
    rule: DecisionRule = field(default_factory=DecisionRule)


def model_card(
    config: ClassifierRunConfig,
    trained: TrainedModel,
    *,
    name: str,
    labels: tuple[str, ...],
    notices: tuple[str, ...],
) -> str:
    """Returns the card of a classifier as Markdown.

    Mitchell et al. 2019, "Model Cards for Model Reporting".

    Args:
        config: The settings of the run.
        trained: The model, with the metrics of `validation`, and of `test` if there is test data.
        name: The name of the data.
        labels: The label names.
        notices: Sentences about texts that were left out of the data.
    """
    model, metrics = config.model, trained.metrics
    training = metrics["training"]
    chosen = config.schedule.final_weights == "best"
    lines = [
        f"# Text classifier: {markdown(name)}",
        "",
        f"Classifies texts into {counted(len(labels), 'label')}: {_listed(labels)}.",
        "",
        "## Model",
        "",
        f"- {_recurrence(model)}; head: {model.head}; {trained.weights:,} weights.",
        *_origin_of_cell(model),
        f"- Vocabulary: {training['vocab_size']:,} {config.tokenizer.piece_type} pieces of "
        f"SentencePiece; {'lower case' if config.tokenizer.lowercase else 'case-sensitive'}.",
        f"- The weights are those of epoch {training['best_epoch']} of {training['epochs']}, "
        f"{'the best on the validation data' if chosen else 'the last one'}; "
        f"seed {config.runtime.seed}.",
        *_start(metrics, config.start.pretrain_epochs or 0),
        *_teachers(config.distillation),
        "",
        *_metrics_section(metrics, trained.rule, labels=labels, task=config.task),
    ]
    if chosen and "test" not in metrics:
        lines += [
            "",
            "There was no test data. The figures of the validation data are too good, because it "
            "chose the epoch.",
        ]
    lines += ["", "![learning curves](curves.png)", "", "## Use", "", "```python"]
    lines += [*(f"import {name}" for name in model.modules if ">" in model.cell), "import textrnn"]
    lines += [
        f"model = textrnn.load({_literal(str(trained.folder))})",
        'model.predict(["a text"])',
        "```",
    ]
    lines += ["", "Expect these figures only for texts of the same kind as the training texts.", ""]
    if notices:
        lines += ["## Data", "", *(f"- {markdown(notice)}" for notice in notices), ""]
    return "\n".join(lines)


def _start(metrics: Mapping[str, Any], pretrain_epochs: int) -> list[str]:
    """Returns a line about what the training started from; none if from random weights."""
    start = metrics.get("start")
    if pretrain_epochs:
        return [
            "- The embeddings and the recurrence started from a language model that had read the "
            f"training texts, in {counted(pretrain_epochs, 'epoch')}."
        ]
    if start is None:
        return []
    run = markdown(start["run"])
    if start["kind"] == "language_model":
        return [f"- The embeddings and the recurrence started from the language model {run}."]
    new, dropped = start["new_labels"], start["dropped_labels"]
    changes = [f"new labels: {_listed(new)}"] if new else []
    changes += [f"labels left out: {_listed(dropped)}"] if dropped else []
    labels = "; ".join(changes) or "the labels are the same"
    return [f"- The training continued that of the classifier {run}; {labels}."]


def _teachers(distillation: DistillationConfig) -> list[str]:
    """Returns a line about the teachers; none without them."""
    names = [*map(markdown, distillation.runs)]
    names += ["a linear model"] if distillation.linear_teacher else []
    if not names:
        return []
    beside = ", beside the labels" if distillation.teacher_weight < 1 else ""
    return [f"- It learned the mean answer of {' and '.join(names)}{beside}."]


def _metrics_section(
    metrics: Mapping[str, Any], rule: DecisionRule, *, labels: tuple[str, ...], task: TaskConfig
) -> Iterator[str]:
    """Yields the lines about the figures, and about the decisions that they were measured with."""
    yield from (_METRICS, "")
    yield from _metrics_table(metrics)
    yield from _decisions(metrics, rule, multi_label=task.multi_label)
    yield from _label_table(metrics, rule, labels=labels)


def with_decisions(
    card: str,
    metrics: Mapping[str, Any],
    rule: DecisionRule,
    *,
    labels: tuple[str, ...],
    task: TaskConfig,
) -> str:
    """Returns a card with other decisions and the figures by them.

    The rest of the card is not changed.

    Args:
        card: The text of `model_card`, which a user may have edited.
        metrics: The figures of each measured data set.
        rule: The decisions.
        labels: The label names.
        task: Says what a label is.
    """
    section = "\n".join([*_metrics_section(metrics, rule, labels=labels, task=task), "", ""])
    if _OLD_METRICS.search(card):
        return _OLD_METRICS.sub(lambda _: section, card, count=1)
    before, use, after = card.partition("## Use\n")
    return f"{before}{section}{use}{after}" if use else f"{card.rstrip()}\n\n{section}"


def _decisions(
    metrics: Mapping[str, Any], rule: DecisionRule, *, multi_label: bool
) -> Iterator[str]:
    """Yields lines about the weakest label, the rule of the decisions and withheld answers."""
    which = "test" if "test" in metrics else "validation"
    measured = metrics[which]
    sentences = [
        weakest_class_sentence(measured.get("per_class", {})),
        *_rule(rule, multi_label=multi_label),
        *_withheld(measured.get("abstention"), which=which),
        coverage_sentence(measured.get("coverage_curve", ())),
    ]
    for sentence in filter(None, sentences):
        yield from ("", markdown(sentence))


def _rule(rule: DecisionRule, *, multi_label: bool) -> Iterator[str]:
    """Yields a sentence about a rule that is not the default one."""
    if rule == DecisionRule():
        return
    instruction = rule.instruction(multi_label=multi_label).replace("`", "")
    where = " (see decisions.json)" if rule.costs else ""
    yield f"The objective of the decisions is {rule.objective}. {instruction}{where}"


def _withheld(abstention: Mapping[str, Any] | None, *, which: str) -> Iterator[str]:
    """Yields a sentence about the answers that the rule withholds."""
    if not abstention:
        return
    answered = f"{abstention['coverage']:.1%} of the {which} texts get an answer"
    accuracy = abstention.get("accuracy")
    right = "" if accuracy is None else f", of which {accuracy:.1%} are right"
    yield (
        f"The limit abstain_below is {abstention['abstain_below']:g}: {answered}{right}. All other "
        "figures are those of all answers."
    )


def _metrics_table(metrics: Mapping[str, Any]) -> Iterator[str]:
    yield "| data | texts | accuracy (95 % interval) | macro F1 | log loss | calibration error |"
    yield "|---|---|---|---|---|---|"
    for data in ("validation", "test"):
        if data in metrics:
            m = metrics[data]
            interval = accuracy_of(m)
            yield (
                f"| {data} | {m['texts']:,} "
                f"| {m['accuracy']:.2%} ({interval.low:.2%} to {interval.high:.2%}) "
                f"| {m['macro_f1']:.2%} "
                f"| {m['log_loss']:.4f} | {m['calibration_error']:.4f} |"
            )
    for data in ("validation", "test"):
        if "mean_cost" in metrics.get(data, {}):
            cost = metrics[data]["mean_cost"]
            yield from ("", f"The mean cost of the {data} texts is {cost:.4f}.")


def _label_table(
    metrics: Mapping[str, Any], rule: DecisionRule, *, labels: tuple[str, ...]
) -> Iterator[str]:
    """Yields a table with the figures of each label; of too many labels, those of the worst.

    A column has the weights or thresholds of the decisions, if they have any.
    """
    which = "test" if "test" in metrics else "validation"
    per_class = metrics[which].get("per_class", {})
    names = list(per_class)
    if not names:
        return
    title = f"Each label, on the {which} texts:"
    if len(names) > MOST_CLASSES:
        with_texts = [name for name in names if per_class[name]["support"] > 0]
        names = sorted(with_texts, key=lambda name: per_class[name]["f1"])[:MOST_CLASSES]
        title = (
            f"The {len(names)} labels with the lowest F1 of {len(per_class):,}, on the {which} "
            "texts (metrics.json has all):"
        )
    fitted = {"weight": rule.weights, "threshold": rule.thresholds}
    added = {
        name: dict(zip(labels, values, strict=True)) for name, values in fitted.items() if values
    }
    heads = ["label", "precision", "recall", "F1", "texts", *added]
    yield from ("", title, "")
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for name in names:
        m = per_class[name]
        yield (
            f"| {markdown(name, most=MOST_COLUMNS)} | {m['precision']:.2%} | {m['recall']:.2%} "
            f"| {m['f1']:.2%} | {int(m['support']):,} |"
            + "".join(f" {values[name]:.4g} |" for values in added.values())
        )


def language_model_card(config: LanguageModelRunConfig, trained: TrainedModel) -> str:
    """Returns the card of a language model as Markdown; see `model_card`.

    Args:
        config: The settings of the run.
        trained: The model, with the metrics of `held_out` texts.
    """
    training, held_out = trained.metrics["training"], trained.metrics["held_out"]
    name = config.data.text_file or config.data.dataset or "bbc_news"
    lines = [
        f"# Language model: {markdown(name)}",
        "",
        "Predicts each token of a text from the tokens before it"
        + (", and from the tokens after it." if config.model.bidirectional else "."),
        "",
        "## Model",
        "",
        f"- {_recurrence(config.model)}; {trained.weights:,} weights.",
        *_origin_of_cell(config.model),
        f"- {training['vocab_size']:,} pieces of SentencePiece; trained on {training['tokens']:,} "
        f"tokens in {counted(training['updates'], 'update')}; seed {config.runtime.seed}.",
        "",
        "## Metrics on held-out texts",
        "",
        *(f"- {figure.replace('_', ' ')}: {value:.4f}" for figure, value in held_out.items()),
        "",
        "## Use",
        "",
        "```sh",
        f"textrnn score {shell_word(str(trained.folder))} 'a text'",
        f"textrnn train --init-from {shell_word(str(trained.folder))} --train-file labelled.csv",
        "```",
        "",
    ]
    return "\n".join(lines)


def _listed(labels: Sequence[str]) -> str:
    """Returns the first labels; labels.txt lists all of them, unshortened."""
    listed = ", ".join(markdown(label, most=MOST_COLUMNS) for label in labels[:MOST_LABELS])
    if len(labels) <= MOST_LABELS:
        return listed
    return f"{listed} and {len(labels) - MOST_LABELS:,} more (see labels.txt)"


def _literal(text: str) -> str:
    """Returns a string literal of Python, in double quotes unless they need more escapes."""
    return f'"{text}"' if repr(text) == f"'{text}'" and '"' not in text else repr(text)


def _recurrence(model: EncoderConfig) -> str:
    if model.cell == "none":
        return "a bag of embeddings"
    cell = f"{model.layers} x {model.cell} of {counted(model.units, 'unit')}"
    cell += ", both directions" if model.bidirectional else ""
    return cell + (f", a window of {model.window} tokens" if model.window > 1 else "")


def _origin_of_cell(model: EncoderConfig) -> list[str]:
    """Returns a line about the modules of the user's cell; none for a built-in cell."""
    if not model.modules or ">" not in model.cell:
        return []
    return [
        f"- The cell is defined in {' and '.join(f'`{name}`' for name in model.modules)}, which "
        "Python must find (PYTHONPATH) when the model is loaded."
    ]


_BEGIN, _END = "<!-- textrnn report -->", "<!-- /textrnn report -->"


def with_key_figures(card: str, figures: Mapping[str, str], *, page: str | None) -> str:
    """Returns a card with the key figures of a report, which replace earlier ones.

    The rest of the card is not changed.

    Args:
        card: The text of `model_card`, which a user may have edited.
        figures: The figures by name.
        page: The file of the report in the folder of the card; None: the card has no link to it.
    """
    rows = [f"| {markdown(name)} | {markdown(value)} |" for name, value in figures.items()]
    source = "From `textrnn report`"
    source += f"; see [{markdown(page)}]({quote(os.fsencode(page))})." if page else "."
    lines = [_BEGIN, "## Memory", "", source, "", "| figure | value |", "|---|---|", *rows]
    section = "\n".join([*lines, _END, ""])
    before, begun, rest = card.partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    if begun and ended:
        return f"{before}{section}{after.removeprefix(chr(10))}"
    before, use, after = card.partition("## Use\n")
    return f"{before}{section}\n{use}{after}" if use else f"{card.rstrip()}\n\n{section}"
