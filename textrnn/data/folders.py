"""A folder with one sub-folder per class, and one .txt file (or .txt.gz) per text."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from textrnn.errors import DataError
from textrnn.messages.wording import counted, quoted

__all__ = ["ClassFiles", "class_files"]

_SPLITS = {
    "train": {"train", "training"},
    "valid": {"valid", "validation", "val", "dev"},
    "test": {"test", "testing", "eval"},
}
_UNLABELLED = {"unsup", "unsupervised", "unlabeled", "unlabelled"}
_TEXT_ENDINGS = (".txt", ".txt.gz")
_CLUTTER = {".ds_store", "thumbs.db", "desktop.ini"}
"""Files that desktops write into every folder; no user means them as texts."""


class ClassFiles(NamedTuple):
    """The text files of a folder.

    Attributes:
        files: The class and path of each file, sorted.
        notices: One sentence for each kind of file or folder that is left out.
    """

    files: list[tuple[str, Path]]
    notices: list[str]


def class_files(folder: Path, *, check_labels: bool = True) -> ClassFiles:
    """Lists the class and path of each text in a folder with one sub-folder per class.

    Args:
        folder: The folder.
        check_labels: Whether sub-folders that look like splits are an error, and a sub-folder of
            texts without labels (`unsup`) is left out.

    Raises:
        DataError: There is no text file, or the sub-folders are splits instead of classes.
    """
    try:
        children = sorted(folder.iterdir())
        folders = [path for path in children if path.is_dir() and not path.name.startswith(".")]
        if check_labels:
            _refuse_splits(folder, folders)
        skipped = _Skipped(folder)
        skipped.add(
            "outside of the sub-folders", (path for path in children if path not in folders)
        )
        files = []
        for class_folder in folders:
            if check_labels and class_folder.name.casefold() in _UNLABELLED:
                skipped.unlabelled(class_folder)
                continue
            texts = _texts(class_folder, skipped)
            files += [(class_folder.name, path) for path in texts]
            if not texts:
                skipped.empty.append(class_folder.name)
    except OSError as error:
        raise DataError(
            f"{folder}: expected a readable folder, got: {error}; check its permissions."
        ) from error
    if not files:
        raise DataError(
            f"{folder}: expected one sub-folder per class with .txt files in it, got the "
            f"sub-folders {quoted(path.name for path in folders[:10])} and no .txt file in them"
            f"{skipped.summary()}; name the folder directly above the classes, or rename the texts "
            "to .txt."
        )
    return ClassFiles(files, skipped.notices())


def _texts(class_folder: Path, skipped: _Skipped) -> list[Path]:
    inside = sorted(class_folder.iterdir())
    texts = [
        path
        for path in inside
        if path.is_file()
        and path.name.lower().endswith(_TEXT_ENDINGS)
        and not path.name.startswith(".")
    ]
    deeper = [path for path in inside if path.is_dir()]
    skipped_files = set(inside) - set(texts) - set(deeper)
    skipped.add("that are hidden or not .txt", sorted(skipped_files))
    for path in deeper:
        skipped.add("in deeper folders", _files_below(path))
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
    files = " ".join(f"`{role}_file={str(path)!r}`" for role, path in roles.items())
    raise DataError(
        f"{folder}: expected one sub-folder per class, got the sub-folders "
        f"{quoted(path.name for path in folders[:10])}, which look like splits of a data set; "
        f"set {files}, or `check_labels=False` if they are classes."
    )


class _Skipped:
    """The files and folders in a folder that are not read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, list[Path]] = {}
        self._unlabelled: list[str] = []
        self.empty: list[str] = []

    def add(self, where: str, paths: Iterable[Path]) -> None:
        paths = [path for path in paths if path.name.casefold() not in _CLUTTER]
        if paths:
            self._paths.setdefault(where, []).extend(paths)

    def unlabelled(self, folder: Path) -> None:
        files = counted(sum(1 for _ in _files_below(folder)), "file")
        self._unlabelled.append(
            f"{self._folder}: the sub-folder {folder.name!r} ({files}) left out: its name means "
            "texts without labels; `check_labels=False` makes it a class."
        )

    def summary(self) -> str:
        counts = [f"{counted(len(paths), 'item')} {where}" for where, paths in self._paths.items()]
        return f" ({'; '.join(counts)})" if counts else ""

    def notices(self) -> list[str]:
        sentences = list(self._unlabelled)
        for where, paths in self._paths.items():
            endings = Counter(path.suffix.lower() or "no ending" for path in paths)
            kinds = ", ".join(f"{count:,} {ending}" for ending, count in endings.most_common(5))
            sentences.append(
                f"{self._folder}: {counted(len(paths), 'item')} {where} left out ({kinds}; the "
                f"first: {paths[0]})."
            )
        if self.empty:
            sentences.append(
                f"{self._folder}: no texts in the sub-folders {quoted(self.empty[:10])}; they "
                "are not classes."
            )
        return sentences
