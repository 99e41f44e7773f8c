"""The description of an exported model: what a program needs to know, whichever file it loads."""

from __future__ import annotations

import dataclasses
import os
import platform
from pathlib import Path
from typing import Any

from textrnn.config.tokenizer import TokenizerConfig
from textrnn.export.formats.base import ExportContext
from textrnn.export.graphs.streaming_state import STREAM_TOKENS
from textrnn.export.manifest import CLASSIFIER, LANGUAGE_MODEL, digests
from textrnn.host.packages import installed_version
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.inference.run_files import WEIGHTS
from textrnn.text.tokenizer import Tokenizer

__all__ = ["describe", "describe_decisions", "describe_language_model", "weights_digest"]

_PACKAGES = ("textrnn", "tensorflow", "keras", "tensorflow-text", "sentencepiece")


def describe(context: ExportContext, *, verified_texts: int) -> dict[str, Any]:
    """Returns plain values for the manifest.

    Args:
        context: The export.
        verified_texts: How many real texts the files were verified with.
    """
    classifier, options = context.classifier, context.options
    config = classifier.config.tokenizer
    return {
        "model": CLASSIFIER,
        "name": options.name,
        "version": options.version,
        "run": _relative(context.run, context.folder),
        "weights_sha256": weights_digest(context.run),
        "labels": list(classifier.labels),
        "multi_label": classifier.label_space.multi_label,
        "decisions": describe_decisions(classifier),
        "tokenizer": _tokenizer(run_folder.TOKENIZER, classifier.tokenizer, config),
        "plain_ops": options.plain_ops,
        "max_length": classifier.config.batches.max_length or None,
        "lengths": list(options.lengths),
        "stream_tokens": STREAM_TOKENS,
        "verified_with_texts": verified_texts,
        "made_with": _made_with(),
    }


def describe_language_model(
    trained: TrainedLanguageModel, run: Path, folder: Path, *, tokenizer_file: str
) -> dict[str, Any]:
    """Returns plain values for the manifest of a language model.

    Args:
        trained: The language model.
        run: Its run folder.
        folder: The export folder.
        tokenizer_file: The path of the tokenizer from the export folder.
    """
    config = trained.config.tokenizer
    return {
        "model": LANGUAGE_MODEL,
        "run": _relative(run, folder),
        "directions": trained.model.directions,
        "tokenizer": _tokenizer(tokenizer_file, trained.tokenizer, config),
        "made_with": _made_with(),
    }


def describe_decisions(classifier: TrainedClassifier) -> dict[str, Any]:
    """Returns the rule that decides, with a sentence on how to apply it to scores.

    The SavedModel applies it itself; the other files give scores alone.
    """
    rule = classifier.rule
    plain = dataclasses.replace(rule, fitted={}).to_dict(classifier.labels)
    multi_label = classifier.label_space.multi_label
    return {**plain, "instruction": rule.instruction(multi_label=multi_label)}


def weights_digest(run: Path) -> str:
    """Returns the SHA-256 digest of the weights of a run, another one after each training."""
    return digests(run / WEIGHTS, base=run)[WEIGHTS]


def _relative(run: Path, folder: Path) -> str:
    """Returns the path of the run folder from the export folder."""
    return os.path.relpath(run.resolve(), folder.resolve())


def _made_with() -> dict[str, str]:
    versions = {name: installed_version(name) for name in _PACKAGES}
    installed = {name: version for name, version in versions.items() if version is not None}
    return {"python": platform.python_version(), **installed}


def _tokenizer(file: str, tokenizer: Tokenizer, config: TokenizerConfig) -> dict[str, Any]:
    return {
        "file": file,
        "kind": f"SentencePiece {config.piece_type}",
        "vocab_size": tokenizer.vocab_size,
        "padding_id": tokenizer.PAD,
        "unknown_id": tokenizer.UNK,
        "lower_cases": config.lowercase,
        "normalization": config.normalization,
        "begin_and_end_ids": None,
    }
