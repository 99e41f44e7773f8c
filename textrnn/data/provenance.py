"""What a run learned from, so that data which has changed since is noticed.

A run keeps the number of rows and a SHA-256 digest of each split: of its texts and labels in
their order, as they were read. Whatever measures the run on its own data compares them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from textrnn.data.corpus import Corpus, Split
from textrnn.errors import DataError

__all__ = ["check_unchanged", "provenance"]


def provenance(corpus: Corpus) -> dict[str, Any]:
    """The rows and the digest of each split, as plain values ready for JSON."""
    splits = {"train": corpus.train, "validation": corpus.validation, "test": corpus.test}
    return {name: _record(split) for name, split in splits.items() if split is not None}


def check_unchanged(
    split: Split, which: str, known: Mapping[str, Any], *, drawn: bool, where: str
) -> list[str]:
    """A sentence if a split is not the one that a run learned from or was measured on.

    Args:
        split: As it was read now.
        which: Its name.
        known: What `provenance` gave when the run was trained.
        drawn: Whether the split was drawn from the training data.
        where: The run, for messages.

    Raises:
        DataError: The split has changed and was drawn from the training data: it may now hold
            texts that the run learned from.
    """
    if which not in known or known[which] == _record(split):
        return []
    before = int(known[which]["rows"])
    changed = (
        f"{where}: the {which} data has changed since the run was trained ({before:,} texts then, "
        f"{len(split):,} now)"
    )
    if not drawn:
        return [f"{changed}; these figures are not comparable to those in the run's metrics.json."]
    raise DataError(
        f"{changed}: the {which} texts are drawn from the training file, and would now mix with "
        "what the run learned from; restore the file, or name other data by --test-file."
    )


def _record(split: Split) -> dict[str, Any]:
    digest = hashlib.sha256()
    for text, labels in zip(split.texts, split.labels, strict=True):
        for part in (text, *labels):
            content = part.encode("utf-8", errors="surrogatepass")
            digest.update(len(content).to_bytes(8, "little") + content)
        digest.update(b"\xff" * 8)  # No length: the end of a row.
    return {"rows": len(split), "sha256": digest.hexdigest()}
