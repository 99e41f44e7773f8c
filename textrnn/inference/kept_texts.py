"""The labelled texts that a run keeps in its folder, because no file of the user has them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.data import IN_MEMORY
from textrnn.data.corpus import Corpus, Split
from textrnn.host.atomic import write_atomically

__all__ = ["KEPT_TEXTS", "forget_texts", "keep_texts", "with_kept_texts"]

KEPT_TEXTS = "texts"
"""The folder in a run folder that has a .jsonl file of each split."""

_FILES = {"train": "train_file", "validation": "valid_file", "test": "test_file"}


def keep_texts(corpus: Corpus, run: Path, *, multi_label: bool) -> None:
    """Writes each split of a corpus into a file of the run folder.

    Args:
        corpus: The texts and labels.
        run: The run folder.
        multi_label: Whether a text may carry any number of labels.

    Raises:
        OSError: The folder cannot be written to.
    """
    forget_texts(run)
    (run / KEPT_TEXTS).mkdir(parents=True)
    splits = {"train": corpus.train, "validation": corpus.validation, "test": corpus.test}
    for name, split in splits.items():
        if split is not None:
            lines = _lines(split, multi_label=multi_label)
            write_atomically(run / KEPT_TEXTS / f"{name}.jsonl", lines)


def forget_texts(run: Path) -> None:
    """Deletes the texts that a run folder keeps, if there are any."""
    shutil.rmtree(run / KEPT_TEXTS, ignore_errors=True)


def with_kept_texts(config: ClassifierRunConfig, run: Path | None) -> ClassifierRunConfig:
    """Returns the settings of a run, with the files in its folder as their data if it has some.

    Args:
        config: The settings of the run.
        run: The run folder; None if it is unknown.
    """
    if run is None or config.data.dataset != IN_MEMORY:
        return config
    paths = {setting: run / KEPT_TEXTS / f"{name}.jsonl" for name, setting in _FILES.items()}
    if not paths["train_file"].is_file():
        return config
    files = {setting: str(path) for setting, path in paths.items() if path.is_file()}
    plain = {"text_column": "text", "label_column": "label", "encoding": "utf-8"}
    # The labels in the files have been read once, and are names.
    names = {"label_columns": None, "label_names": None, "check_labels": False}
    divided = dict.fromkeys(("fold", "group_column", "time_column"))
    return config.replace(dataset=None, **files, **plain, **names, **divided)


def _lines(split: Split, *, multi_label: bool) -> str:
    """Returns a JSON object per text; the labels of multi-label data are a list."""
    rows = zip(split.texts, split.labels, strict=True)
    objects = (
        {"text": text, "label": list(labels) if multi_label else labels[0]} for text, labels in rows
    )
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in objects)
