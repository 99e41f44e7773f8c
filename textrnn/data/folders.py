"""A folder with one sub-folder a class, and a .txt file (perhaps .gz) a text in it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from textrnn.data.tables import names_shown
from textrnn.errors import DataError

__all__ = ["ClassFiles", "class_files"]

_SPLITS = {
    "train": {"train", "training"},
    "valid": {"valid", "validation", "val", "dev"},
    "test": {"test", "testing", "eval"},
}
_UNLABELLED = {"unsup", "unsupervised", "unlabeled", "unlabelled"}
_TEXT_ENDINGS = (".txt", ".txt.gz")
_CLUTTER = {".ds_store", "thumbs.db", "desktop.ini"}
"""Files that a desktop puts into every folder; no user means them as texts."""


class ClassFiles(NamedTuple):
    """The texts of a folder.

    Attributes:
        files: The class and path of each file, sorted.
        notices: A sentence for each kind of file or folder that is left out.
    """

    files: list[tuple[str, Path]]
    notices: list[str]


def class_files(folder: Path, *, check_labels: bool = True) -> ClassFiles:
    """The class and path of each text in a folder with one sub-folder a class.

    Args:
        folder: The folder.
        check_labels: Whether sub-folders that look like splits are an error, and texts without
            labels (`unsup`) are left out.

    Raises:
        DataError: There is no such file, or the sub-folders are splits rather than classes.
    """
    try:
        children = sorted(folder.iterdir())
        folders = [path for path in children if path.is_dir() and not path.name.startswith(".")]
        if check_labels:
            _refuse_splits(folder, folders)
        left_out = _LeftOut(folder)
        left_out.add("beside the classes", (path for path in children if path not in folders))
        files = []
        for class_folder in folders:
            if check_labels and class_folder.name.casefold() in _UNLABELLED:
                left_out.unlabelled(class_folder)
                continue
            found = _texts(class_folder, left_out)
            files += [(class_folder.name, path) for path in found]
            if not found:
                left_out.empty.append(class_folder.name)
    except OSError as error:
        raise DataError(f"{folder}: expected a readable folder, got: {error}; check it.") from error
    if not files:
        raise DataError(
            f"{folder}: expected one sub-folder a class with .txt files in it, got the sub-folders "
            f"{names_shown(path.name for path in folders[:10])} and no .txt file in them"
            f"{left_out.summary()}; name the folder right above the classes, or rename the texts "
            "to .txt."
        )
    return ClassFiles(files, left_out.notices())


def _texts(class_folder: Path, left_out: _LeftOut) -> list[Path]:
    inside = sorted(class_folder.iterdir())
    texts = [
        path
        for path in inside
        if path.is_file()
        and path.name.lower().endswith(_TEXT_ENDINGS)
        and not path.name.startswith(".")
    ]
    deeper = [path for path in inside if path.is_dir()]
    others = set(inside) - set(texts) - set(deeper)
    left_out.add("that are hidden or no .txt", sorted(others))
    for path in deeper:
        left_out.add("in deeper folders", _files_below(path))
    return texts


def _files_below(folder: Path) -> Iterable[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in sorted(names))


def _refuse_splits(folder: Path, folders: list[Path]) -> None:
    """Raises DataError if the sub-folders are the splits of a data set."""
    roles = {
        role: path
        for role, names in _SPLITS.items()
        for path in folders
        if path.name.casefold() in names
    }
    everything_is_a_split = bool(folders) and len(roles) == len(folders)
    holds_classes = any(child.is_dir() for path in roles.values() for child in path.iterdir())
    if not roles or not (everything_is_a_split or holds_classes):
        return
    options = " ".join(f"--{role}-file {path}" for role, path in roles.items())
    raise DataError(
        f"{folder}: expected one sub-folder a class, got the sub-folders "
        f"{names_shown(path.name for path in folders[:10])}, which look like splits of a data set; "
        f"pass {options}, or --no-check-labels if they are classes."
    )


class _LeftOut:
    """What stands in a folder and is not read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, list[Path]] = {}
        self._unlabelled: list[str] = []
        self.empty: list[str] = []

    def add(self, where: str, paths: Iterable[Path]) -> None:
        found = [path for path in paths if path.name.casefold() not in _CLUTTER]
        if found:
            self._paths.setdefault(where, []).extend(found)

    def unlabelled(self, folder: Path) -> None:
        texts = sum(1 for _ in _files_below(folder))
        self._unlabelled.append(
            f"{self._folder}: the sub-folder {folder.name!r} ({texts:,} files) left out: its name "
            "says texts without labels; --no-check-labels makes it a class."
        )

    def summary(self) -> str:
        counts = [f"{len(paths):,} items {where}" for where, paths in self._paths.items()]
        return f" ({'; '.join(counts)})" if counts else ""

    def notices(self) -> list[str]:
        sentences = list(self._unlabelled)
        for where, paths in self._paths.items():
            endings = Counter(path.suffix.lower() or "no ending" for path in paths)
            kinds = ", ".join(f"{count:,} {ending}" for ending, count in endings.most_common(5))
            count = "1 item" if len(paths) == 1 else f"{len(paths):,} items"
            sentences.append(
                f"{self._folder}: {count} {where} left out ({kinds}; the first: {paths[0]})."
            )
        if self.empty:
            sentences.append(
                f"{self._folder}: no texts in the sub-folders {names_shown(self.empty[:10])}; they "
                "are no classes."
            )
        return sentences
