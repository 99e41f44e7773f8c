"""The model card: what a run folder's model is, and how good, for whoever finds the folder."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import EncoderConfig
from textrnn.messages.shown import markdown
from textrnn.messages.wording import counted

__all__ = ["language_model_card", "model_card", "with_key_figures"]

MOST_LABELS = 20
"""Labels that a card lists."""
MOST_COLUMNS = 80
"""The width of each."""


def model_card(
    config: ClassifierRunConfig,
    *,
    folder: Path,
    name: str,
    labels: tuple[str, ...],
    weights: int,
    metrics: Mapping[str, Any],
    notices: tuple[str, ...],
) -> str:
    """The card, as Markdown (after Mitchell et al. 2019, "Model Cards for Model Reporting").

    Args:
        config: The run's settings.
        folder: The run folder, as the user names it.
        name: The data's name.
        labels: The label names.
        weights: How many numbers the model has learned.
        metrics: The figures of `validation`, perhaps of `test`, and `training`.
        notices: What was counted and left out of the data.
    """
    model = config.model
    trained = metrics["training"]
    chosen = config.schedule.final_weights == "best"
    lines = [
        f"# Text classifier: {markdown(name)}",
        "",
        f"A recurrent classifier of texts into {counted(len(labels), 'label')}: {_listed(labels)}.",
        "",
        "## Model",
        "",
        f"- {_recurrence(model)}; head: {model.head}; {weights:,} weights.",
        f"- {config.tokenizer.piece_type} pieces of SentencePiece, "
        f"{trained['vocab_size']:,} of them; text is "
        f"{'folded to lower case' if config.tokenizer.lowercase else 'case-sensitive'}.",
        f"- The weights of epoch {trained['best_epoch']} of {trained['epochs']}, "
        f"{'chosen on the validation data' if chosen else 'the last'}; "
        f"seed {config.runtime.seed}.",
        "",
        "## Measured",
        "",
        "| data | texts | accuracy | macro F1 | log loss | calibration error |",
        "|---|---|---|---|---|---|",
    ]
    for which in ("validation", "test"):
        if which in metrics:
            m = metrics[which]
            lines.append(
                f"| {which} | {m['texts']:,} | {m['accuracy']:.2%} | {m['macro_f1']:.2%} "
                f"| {m['log_loss']:.4f} | {m['calibration_error']:.4f} |"
            )
    if chosen and "test" not in metrics:
        lines += ["", "There was no test data: the validation figures chose the epoch and flatter."]
    lines += ["", "![learning curves](curves.png)", "", "## Use", "", "```python", "import textrnn"]
    lines += [f"model = textrnn.load({_literal(str(folder))})", 'model.predict(["a text"])', "```"]
    lines += ["", "The model knows the kind of text it was trained on and no other.", ""]
    if notices:
        lines += ["## Data", "", *(f"- {markdown(notice)}" for notice in notices), ""]
    return "\n".join(lines)


def language_model_card(
    config: LanguageModelRunConfig, *, folder: Path, weights: int, metrics: Mapping[str, Any]
) -> str:
    """The card of a language model; see `model_card`."""
    trained, held = metrics["training"], metrics["held_out"]
    name = config.data.text_file or config.data.dataset or "bbc_news"
    lines = [
        f"# Language model: {markdown(name)}",
        "",
        "Predicts each token of a text from those before it"
        + (", and from those after it." if config.model.bidirectional else "."),
        "",
        "## Model",
        "",
        f"- {_recurrence(config.model)}; {weights:,} weights.",
        f"- {trained['vocab_size']:,} pieces of SentencePiece; {trained['tokens']:,} tokens read "
        f"in {counted(trained['updates'], 'update')}; seed {config.runtime.seed}.",
        "",
        "## Measured on texts held out",
        "",
        *(f"- {figure.replace('_', ' ')}: {value:.4f}" for figure, value in held.items()),
        "",
        "## Use",
        "",
        "```sh",
        f"textrnn score {_argument(str(folder))} 'a text'",
        f"textrnn train --init-from {_argument(str(folder))} --train-file labelled.csv",
        "```",
        "",
    ]
    return "\n".join(lines)


def _listed(labels: tuple[str, ...]) -> str:
    """The first labels; the file has them all, as they stand."""
    listed = ", ".join(markdown(label, most=MOST_COLUMNS) for label in labels[:MOST_LABELS])
    if len(labels) <= MOST_LABELS:
        return listed
    return f"{listed} and {len(labels) - MOST_LABELS:,} more, all in labels.txt"


def _literal(text: str) -> str:
    """A string of Python, between double quotes where that needs no other escapes."""
    return f'"{text}"' if repr(text) == f"'{text}'" and '"' not in text else repr(text)


def _argument(text: str) -> str:
    """A word for the shell; one with bytes that cannot be shown in the form of bash and zsh."""
    if text.isprintable():
        return shlex.quote(text)
    plain = set(range(32, 127)) - set(b"\\'")
    escaped = (chr(b) if b in plain else f"\\x{b:02x}" for b in os.fsencode(text))
    return f"$'{''.join(escaped)}'"


def _recurrence(model: EncoderConfig) -> str:
    if model.cell == "none":
        return "a bag of embeddings"
    cell = f"{model.layers} x {model.cell} of {counted(model.units, 'unit')}"
    cell += ", read in both directions" if model.bidirectional else ""
    return cell + (f", each step seeing {model.window} tokens" if model.window > 1 else "")


_BEGIN, _END = "<!-- textrnn report -->", "<!-- /textrnn report -->"


def with_key_figures(card: str, figures: Mapping[str, str], *, page: str | None) -> str:
    """A card with these figures of an analysis, in the place of any that it had.

    Everything else of the card stays as it is.

    Args:
        card: As `model_card` wrote it, perhaps changed since.
        figures: By their names.
        page: The report beside the card, None without.
    """
    rows = [f"| {markdown(name)} | {markdown(value)} |" for name, value in figures.items()]
    told = "By `textrnn report`"
    told += f"; its page is [{markdown(page)}]({quote(os.fsencode(page))})." if page else "."
    lines = [_BEGIN, "## Remembers", "", told, "", "| figure | value |", "|---|---|", *rows]
    section = "\n".join([*lines, _END, ""])
    before, begun, rest = card.partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    if begun and ended:
        return f"{before}{section}{after.removeprefix(chr(10))}"
    before, use, after = card.partition("## Use\n")
    return f"{before}{section}\n{use}{after}" if use else f"{card.rstrip()}\n\n{section}"
