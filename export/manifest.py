"""What an export folder holds, and what was measured of it: `manifest.json`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textrnn.errors import ModelError
from textrnn.host.atomic import write_atomically

__all__ = ["FORMAT_VERSION", "MANIFEST", "Artefact", "Check", "digests", "read", "write"]

FORMAT_VERSION = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Check:
    """One thing that was verified.

    Attributes:
        name: What.
        measured: What was found.
        wanted: What it must be, in words.
        passed: Whether it is.
    """

    name: str
    measured: Any
    wanted: str
    passed: bool


@dataclass
class Artefact:
    """A file, or a folder, that another program loads.

    Attributes:
        name: Its name in the manifest.
        kind: `saved_model`, `tflite`, `mediapipe`, `stream` or `onnx`.
        path: Where it is, from the export folder.
        precision: What its numbers are; see `textrnn.export.workers.conversion`.
        form: Of its recurrences; see `textrnn.export.graphs.recurrence_forms`.
        length: T, the tokens of a text that it reads; None: all.
        streams: Whether it can read a text piece by piece.
        sha256: The digest of each file, by its path from the export folder.
        size: Bytes, all files together.
        checks: What was verified.
        latency_ms: The median time of a text, where it was verified.
        reason: Why it is not there, or not offered.
    """

    name: str
    kind: str
    path: str
    precision: str = "float32"
    form: str | None = None
    length: int | None = None
    streams: bool = False
    sha256: dict[str, str] = field(default_factory=dict)
    size: int = 0
    checks: list[Check] = field(default_factory=list)
    latency_ms: float | None = None
    reason: str | None = None

    @property
    def status(self) -> str:
        """`verified`, `failed`, or for what is not offered `left out`."""
        if self.reason is not None:
            return "left out"
        return "verified" if self.checks and all(c.passed for c in self.checks) else "failed"

    def measured(self, check: str) -> Any:
        """What a check found; None if it was not made."""
        return next((c.measured for c in self.checks if c.name == check), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**dataclasses.asdict(self), "status": self.status}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Artefact:
        """Makes the artefact that `to_dict` describes."""
        known = {f.name for f in dataclasses.fields(cls)}
        given = {name: value for name, value in values.items() if name in known}
        return cls(**{**given, "checks": [Check(**check) for check in given["checks"]]})


def digests(path: Path, *, base: Path) -> dict[str, str]:
    """The SHA-256 digest of a file, or of each file in a folder, by its path from `base`."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return {
        file.relative_to(base).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def write(folder: Path, artefacts: list[Artefact], about: Mapping[str, Any]) -> None:
    """Writes `manifest.json`: the artefacts, and what a program needs to know of the model."""
    content = {
        "format_version": FORMAT_VERSION,
        **about,
        "artefacts": [artefact.to_dict() for artefact in artefacts],
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    # Escapes that JSON has too stand for what UTF-8 cannot hold of the run's path.
    write_atomically(folder / MANIFEST, text.encode("utf-8", errors="backslashreplace"))


def read(folder: Path) -> tuple[list[Artefact], dict[str, Any]]:
    """The artefacts of an export folder, and the rest of its manifest.

    Raises:
        ModelError: There is none, or it cannot be read.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content.pop("format_version")
        artefacts = [Artefact.from_dict(values) for values in content.pop("artefacts")]
    except OSError as error:
        raise ModelError(
            f"{path}: expected an export's manifest, got: {error.strerror}; make one by "
            "textrnn export RUN."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ModelError(f"{path}: not readable; export the run again.") from None
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{path}: expected format version {FORMAT_VERSION}, got {version!r}; export the run "
            "again."
        )
    return artefacts, content
