"""The answers of a classifier to texts, and the lines that show them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textrnn.cli.console import single_spaced
from textrnn.cli.likelihoods import Scorer, load_scorer, usual_bits
from textrnn.cli.texts import BadRow
from textrnn.runtime.blocks import blocks

if TYPE_CHECKING:
    from textrnn.cli.answering_run import AnsweringRun
    from textrnn.inference.classifier import TrainedClassifier
    from textrnn.runtime import Prediction, RuntimeModel

__all__ = [
    "Answer",
    "AnswerOptions",
    "answer_texts",
    "json_line",
    "label_separator",
    "text_line",
    "with_likelihoods",
]

BLOCK_TEXTS = 256
"""Number of texts whose likelihoods are computed together."""


@dataclass(frozen=True)
class AnswerOptions:
    """The options of `textrnn predict` for answers with more than one prediction per text.

    Attributes:
        confident: The probability of the label at which reading stops; None: read the whole text.
        confident_tokens: Number of successive tokens for which the label must have it.
        with_likelihood: Whether to compute the likelihood of each text.
        language_model: Run folder of the language model for the likelihoods; None: the one that
            the classifier started from.
    """

    confident: float | None = None
    confident_tokens: int = 32
    with_likelihood: bool = False
    language_model: Path | None = None

    @property
    def likelihood(self) -> bool:
        """Returns whether the answers have likelihoods; a named language model requests them."""
        return self.with_likelihood or self.language_model is not None

    @property
    def figures(self) -> dict[str, type]:
        """Returns the types of the figures of each answer, by name."""
        early = {"tokens_read": int, "tokens": int} if self.confident is not None else {}
        likely = {"log_likelihood": float, "bits_per_token": float, "unusual": bool}
        return {**early, **(likely if self.likelihood else {})}


@dataclass(frozen=True)
class Answer:
    """A text, its prediction, and further figures by name."""

    text: str
    prediction: Prediction
    figures: Mapping[str, Any] = field(default_factory=dict)


def answer_texts(
    run: AnsweringRun, texts: Iterable[str], options: AnswerOptions
) -> Iterator[Answer]:
    """Yields an answer to each text, in their order, at constant memory.

    Args:
        run: The run that answers.
        texts: The texts.
        options: What the answers contain in addition to the prediction from the whole text.

    Raises:
        ConfigError: The classifier cannot stop early, or has no language model.
        ModelError: The language model cannot be loaded.
    """
    answers = _predictions(run, texts, options)
    if options.likelihood:
        started_from = options.language_model or run.config.start.init_from
        model, folder = run.scorer or load_scorer(started_from)
        return with_likelihoods(answers, model, run=folder)
    return answers


def _predictions(
    run: AnsweringRun, texts: Iterable[str], options: AnswerOptions
) -> Iterator[Answer]:
    if options.confident is None:
        for text, prediction in run.predictions(texts):
            yield Answer(text, prediction)
        return
    for text in texts:
        prediction, read, tokens = run.classifier.predict_early(
            text, confident=options.confident, tokens=options.confident_tokens
        )
        yield Answer(text, prediction, {"tokens_read": read, "tokens": tokens})


def with_likelihoods(answers: Iterable[Answer], model: Scorer, *, run: Path) -> Iterator[Answer]:
    """Adds to each answer the likelihood of its text, and whether the text is unusual.

    A text is unusual if it has more bits per token than 99 of 100 texts that were held out of the
    training of the language model.

    Args:
        answers: The answers.
        model: The language model.
        run: Its run folder, for messages.

    Raises:
        ModelError: The language model was not measured.
    """
    usual = usual_bits(model, run)
    for block in blocks(answers, BLOCK_TEXTS):
        likelihoods = model.score([answer.text for answer in block])
        for answer, likelihood in zip(block, likelihoods, strict=True):
            figures = {
                "log_likelihood": likelihood.log_likelihood,
                "bits_per_token": likelihood.bits_per_token,
                "unusual": likelihood.bits_per_token > usual,
            }
            yield replace(answer, figures={**answer.figures, **figures})


def json_line(answer: Answer | BadRow) -> str:
    """Returns an answer as one line of JSON."""
    if isinstance(answer, BadRow):
        return json.dumps({"text": None, "label": None, "error": answer.reason})
    fields = {"text": answer.text, **answer.prediction.to_dict(), **answer.figures}
    return json.dumps(fields, ensure_ascii=False)


def text_line(answer: Answer | BadRow, *, separator: str) -> str:
    """Returns an answer as columns with a tab between them.

    The columns are labels, scores and text, with the bits per token and the uncertainty before the
    text if they are known. A row that cannot be read has two empty columns and the reason.

    Args:
        answer: The answer.
        separator: The separator of several labels, and of their scores.
    """
    if isinstance(answer, BadRow):
        return f"\t\t{single_spaced(answer.reason)}"
    prediction, figures = answer.prediction, answer.figures
    labels = [single_spaced(label) for label in prediction.labels]
    scores = [prediction.scores[label] for label in prediction.labels] or [prediction.score]
    columns = [separator.join(labels) or "-", separator.join(f"{score:.4f}" for score in scores)]
    if "bits_per_token" in figures:
        unusual = ", unusual" if figures["unusual"] else ""
        columns.append(f"{figures['bits_per_token']:.2f} bits{unusual}")
    if "uncertainty" in figures:
        columns.append(f"{figures['uncertainty']:.4f}")
    return "\t".join([*columns, single_spaced(answer.text)])


def label_separator(classifier: TrainedClassifier | RuntimeModel) -> str:
    """Returns a separator of labels that no label contains, if possible the one of the run's data.

    Args:
        classifier: The classifier whose labels are shown.
    """
    preferred = classifier.label_separator
    for separator in (preferred, ";", "|", " | "):
        if separator.strip() and not any(separator in label for label in classifier.labels):
            return separator
    return " || "
