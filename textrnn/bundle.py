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
from typing import TypeVar

import keras
import yaml

from textrnn.atomic import write_atomically
from textrnn.classifier import TextClassifier
from textrnn.config import RunConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.inference import TrainedClassifier
from textrnn.language_model import LanguageModel
from textrnn.likelihood import TrainedLanguageModel
from textrnn.pretrain_config import PretrainConfig
from textrnn.settings import Settings
from textrnn.tokenizer import Tokenizer

__all__ = [
    "FORMAT_VERSION",
    "begin",
    "is_complete",
    "load",
    "load_config",
    "load_language_model",
    "read_settings",
    "save",
    "save_language_model",
]

C = TypeVar("C", bound=Settings)

FORMAT_VERSION = 1

CONFIG = "config.yaml"
WEIGHTS = "model.weights.h5"
TOKENIZER = "tokenizer.model"
LABELS = "labels.txt"
METRICS = "metrics.json"
DIGESTS = "digests.json"
"""Written last: a run folder without it is not finished."""

_KINDS: dict[type[Settings], str] = {
    RunConfig: "classifier",
    PretrainConfig: "language_model",
}
"""What a run folder is, by the kind of its settings; `config.yaml` says it."""

_FILES: dict[type[Settings], tuple[str, ...]] = {
    RunConfig: (CONFIG, WEIGHTS, TOKENIZER, METRICS, LABELS),
    PretrainConfig: (CONFIG, WEIGHTS, TOKENIZER, METRICS),
}
"""What a finished run has, by the kind of its settings, which stand first."""

_COMMANDS = {"classifier": "textrnn train", "language_model": "textrnn pretrain"}
"""What makes one."""

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
    write_atomically(folder / LABELS, "".join(f"{label}\n" for label in classifier.labels))
    _save(classifier, folder)


def save_language_model(trained: TrainedLanguageModel, run: str | Path) -> None:
    """Writes a trained language model into a run folder, as `save` does a classifier."""
    folder = Path(run)
    begin(folder, trained.config)
    _save(trained, folder)


def _save(trained: TrainedClassifier | TrainedLanguageModel, folder: Path) -> None:
    trained.tokenizer.save(folder / TOKENIZER)
    write_atomically(folder / METRICS, json.dumps(trained.metrics, indent=2) + "\n")
    partial = folder / f"partial.{WEIGHTS}"
    trained.model.save_weights(partial)
    os.replace(partial, folder / WEIGHTS)
    _seal(folder, _FILES[type(trained.config)])


def _seal(folder: Path, names: tuple[str, ...]) -> None:
    files = {name: _digest(folder / name) for name in names}
    digests = {"format_version": FORMAT_VERSION, "sha256": files}
    write_atomically(folder / DIGESTS, json.dumps(digests, indent=2) + "\n")


def begin(run: str | Path, config: Settings) -> None:
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
        "kind": _KINDS[type(config)],
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }
    text = yaml.safe_dump({"about": about, **config.to_dict()}, sort_keys=False, allow_unicode=True)
    write_atomically(folder / CONFIG, text)


def is_complete(run: str | Path) -> bool:
    """Whether a run folder holds a finished model."""
    return (Path(run) / DIGESTS).is_file()


def load_config(path: str | Path) -> RunConfig:
    """Reads a classifier's settings from a `config.yaml`, a run's or one written by hand.

    Raises:
        ConfigError: The file is not YAML, or a setting in it is unknown or wrong.
        ModelError: The file cannot be read, is of another format version, or is another kind's.
    """
    return read_settings(path, RunConfig)


def read_settings(path: str | Path, kind: type[C]) -> C:
    """The same of any kind of settings.

    Raises:
        ConfigError: As for `load_config`.
        ModelError: As for `load_config`.
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
    found = about.get("kind", _KINDS[kind]) if isinstance(about, Mapping) else None
    if found != _KINDS[kind]:
        raise ModelError(
            f"{path}: expected the run of a {_KINDS[kind].replace('_', ' ')}, got that of a "
            f"{str(found).replace('_', ' ')}; {_COMMANDS[_KINDS[kind]]} makes one."
        )
    try:
        return kind.from_dict(sections)
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
    config, files = _checked_files(folder, RunConfig)
    tokenizer = Tokenizer.from_bytes(files[TOKENIZER])
    labels = tuple(files[LABELS].decode("utf-8").split("\n")[:-1])
    model = TextClassifier(
        tokenizer.vocab_size, len(labels), config=config.model, name="classifier"
    )
    _load_weights(model, folder)
    metrics = json.loads(files[METRICS])
    return TrainedClassifier(model, tokenizer, labels, config, metrics=metrics)


def load_language_model(run: str | Path) -> TrainedLanguageModel:
    """Reads a trained language model from a run folder, as `load` does a classifier.

    Args:
        run: The folder that `textrnn pretrain` wrote.

    Raises:
        ModelError: As for `load`.
    """
    folder = Path(run)
    config, files = _checked_files(folder, PretrainConfig)
    tokenizer = Tokenizer.from_bytes(files[TOKENIZER])
    model = LanguageModel(tokenizer.vocab_size, config=config.model, name="language_model")
    _load_weights(model, folder)
    return TrainedLanguageModel(model, tokenizer, config, json.loads(files[METRICS]))


def _load_weights(model: keras.Model, folder: Path) -> None:
    model.build((None, None))
    try:
        model.load_weights(folder / WEIGHTS)
    except (ValueError, OSError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{folder / WEIGHTS}: its weights do not fit {CONFIG}: {reason}") from None


def _checked_files(folder: Path, kind: type[C]) -> tuple[C, dict[str, bytes]]:
    """The settings and the contents of all files but the weights, all digests having been compared.

    Raises:
        ModelError: As for `load`, or it is another kind's run.
    """
    command = _COMMANDS[_KINDS[kind]]
    if not folder.is_dir():
        raise ModelError(f"{folder}: expected a run folder, found none; make one by {command}.")
    if not is_complete(folder):
        resume = f"go on with: {command} --resume --output {folder}"
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
    for name in dict.fromkeys((*_FILES[kind], *digests)):
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path}: missing; copy the run folder again.")
        if _digest(path) != digests.get(name):
            raise ModelError(
                f"{path}: changed or cut short since it was written; copy the run folder again."
            )
        if name == CONFIG:
            config = read_settings(path, kind)  # Another kind's run lacks other files.
        if name != WEIGHTS:
            contents[name] = path.read_bytes()
    return config, contents


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
