"""A trained classifier on disk: weights, tokenizer, labels and settings, each with its digest."""

from __future__ import annotations

import json
import os
from pathlib import Path

import keras

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import EncoderConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.host.atomic import write_atomically
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.inference.own_cell import import_cell
from textrnn.inference.run_files import (
    CONFIG,
    DATA,
    DECISIONS,
    DIGESTS,
    FILES,
    FORMAT_VERSION,
    LABELS,
    METRICS,
    NETWORK,
    TOKENIZER,
    WEIGHTS,
    begin,
    checked_files,
    is_complete,
    load_config,
    read_settings,
    seal,
)
from textrnn.inference.runtime_file import language_model_file, runtime_file
from textrnn.models.classifier import TextClassifier
from textrnn.models.language_model import LanguageModel
from textrnn.runtime.run_folder import rule_of
from textrnn.text.tokenizer import Tokenizer

__all__ = [
    "CONFIG",
    "DATA",
    "DECISIONS",
    "DIGESTS",
    "FORMAT_VERSION",
    "LABELS",
    "METRICS",
    "NETWORK",
    "TOKENIZER",
    "WEIGHTS",
    "begin",
    "decisions_text",
    "is_complete",
    "load",
    "load_config",
    "load_language_model",
    "read_settings",
    "save",
    "save_language_model",
]


def save(classifier: TrainedClassifier, run: str | Path, *, is_light: bool = True) -> None:
    """Writes a trained classifier into a run folder.

    The digests are written last, and taken away first if they were there, so that a folder which
    holds them is whole.

    Args:
        classifier: The classifier.
        run: The run folder.
        is_light: Whether to write the file of the light runtime, if it knows the cell.
    """
    folder = Path(run)
    begin(folder, classifier.config)
    write_atomically(folder / LABELS, "".join(f"{label}\n" for label in classifier.labels))
    write_atomically(folder / DECISIONS, decisions_text(classifier))
    (folder / DATA).unlink(missing_ok=True)
    if classifier.data:
        write_atomically(folder / DATA, json.dumps(classifier.data, indent=2) + "\n")
    _save(classifier, folder, network=runtime_file(classifier) if is_light else None)


def decisions_text(classifier: TrainedClassifier) -> str:
    """Returns the content of `decisions.json` for the rule of a classifier."""
    rule = classifier.rule.to_dict(classifier.labels)
    return json.dumps(rule, indent=2, ensure_ascii=False) + "\n"


def save_language_model(trained: TrainedLanguageModel, run: str | Path) -> None:
    """Writes a trained language model into a run folder, as `save` does a classifier."""
    folder = Path(run)
    begin(folder, trained.config)
    _save(trained, folder, network=language_model_file(trained))


def _save(
    trained: TrainedClassifier | TrainedLanguageModel, folder: Path, *, network: bytes | None
) -> None:
    (folder / NETWORK).unlink(missing_ok=True)
    if network is not None:
        write_atomically(folder / NETWORK, network)
    trained.tokenizer.save(folder / TOKENIZER)
    write_atomically(folder / METRICS, json.dumps(trained.metrics, indent=2) + "\n")
    partial = folder / f"partial.{WEIGHTS}"
    trained.model.save_weights(partial)
    os.replace(partial, folder / WEIGHTS)
    names = [*FILES[type(trained.config)], DATA, DECISIONS, NETWORK]
    seal(folder, [name for name in names if (folder / name).is_file()])


def load(run: str | Path) -> TrainedClassifier:
    """Reads a trained classifier from a run folder.

    Every file is checked against its digest before anything is made of it. Nothing in the folder
    is executed: it holds numbers, texts and a SentencePiece model. If the run has a cell of the
    user's that is not registered yet, the modules that its settings name are imported, from the
    places where Python finds modules and never from the folder.

    Args:
        run: The folder that `textrnn train` wrote.

    Raises:
        ModelError: The folder is missing, unfinished, changed, or of another format version, or
            its cell cannot be imported.
    """
    folder = Path(run)
    config, files = checked_files(folder, ClassifierRunConfig)
    _import_cell(config.model, folder)
    tokenizer = Tokenizer.from_bytes(files[TOKENIZER])
    labels = tuple(files[LABELS].decode("utf-8").split("\n")[:-1])
    metrics = json.loads(files[METRICS])
    ngrams = metrics.get("ngrams")
    model = TextClassifier(
        tokenizer.vocab_size,
        len(labels),
        config=config.model,
        ngram_counts=None if ngrams is None else ngrams["counts"],
        name="classifier",
    )
    _load_weights(model, folder)
    data = json.loads(files.get(DATA, b"{}"))
    rule = rule_of(files, labels, folder)
    return TrainedClassifier(
        model, tokenizer, labels, config, metrics=metrics, data=data, rule=rule, folder=folder
    )


def load_language_model(run: str | Path) -> TrainedLanguageModel:
    """Reads a trained language model from a run folder, as `load` does a classifier.

    Args:
        run: The folder that `textrnn pretrain` wrote.

    Raises:
        ModelError: As for `load`.
    """
    folder = Path(run)
    config, files = checked_files(folder, LanguageModelRunConfig)
    _import_cell(config.model, folder)
    tokenizer = Tokenizer.from_bytes(files[TOKENIZER])
    model = LanguageModel(tokenizer.vocab_size, config=config.model, name="language_model")
    _load_weights(model, folder)
    return TrainedLanguageModel(model, tokenizer, config, json.loads(files[METRICS]))


def _import_cell(encoder: EncoderConfig, folder: Path) -> None:
    try:
        import_cell(encoder, run=folder)
    except ConfigError as error:
        raise ModelError(f"{folder / CONFIG}: {error}") from None


def _load_weights(model: keras.Model, folder: Path) -> None:
    model.build((None, None))
    try:
        model.load_weights(folder / WEIGHTS)
    except (ValueError, OSError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{folder / WEIGHTS}: its weights do not fit {CONFIG}: {reason}") from None
