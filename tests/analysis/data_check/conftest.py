"""Splits in memory."""

import pytest

from textrnn.analysis.data_check.checked_split import CheckedSplit
from textrnn.data import Split


@pytest.fixture
def split_of():
    """Makes a split of (text, label) pairs; a label may be a tuple of labels."""

    def make(pairs, name="train"):
        texts = [text for text, _ in pairs]
        labels = [(label,) if isinstance(label, str) else label for _, label in pairs]
        return CheckedSplit.of(Split(texts, labels), name=name)

    return make
