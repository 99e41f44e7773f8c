"""The description of an exported model: what a program needs to know, whichever file it loads."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from textrnn.export.formats.base import ExportContext
from textrnn.export.graphs.streaming_state import STREAM_TOKENS
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier

__all__ = ["describe", "describe_decisions"]

_PACKAGES = ("textrnn", "tensorflow", "keras", "tensorflow-text", "sentencepiece")


def describe(context: ExportContext, *, verified_texts: int) -> dict[str, Any]:
    """Returns plain values for the manifest.

    Args:
        context: The export.
        verified_texts: How many real texts the files were verified with.
    """
    classifier, options = context.classifier, context.options
    return {
        "name": options.name,
        "version": options.version,
        "run": _relative(context.run, context.folder),
        "labels": list(classifier.labels),
        "multi_label": classifier.label_space.multi_label,
        "decisions": describe_decisions(classifier),
        "tokenizer": _tokenizer(classifier),
        "plain_ops": options.plain_ops,
        "max_length": classifier.config.batches.max_length or None,
        "lengths": list(options.lengths),
        "stream_tokens": STREAM_TOKENS,
        "verified_with_texts": verified_texts,
        "made_with": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
    }


def describe_decisions(classifier: TrainedClassifier) -> dict[str, Any]:
    """Returns the rule that decides, with a sentence on how to apply it to scores.

    The SavedModel applies it itself; the other files give scores alone.
    """
    rule = classifier.rule
    plain = dataclasses.replace(rule, fitted={}).to_dict(classifier.labels)
    multi_label = classifier.label_space.multi_label
    return {**plain, "instruction": rule.instruction(multi_label=multi_label)}


def _relative(run: Path, folder: Path) -> str:
    """Returns the path of the run folder from the export folder."""
    return os.path.relpath(run.resolve(), folder.resolve())


def _tokenizer(classifier: TrainedClassifier) -> dict[str, Any]:
    config = classifier.config.tokenizer
    return {
        "file": run_folder.TOKENIZER,
        "kind": f"SentencePiece {config.piece_type}",
        "vocab_size": classifier.tokenizer.vocab_size,
        "padding_id": classifier.tokenizer.PAD,
        "unknown_id": classifier.tokenizer.UNK,
        "lower_cases": config.lowercase,
        "normalization": config.normalization,
        "begin_and_end_ids": None,
    }
