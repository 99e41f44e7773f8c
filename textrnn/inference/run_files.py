"""The files of a run folder: their names, the settings in them, and whether a run is whole.

Nothing here imports TensorFlow, so that a wrong path or setting is found before that is waited for.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import platform
import re
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.section import Settings
from textrnn.data.paths import stem
from textrnn.errors import ConfigError, ModelError
from textrnn.host.atomic import write_atomically
from textrnn.messages.wording import listed
from textrnn.runtime.run_folder import (
    DECISIONS,
    DIGESTS,
    FORMAT_VERSION,
    LABELS,
    METRICS,
    NETWORK,
    TOKENIZER,
)

__all__ = [
    "CHECKPOINTS",
    "CONFIG",
    "DATA",
    "DECISIONS",
    "DIGESTS",
    "FILES",
    "FORMAT_VERSION",
    "LABELS",
    "LOCK",
    "METRICS",
    "NETWORK",
    "TOKENIZER",
    "WEIGHTS",
    "begin",
    "check_finished",
    "check_replaceable",
    "checked_files",
    "checked_settings",
    "default_name",
    "is_complete",
    "load_config",
    "read_any_settings",
    "read_labels",
    "read_provenance",
    "read_settings",
    "replace_file",
    "seal",
]

C = TypeVar("C", bound=Settings)

CONFIG = "config.yaml"
WEIGHTS = "model.weights.h5"
DATA = "data.json"
"""The file of the rows and digests of the splits of the run, and of the profile of its texts, with
which new texts are compared. Older runs lack it."""

CHECKPOINTS = "checkpoints"
LOCK = ".lock"
"""The file in a run folder that a process locks while it trains."""

KINDS: dict[type[Settings], str] = {
    ClassifierRunConfig: "classifier",
    LanguageModelRunConfig: "language_model",
}
"""The kind of run in a folder, as `config.yaml` names it, by the class of its settings."""

FILES: dict[type[Settings], tuple[str, ...]] = {
    ClassifierRunConfig: (CONFIG, WEIGHTS, TOKENIZER, METRICS, LABELS),
    LanguageModelRunConfig: (CONFIG, WEIGHTS, TOKENIZER, METRICS),
}
"""The files of a finished run, by the kind of its settings; the settings are first."""

_COMMANDS = {"classifier": "textrnn train", "language_model": "textrnn pretrain"}
"""The command that makes a run of each kind."""

_PACKAGES = ("textrnn", "tensorflow", "keras", "sentencepiece", "numpy")


class _SettingsLoader(yaml.SafeLoader):
    """Plain values only; reads 3e-3 as a number, as YAML 1.2 does."""


_SettingsLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def seal(folder: Path, names: Sequence[str]) -> None:
    """Writes the digests of these files, which makes the folder a finished run."""
    files = {name: _digest(folder / name) for name in names}
    digests = {"format_version": FORMAT_VERSION, "sha256": files}
    write_atomically(folder / DIGESTS, json.dumps(digests, indent=2) + "\n")


def replace_file(folder: Path, name: str, content: str | bytes) -> None:
    """Replaces or adds one file of a finished run, which stays whole if this is interrupted.

    Args:
        folder: The folder of a finished run.
        name: The name of the file.
        content: Its new content.

    Raises:
        OSError: The folder cannot be written to.
    """
    record = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
    digests, path = record["sha256"], folder / name
    new_bytes = content.encode("utf-8") if isinstance(content, str) else content
    if name in digests:
        # Until the file is replaced, both contents are valid.
        new = hashlib.sha256(new_bytes).hexdigest()
        both = {**record, "sha256": {**digests, name: [_digest(path), new]}}
        write_atomically(folder / DIGESTS, json.dumps(both, indent=2) + "\n")
    write_atomically(path, new_bytes)
    record["sha256"] = {**digests, name: _digest(path)}
    write_atomically(folder / DIGESTS, json.dumps(record, indent=2) + "\n")


def begin(run: str | Path, config: Settings) -> None:
    """Makes a folder an unfinished run with these settings.

    `config.yaml` gets all settings, the format's version and the packages' versions.

    Raises:
        OSError: The folder cannot be written to.
    """
    from importlib.metadata import version  # It imports much.

    folder = Path(run)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DIGESTS).unlink(missing_ok=True)
    about = {
        "format_version": FORMAT_VERSION,
        "kind": KINDS[type(config)],
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }
    values = config.with_absolute_paths().to_dict()
    text = yaml.safe_dump({"about": about, **values}, sort_keys=False, allow_unicode=True)
    write_atomically(folder / CONFIG, text)


def checked_files(folder: Path, kind: type[C]) -> tuple[C, dict[str, bytes]]:
    """The settings and the contents of the files without weights, all digests having been compared.

    Raises:
        ModelError: As for `load`, or it is another kind's run.
    """
    check_finished(folder, kind)
    try:
        record = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        version, digests = record["format_version"], dict(record["sha256"])
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"{folder / DIGESTS}: not readable; copy the run folder again.") from None
    _check_version(version, folder)
    contents = {}
    for name in dict.fromkeys((*FILES[kind], *digests)):
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path}: missing; copy the run folder again.")
        _check_digest(path, digests)
        if name == CONFIG:
            config = read_settings(path, kind)  # Another kind's run lacks other files.
        if name not in (WEIGHTS, NETWORK):
            contents[name] = path.read_bytes()
    return config, contents


def checked_settings(folder: Path, kind: type[C]) -> C:
    """Returns the settings of a finished run, whose digest alone is compared.

    Raises:
        ModelError: As for `checked_files`.
    """
    check_finished(folder, kind)
    try:
        digests = dict(json.loads((folder / DIGESTS).read_text(encoding="utf-8"))["sha256"])
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"{folder / DIGESTS}: not readable; copy the run folder again.") from None
    if not (folder / CONFIG).is_file():
        raise ModelError(f"{folder / CONFIG}: missing; copy the run folder again.")
    _check_digest(folder / CONFIG, digests)
    return read_settings(folder / CONFIG, kind)


def _check_digest(path: Path, digests: Mapping[str, Any]) -> None:
    """Raises ModelError if a file does not have its digest."""
    valid = digests.get(path.name)
    if _digest(path) not in (valid if isinstance(valid, list) else [valid]):
        raise ModelError(
            f"{path}: changed or cut short since it was written; copy the run folder again."
        )


def _check_version(version: Any, where: str | Path) -> None:
    """Raises ModelError if a run folder or a file of settings has another format version."""
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{where}: expected format version {FORMAT_VERSION}, got {version!r}; "
            "load it with the textrnn version that wrote it, or train again."
        )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def default_name(dataset: str | None, file: str | None) -> str:
    """Returns the name of a run folder after the data.

    >>> default_name(None, "data/reviews.csv.gz"), default_name("glue/sst2", None)
    ('reviews', 'glue_sst2')

    Args:
        dataset: The data set, which counts only without a file.
        file: The file of the texts that the run learns from, if there is one.
    """
    if file is not None:
        return stem(file)
    return str(dataset).replace("/", "_").replace(":", "_")


def is_complete(run: str | Path) -> bool:
    """Returns whether a run folder contains a finished model."""
    return (Path(run) / DIGESTS).is_file()


def check_replaceable(run: str | Path, *, resume: bool, overwrite: bool) -> None:
    """Raises ConfigError if a folder contains a finished run that a training may not replace.

    Args:
        run: The folder.
        resume: Whether the training continues from a checkpoint.
        overwrite: Whether the training may replace a run in the folder.
    """
    if is_complete(run) and resume:
        raise ConfigError(
            f"{run} contains a finished run; there is nothing to resume; replace it by `overwrite`."
        )
    if is_complete(run) and not overwrite:
        raise ConfigError(
            f"{run} contains a finished run; choose another `output`, or replace it by `overwrite`."
        )


def check_finished(run: str | Path, kind: type[Settings] = ClassifierRunConfig) -> None:
    """Raises ModelError if a folder is no finished run; changes and reads nothing.

    Args:
        run: The folder.
        kind: The kind of its settings, which says what makes such a run.
    """
    folder, command = Path(run), _COMMANDS[KINDS[kind]]
    if not folder.is_dir():
        close = _close_runs(folder)
        raise ModelError(
            f"{folder}: expected a run folder, found none; make one by {command}"
            + (f", or name one of {', '.join(close)}." if close else ".")
        )
    if is_complete(folder):
        return
    if (folder / CONFIG).is_file():
        read_any_settings(folder / CONFIG)  # A run of another format version cannot continue.
    if (folder / CONFIG).is_file() and not any((folder / CHECKPOINTS).glob("[!.]*")):
        raise ModelError(
            f"{folder}: this run is not finished, and has no checkpoint to continue from; start it "
            f"again with: {command} --config {folder / CONFIG} --output {folder} --overwrite"
        )
    if (folder / CONFIG).is_file():
        raise ModelError(
            f"{folder}: this run is not finished; continue with: "
            f"{command} --resume --output {folder}"
        )
    runs = sorted(str(path.parent) for path in folder.glob(f"*/{DIGESTS}"))
    raise ModelError(
        f"{folder}: expected a run folder, got one without {CONFIG} and {DIGESTS}"
        + (f"; name one of the runs in it: {listed(runs, 5)}." if runs else ".")
    )


def _close_runs(folder: Path) -> list[str]:
    """Returns finished runs next to a missing folder whose names resemble its name."""
    neighbours = [str(path.parent) for path in folder.parent.glob(f"*/{DIGESTS}")]
    return difflib.get_close_matches(str(folder), sorted(neighbours))


def read_labels(run: str | Path) -> tuple[str, ...]:
    """The label names of a finished run of a classifier, in the order of its logits."""
    return tuple((Path(run) / LABELS).read_text(encoding="utf-8").split("\n")[:-1])


def read_provenance(run: str | Path) -> dict[str, Any]:
    """Returns the provenance of the data of a finished run; {} if unknown."""
    path = Path(run) / DATA
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def load_config(path: str | Path) -> ClassifierRunConfig:
    """Reads a classifier's settings from a `config.yaml` of a run, or from a file written by hand.

    Raises:
        ConfigError: The file is not YAML, or a setting in it is unknown or wrong.
        ModelError: The file cannot be read, has another format version, or belongs to a run of
            another kind.
    """
    return read_settings(path, ClassifierRunConfig)


def read_settings(path: str | Path, kind: type[C]) -> C:
    """Reads settings of one kind from a file.

    Raises:
        ConfigError: As for `load_config`.
        ModelError: As for `load_config`.
    """
    sections, written = _read(path, default=KINDS[kind])
    if written != KINDS[kind]:
        raise ModelError(
            f"{path}: expected the run of a {KINDS[kind].replace('_', ' ')}, got that of a "
            f"{written.replace('_', ' ')}; {_COMMANDS[KINDS[kind]]} makes one."
        )
    return _made(kind, sections, path)


def read_any_settings(path: str | Path) -> Settings:
    """Reads settings whose kind the file says; without a kind they are a classifier's.

    Raises:
        ConfigError: As for `load_config`.
        ModelError: As for `load_config`.
    """
    sections, written = _read(path, default=KINDS[ClassifierRunConfig])
    kind = next((kind for kind, name in KINDS.items() if name == written), None)
    if kind is None:
        raise ModelError(
            f"{path}: expected the settings of a {' or a '.join(KINDS.values())}, got {written!r}."
        )
    return _made(kind, sections, path)


def _made(kind: type[C], sections: Mapping[str, Any], path: str | Path) -> C:
    try:
        return kind.from_dict(sections)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _read(path: str | Path, *, default: str) -> tuple[dict[str, Any], str]:
    """The sections of a file of settings, and the kind of run that it names."""
    try:
        values = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_SettingsLoader)
    except OSError as error:
        raise ModelError(f"{path}: expected a file of settings, got: {error.strerror}.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
        raise ConfigError(f"{path}{where}: expected YAML, got: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: expected YAML, got: {reason}") from None
    if not isinstance(values, Mapping):
        got = "an empty file" if values is None else reprlib.repr(values)
        raise ConfigError(f"{path}: expected sections of settings, got {got}.")
    sections = dict(values)
    about = sections.pop("about", {"format_version": FORMAT_VERSION})
    version = about.get("format_version") if isinstance(about, Mapping) else about
    _check_version(version, path)
    return sections, str(about.get("kind", default)) if isinstance(about, Mapping) else default
