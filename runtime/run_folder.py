"""The files of a run folder that a light program reads, each compared with its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ModelError

if TYPE_CHECKING:
    from .decision_rule import DecisionRule

__all__ = [
    "DECISIONS",
    "DIGESTS",
    "FORMAT_VERSION",
    "LABELS",
    "METRICS",
    "NETWORK",
    "TOKENIZER",
    "has_network",
    "language_model_of",
    "read_files",
    "read_language_model_files",
    "rule_of",
]

FORMAT_VERSION = 2
"""2: settings by noun. 1: textrnn 0.1's four sections."""

NETWORK = "runtime.safetensors"
"""The weights and settings of the network, as `tensor_file` reads them. Older runs, and runs with
a cell of the user's, lack it."""

TOKENIZER = "tokenizer.model"
LABELS = "labels.txt"
DECISIONS = "decisions.json"
"""The file of the rule that decides, and of its figures. Older runs lack it."""

METRICS = "metrics.json"
"""What was measured, and what the training started from."""

DIGESTS = "digests.json"
"""Written last: a run folder without it is not finished."""


def has_network(folder: Path) -> bool:
    """Returns whether a folder is a finished run that the light runtime can load.

    It reads the list of the digests only. A file that another program put beside the run does not
    count.
    """
    try:
        record = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        return NETWORK in record["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def read_files(folder: Path) -> dict[str, bytes]:
    """Returns the contents of the files of a classifier, by name, all digests having been compared.

    Raises:
        ModelError: The folder is missing, no finished run or that of a language model, or a file is
            missing or changed.
    """
    digests = _digests(folder, command="textrnn train")
    if LABELS not in digests:
        raise ModelError(
            f"{folder}: expected the run of a classifier, got that of a language model; textrnn "
            "train makes one."
        )
    names = [NETWORK, TOKENIZER, LABELS, *([DECISIONS] if DECISIONS in digests else [])]
    return {name: _content(folder / name, digests) for name in names}


def read_language_model_files(folder: Path) -> dict[str, bytes]:
    """Returns the contents of the files of a language model; see `read_files`.

    Raises:
        ModelError: The folder is missing, no finished run or that of a classifier, or a file is
            missing or changed.
    """
    digests = _digests(folder, command="textrnn pretrain")
    if LABELS in digests:
        raise ModelError(
            f"{folder}: expected the run of a language model, got that of a classifier; textrnn "
            "pretrain makes one."
        )
    return {name: _content(folder / name, digests) for name in (NETWORK, TOKENIZER)}


def language_model_of(folder: Path) -> Path | None:
    """Returns the run folder of the language model that the run of a classifier started from.

    Args:
        folder: The run folder of the classifier.

    Returns:
        The folder, which may be gone; None if the run did not start from a language model, or was
        trained by a version that did not record the folder.

    Raises:
        ModelError: The file of the figures is missing or changed.
    """
    digests = _digests(folder, command="textrnn train")
    if METRICS not in digests:
        return None  # An exported folder has no figures.
    try:
        start = json.loads(_content(folder / METRICS, digests)).get("start") or {}
        recorded = start.get("folder") if start.get("kind") == "language_model" else None
    except (ValueError, AttributeError):
        return None
    return None if recorded is None else Path(recorded)


def _digests(folder: Path, *, command: str) -> dict[str, object]:
    """Returns the digests of a finished run, by the names of its files.

    A run without the file of the light runtime is refused.

    Args:
        folder: The run folder.
        command: The command that makes such a run, for messages.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder}: expected a run folder, found none; make one by {command}.")
    try:
        record = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        version, digests = record["format_version"], dict(record["sha256"])
    except FileNotFoundError:
        raise ModelError(
            f"{folder}: expected a finished run, got a folder without {DIGESTS}; finish the run by "
            f"{command} --resume, or copy it again."
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(f"{folder / DIGESTS}: not readable; copy the run folder again.") from None
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{folder}: expected format version {FORMAT_VERSION}, got {version!r}; load it with "
            "the textrnn version that wrote it, or train again."
        )
    if NETWORK not in digests:
        raise ModelError(
            f"{folder}: expected a run with {NETWORK}, got one without; textrnn export RUN --kind "
            "runtime writes it, unless the run has a cell of its own."
        )
    return digests


def _content(path: Path, digests: Mapping[str, object]) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        raise ModelError(f"{path}: missing; copy the run folder again.") from None
    valid = digests.get(path.name)
    if hashlib.sha256(content).hexdigest() not in (valid if isinstance(valid, list) else [valid]):
        raise ModelError(
            f"{path}: changed or cut short since it was written; copy the run folder again."
        )
    return content


def rule_of(files: Mapping[str, bytes], labels: tuple[str, ...], folder: Path) -> DecisionRule:
    """Returns the rule of a run; a run of an earlier version has the default rule.

    Args:
        files: The contents of its files, by name.
        labels: The label names.
        folder: The run folder, for messages.

    Raises:
        ModelError: The file of the rule does not fit the labels.
    """
    from .decision_rule import DecisionRule  # It imports NumPy, which this module does not need.

    if DECISIONS not in files:
        return DecisionRule()
    try:
        return DecisionRule.from_dict(json.loads(files[DECISIONS]), labels)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ModelError(
            f"{folder / DECISIONS}: expected a rule for each label of {LABELS}, got another file; "
            "copy the run folder again."
        ) from None
