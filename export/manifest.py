"""The manifest of an export folder, `manifest.json`: its files and what was measured of them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textrnn.errors import ModelError
from textrnn.host.atomic import write_atomically

__all__ = [
    "CLASSIFIER",
    "FORMAT_VERSION",
    "LANGUAGE_MODEL",
    "MANIFEST",
    "Artefact",
    "Check",
    "check_unchanged",
    "digests",
    "read",
    "run_of",
    "write",
]

FORMAT_VERSION = 1
MANIFEST = "manifest.json"

CLASSIFIER, LANGUAGE_MODEL = "classifier", "language model"
"""The kinds of models. The manifest of an export names its kind as `model`."""


@dataclass(frozen=True)
class Check:
    """One check of a file.

    Attributes:
        name: The name of the check.
        measured: The measured value.
        wanted: The values that pass, in words.
        passed: Whether the measured value passes.
    """

    name: str
    measured: Any
    wanted: str
    passed: bool


@dataclass(frozen=True)
class Artefact:
    """A file or folder that another program loads.

    Attributes:
        name: The name in the manifest.
        format: The name of the export format, `kind` in the manifest; see
            `textrnn.export.formats.FORMATS`.
        path: The path from the export folder, empty if there is no file.
        precision: The precision of the weights; see `textrnn.export.workers.tflite_conversion`.
        form: The form of the recurrences; see `textrnn.export.graphs.recurrence_forms`.
        length: The tokens of a text that the file reads; None if it reads all.
        streams: Whether the file can read a text piece by piece.
        sha256: The digest of each file by its path from the export folder.
        size: The bytes of all files together.
        checks: The checks of the file.
        latency_ms: The median time of one text in milliseconds, on the machine that verified.
        reason: Why the file was left out; None if it was not.

    >>> Artefact("onnx", "onnx", "onnx/model.onnx").left_out("needs tf2onnx").status
    'left out'
    """

    name: str
    format: str
    path: str
    precision: str = "float32"
    form: str | None = None
    length: int | None = None
    streams: bool = False
    sha256: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    checks: tuple[Check, ...] = ()
    latency_ms: float | None = None
    reason: str | None = None

    @property
    def status(self) -> str:
        """`verified`, `failed` or `left out`."""
        if self.reason is not None:
            return "left out"
        return "verified" if self.checks and not self.failed_checks else "failed"

    @property
    def failed_checks(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    def measured(self, check: str) -> Any:
        """Returns the measured value of a check, None if there is no such check."""
        return next((c.measured for c in self.checks if c.name == check), None)

    def left_out(self, reason: str) -> Artefact:
        """Returns the artefact without a file, for a reason."""
        return dataclasses.replace(self, path="", reason=reason)

    def made_by(self, answer: Mapping[str, Any]) -> Artefact:
        """Returns the artefact after the answer of its converter, left out if that has an error."""
        if "error" in answer:
            return self.left_out(f"not made: {answer['error']}")
        return self

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        values = dataclasses.asdict(self)
        values["checks"] = list(values["checks"])
        values = {"kind" if name == "format" else name: values[name] for name in values}
        return {**values, "status": self.status}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Artefact:
        """Returns the artefact that `to_dict` describes."""
        known = {f.name for f in dataclasses.fields(cls)}
        arguments = {name: value for name, value in values.items() if name in known}
        arguments["format"] = values["kind"]
        arguments["checks"] = tuple(Check(**check) for check in values["checks"])
        return cls(**arguments)


def digests(path: Path, *, base: Path) -> dict[str, str]:
    """Returns SHA-256 digests by the paths of their files.

    Args:
        path: A file, or a folder whose files are all digested.
        base: The folder from which the paths are given.
    """
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return {
        file.relative_to(base).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def check_unchanged(artefact: Artefact, folder: Path) -> None:
    """Checks that the files of an artefact are those that were verified.

    Args:
        artefact: The artefact, as the manifest describes it.
        folder: The export folder.

    Raises:
        ModelError: A file is missing or changed.
    """
    path = folder / artefact.path
    if not path.exists():
        raise ModelError(f"{path}: missing; export the run again.")
    present = digests(path, base=folder)
    for name in sorted(present.keys() | artefact.sha256.keys()):
        if present.get(name) != artefact.sha256.get(name):
            raise ModelError(
                f"{folder / name}: changed since it was verified; export the run again."
            )


def write(folder: Path, artefacts: Sequence[Artefact], *, about: Mapping[str, Any]) -> None:
    """Writes `manifest.json`.

    Args:
        folder: The export folder.
        artefacts: Its files.
        about: What a program needs to know of the model.
    """
    content = {
        "format_version": FORMAT_VERSION,
        **about,
        "artefacts": [artefact.to_dict() for artefact in artefacts],
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    # The path of the run may not be valid Unicode. Python's escapes are valid in JSON too.
    write_atomically(folder / MANIFEST, text.encode("utf-8", errors="backslashreplace"))


def read(folder: Path) -> tuple[list[Artefact], dict[str, Any]]:
    """Returns the artefacts of an export folder, and the rest of its manifest.

    Raises:
        ModelError: There is no manifest, or it cannot be read.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content.pop("format_version")
        artefacts = [Artefact.from_dict(values) for values in content.pop("artefacts")]
    except OSError as error:
        raise ModelError(
            f"{path}: expected the manifest of an export, got: {error.strerror}; make one by "
            "textrnn export RUN."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ModelError(
            f"{path}: expected the manifest of an export, got a file that is not readable as one; "
            "export the run again."
        ) from None
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{path}: expected format version {FORMAT_VERSION}, got {version!r}; export the run "
            "again."
        )
    return artefacts, content


def run_of(folder: str | Path) -> Path:
    """Returns the run folder that an export folder was made of.

    Raises:
        ModelError: The export folder has no manifest.
    """
    return (Path(folder) / str(read(Path(folder))[1]["run"])).resolve()
