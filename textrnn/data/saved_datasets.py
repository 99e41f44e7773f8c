"""Folders of data sets as Hugging Face `datasets` saves them, and as its hub stores them.

`Dataset.save_to_disk` writes a folder with `state.json`, which lists files in Arrow's stream
format. `DatasetDict.save_to_disk` writes a folder with `dataset_dict.json` and one such folder per
split. A repository of the hub has Parquet files called train-00000-of-00001.parquet, in the folder
itself or in its sub-folder `data`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from textrnn.errors import DataError
from textrnn.messages.wording import quoted

__all__ = ["has_splits", "is_saved_dataset", "saved_files"]

_STATE, _DICT = "state.json", "dataset_dict.json"
_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval"),
}
"""The names of each split."""

_SHARD = re.compile(r"([A-Za-z_]+)(?:[-.].*)?\.parquet")


def is_saved_dataset(path: Path) -> bool:
    """Returns whether a path is a folder that one of the forms describes."""
    if not path.is_dir():
        return False
    return (path / _STATE).is_file() or (path / _DICT).is_file() or bool(_parquet_files(path))


def has_splits(path: Path) -> bool:
    """Returns whether a path is a folder that holds at least one split by its name."""
    return is_saved_dataset(path) and any(
        name in names for name in _split_files(path) for names in _NAMES.values()
    )


def saved_files(folder: Path, *, split: str | None) -> list[Path]:
    """Returns the files of a saved data set, or those of one of its splits.

    Args:
        folder: The folder.
        split: The split, `train`, `validation` or `test`; None if the caller does not know one.

    Returns:
        The files in order; none if the folder lacks the split.

    Raises:
        DataError: The folder holds several splits and the caller names none, or it is damaged.
    """
    if (folder / _STATE).is_file():
        return _state_files(folder)
    splits = _split_files(folder)
    named = {name for names in _NAMES.values() for name in names}
    if not named & set(splits):
        if (folder / _DICT).is_file():
            raise DataError(
                f"{folder}: expected a split `train`, `validation` or `test`, got "
                f"{quoted(splits)}; name the folder of one of them."
            )
        return _parquet_files(folder)
    if split is not None:
        return [file for name in _NAMES[split] for file in splits.get(name, [])]
    if len(splits) == 1:
        return next(iter(splits.values()))
    example = next(iter(splits.values()))[0]
    where = example.parent if (folder / _DICT).is_file() else example
    raise DataError(
        f"{folder}: expected one table, got a data set with the splits {quoted(splits)}; name one "
        f"of them, such as {where}."
    )


def _split_files(folder: Path) -> dict[str, list[Path]]:
    """Maps the name of each split to its files."""
    if (folder / _DICT).is_file():
        names = _json(folder / _DICT).get("splits") or []
        return {str(name): _state_files(folder / str(name)) for name in names}
    splits: dict[str, list[Path]] = {}
    for path in _parquet_files(folder):
        shard = _SHARD.fullmatch(path.name)
        splits.setdefault(shard[1].lower() if shard else path.stem, []).append(path)
    return splits


def _state_files(folder: Path) -> list[Path]:
    files = _json(folder / _STATE).get("_data_files") or []
    try:
        return [folder / file["filename"] for file in files]
    except (KeyError, TypeError):
        raise _damaged(folder / _STATE, "`_data_files` lists no file names") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from None
    if not isinstance(content, dict):
        raise _damaged(path, "it is no JSON object")
    return content


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path}: expected a file of a saved data set, got another or a damaged one ({reason}); "
        "save the data set again."
    )


def _parquet_files(folder: Path) -> list[Path]:
    """Returns the Parquet files in a folder, or else in its sub-folder `data`."""
    return sorted(folder.glob("*.parquet")) or sorted((folder / "data").glob("*.parquet"))
