"""A trained classifier on disk: weights, tokenizer, labels and settings, each with its digest."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from textrnn.atomic import write_atomically
from textrnn.classifier import TextClassifier
from textrnn.config import RunConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.inference import TrainedClassifier
from textrnn.tokenizer import Tokenizer

__all__ = ["FORMAT_VERSION", "begin", "is_complete", "load", "load_config", "save"]

FORMAT_VERSION = 1

CONFIG = "config.yaml"
WEIGHTS = "model.weights.h5"
TOKENIZER = "tokenizer.model"
LABELS = "labels.txt"
METRICS = "metrics.json"
DIGESTS = "digests.json"
"""Written last: a run folder without it is not finished."""

_PACKAGES = ("textrnn", "tensorflow", "keras", "sentencepiece", "numpy")


class _SettingsLoader(yaml.SafeLoader):
    """Plain values only; reads 3e-3 as a number, as YAML 1.2 does."""


_SettingsLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def save(classifier: TrainedClassifier, run: str | Path) -> None:
    """Writes a trained classifier into a run folder.

    The digests are written last, and taken away first if they were there, so that a folder which
    holds them is whole.
    """
    folder = Path(run)
    begin(folder, classifier.config)
    classifier.tokenizer.save(folder / TOKENIZER)
    write_atomically(folder / LABELS, "".join(f"{label}\n" for label in classifier.labels))
    write_atomically(folder / METRICS, json.dumps(classifier.metrics, indent=2) + "\n")
    partial = folder / f"partial.{WEIGHTS}"
    classifier.model.save_weights(partial)
    os.replace(partial, folder / WEIGHTS)
    files = {name: _digest(folder / name) for name in (CONFIG, WEIGHTS, TOKENIZER, LABELS, METRICS)}
    digests = {"format_version": FORMAT_VERSION, "sha256": files}
    write_atomically(folder / DIGESTS, json.dumps(digests, indent=2) + "\n")


def begin(run: str | Path, config: RunConfig) -> None:
    """Makes a folder an unfinished run with these settings.

    `config.yaml` gets all settings, the format's version and the packages' versions.

    Raises:
        OSError: The folder cannot be written to.
    """
    folder = Path(run)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DIGESTS).unlink(missing_ok=True)
    about = {
        "format_version": FORMAT_VERSION,
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }
    text = yaml.safe_dump({"about": about, **config.to_dict()}, sort_keys=False, allow_unicode=True)
    write_atomically(folder / CONFIG, text)


def is_complete(run: str | Path) -> bool:
    """Whether a run folder holds a finished model."""
    return (Path(run) / DIGESTS).is_file()


def load_config(path: str | Path) -> RunConfig:
    """Reads the settings from a `config.yaml`, a run's or one written by hand.

    Raises:
        ConfigError: The file is not YAML, or a setting in it is unknown or wrong.
        ModelError: The file cannot be read, or is of another format version.
    """
    try:
        values = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_SettingsLoader)
    except OSError as error:
        raise ModelError(f"{path}: expected a file of settings, got: {error.strerror}.") from None
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: expected YAML, got: {reason}") from None
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path}: expected sections of settings, got {values!r}.")
    sections = dict(values)
    about = sections.pop("about", {"format_version": FORMAT_VERSION})
    version = about.get("format_version") if isinstance(about, Mapping) else about
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{path}: expected format version {FORMAT_VERSION}, got {version!r}; "
            "load it with the textrnn version that wrote it, or train again."
        )
    try:
        return RunConfig.from_dict(sections)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def load(run: str | Path) -> TrainedClassifier:
    """Reads a trained classifier from a run folder.

    Every file is checked against its digest before anything is made of it. Nothing in the folder
    is executed: it holds numbers, texts and a SentencePiece model.

    Args:
        run: The folder that `textrnn train` wrote.

    Raises:
        ModelError: The folder is missing, unfinished, changed, or of another format version.
    """
    folder = Path(run)
    files = _checked_files(folder)
    config = load_config(folder / CONFIG)
    tokenizer = Tokenizer.from_bytes(files[TOKENIZER])
    labels = tuple(files[LABELS].decode("utf-8").split("\n")[:-1])
    model = TextClassifier(tokenizer.vocab_size, len(labels), config=config.model)
    model.build((None, None))
    try:
        model.load_weights(folder / WEIGHTS)
    except (ValueError, OSError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{folder / WEIGHTS}: its weights do not fit {CONFIG}: {reason}") from None
    metrics = json.loads(files[METRICS])
    return TrainedClassifier(model, tokenizer, labels, config, metrics=metrics)


def _checked_files(folder: Path) -> dict[str, bytes]:
    """The contents of all files but the weights, every file's digest having been compared."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: expected a run folder, found none; make one by textrnn train.")
    if not is_complete(folder):
        resume = f"go on with: textrnn train --resume --output {folder}"
        started = (folder / CONFIG).is_file()
        raise ModelError(
            f"{folder}: this run is not finished; {resume}"
            if started
            else f"{folder}: expected a run folder, got one without {CONFIG} and {DIGESTS}."
        )
    try:
        record = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        version, digests = record["format_version"], dict(record["sha256"])
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"{folder / DIGESTS}: not readable; copy the run folder again.") from None
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{folder}: expected format version {FORMAT_VERSION}, got {version!r}; "
            "load it with the textrnn version that wrote it, or train again."
        )
    contents = {}
    for name in (CONFIG, WEIGHTS, TOKENIZER, LABELS, METRICS):
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path}: missing; copy the run folder again.")
        if _digest(path) != digests.get(name):
            raise ModelError(
                f"{path}: changed or cut short since it was written; copy the run folder again."
            )
        if name != WEIGHTS:
            contents[name] = path.read_bytes()
    return contents


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
