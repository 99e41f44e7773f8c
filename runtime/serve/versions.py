"""The folders of a model's versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, ModelError

__all__ = ["ModelSource", "VersionFolder", "parse_source", "version_folders"]

FINISHED = "digests.json"
"""The file that is written last into a run folder."""

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_VERSION = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class ModelSource:
    """A model to serve.

    Attributes:
        name: The name of the model in requests.
        folder: A run folder, or a folder whose sub-folders are named 1, 2, .. and are run folders.
    """

    name: str
    folder: Path


@dataclass(frozen=True)
class VersionFolder:
    """The run folder of one version.

    Attributes:
        version: The number of the version.
        folder: The run folder.
        written: When the folder was finished, in ns; a folder that was replaced has another time.
    """

    version: int
    folder: Path
    written: int


def parse_source(argument: str) -> ModelSource:
    """Returns the model that an argument, `RUN` or `NAME=RUN`, names.

    Without a name the model is named after the folder.

    >>> parse_source("spam=runs/emails").name, parse_source("runs/emails").name
    ('spam', 'emails')

    Raises:
        ConfigError: The name has characters that a URL would have to escape.
    """
    name, equals, path = argument.partition("=")
    if equals and _NAME.fullmatch(name) and not Path(argument).exists():
        return ModelSource(name, Path(path))
    folder = Path(argument)
    name = folder.resolve().name
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"expected a model name of letters, digits, '_', '.' and '-', got {name!r}; pass "
            "NAME=RUN."
        )
    return ModelSource(name, folder)


def version_folders(folder: Path) -> list[VersionFolder]:
    """Returns the finished versions in a folder, the newest first; a run folder is version 1.

    Raises:
        ModelError: The folder is neither a run folder nor a folder of versions.
    """
    if (folder / FINISHED).is_file():
        return [VersionFolder(1, folder, _written(folder))]
    if not folder.is_dir():
        raise ModelError(f"{folder}: expected a run folder, got none; check the path.")
    numbered = [path for path in folder.iterdir() if _VERSION.fullmatch(path.name)]
    if not numbered:
        raise ModelError(
            f"{folder}: expected a finished run folder ({FINISHED}), or a folder of versions named "
            "1, 2, .., got neither; finish the training, or check the path."
        )
    finished = [path for path in numbered if (path / FINISHED).is_file()]
    found = [VersionFolder(int(path.name), path, _written(path)) for path in finished]
    return sorted(found, key=lambda version: -version.version)


def _written(folder: Path) -> int:
    return (folder / FINISHED).stat().st_mtime_ns
