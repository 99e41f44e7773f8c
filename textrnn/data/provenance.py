"""Fingerprints of the data of a run, which show whether the data has changed since.

A fingerprint is the number of rows of a split and a SHA-256 digest of its texts and labels, in
order and as they were read. A run folder stores the fingerprint of each split, and every command
that measures the run on its own data compares them.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Mapping
from typing import Any

from textrnn.data.corpus import Corpus, Split
from textrnn.errors import DataError
from textrnn.runtime.blocks import blocks

__all__ = ["LABEL_COUNTS", "check_unchanged", "provenance"]

_BLOCK_ROWS = 4096

LABEL_COUNTS = "training_texts"
"""The key of the number of training texts of each label in the data of a run."""


def provenance(corpus: Corpus) -> dict[str, Any]:
    """Returns the fingerprint of each split, and the number of training texts of each label.

    The values are plain, ready for JSON.
    """
    splits = {"train": corpus.train, "validation": corpus.validation, "test": corpus.test}
    known = {name: _fingerprint(split) for name, split in splits.items() if split is not None}
    counts = Counter(itertools.chain.from_iterable(corpus.train.labels))
    return {**known, LABEL_COUNTS: {label: counts[label] for label in corpus.label_names}}


def check_unchanged(
    split: Split, which: str, *, known: Mapping[str, Any], drawn: bool, where: str
) -> list[str]:
    """Returns a sentence if a split has changed since the run was trained, else an empty list.

    Args:
        split: The split as it was read now.
        which: The name of the split.
        known: What `provenance` returned when the run was trained.
        drawn: Whether the split was drawn from the training data.
        where: The name of the source, for messages.

    Raises:
        DataError: The split has changed and was drawn from the training data, so that it may now
            hold texts that the run learned from.
    """
    if which not in known or known[which] == _fingerprint(split):
        return []
    before = int(known[which]["rows"])
    changed = (
        f"{where}: the {which} data has changed since the run was trained ({before:,} texts then, "
        f"{len(split):,} now)"
    )
    if not drawn:
        return [f"{changed}; the figures are not comparable to those in the run's metrics.json."]
    raise DataError(
        f"{changed}: the {which} texts are drawn from the training file, and may now include texts "
        "that the run learned from; restore the file, or name other data by `test_file`."
    )


def _fingerprint(split: Split) -> dict[str, Any]:
    digest = hashlib.sha256()
    for block in blocks(zip(split.texts, split.labels, strict=True), _BLOCK_ROWS):
        digest.update(b"".join(_content(part) for row in block for part in (row[0], *row[1], None)))
    return {"rows": len(split), "sha256": digest.hexdigest()}


def _content(part: str | None) -> bytes:
    """Returns the length of a text or label and its bytes; of None, what marks the end of a row."""
    if part is None:
        return b"\xff" * 8  # This is no length.
    content = part.encode("utf-8", errors="surrogatepass")
    return len(content).to_bytes(8, "little") + content
