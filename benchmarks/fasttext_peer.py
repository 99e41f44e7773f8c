"""fastText with pairs of words, the peer of the benchmarks of accuracy."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from textrnn.data import Split
from textrnn.runtime.text.scripts import unsegmented_share

__all__ = ["best_fasttext", "fasttext_accuracy"]


def best_fasttext(
    train: Split, validation: Split, test: Split, *, scratch: Path, epochs: Sequence[int]
) -> tuple[float, int] | None:
    """Chooses the number of epochs by the validation texts.

    Returns:
        The accuracy on the test texts in percent, and the number of epochs; None if `fasttext` is
        missing.
    """
    figures = {}
    for count in epochs:
        measured = fasttext_accuracy(train, validation, scratch=scratch, epochs=count)
        if measured is None:
            return None
        figures[count] = measured[0]
    best = max(figures, key=lambda count: figures[count])
    measured = fasttext_accuracy(train, test, scratch=scratch, epochs=best)
    return None if measured is None else (measured[0], best)


def fasttext_accuracy(
    train: Split, test: Split, *, scratch: Path, epochs: int = 10
) -> tuple[float, float] | None:
    """Trains fastText (words and pairs, 50 numbers, rate 0.5) on texts of one label each.

    In texts without spaces between words, each character is a word.

    Args:
        train: The texts to learn from.
        test: The texts to measure on.
        scratch: A folder for the files that fastText reads.
        epochs: The number of passes over the texts.

    Returns:
        The accuracy in percent, and the minutes of the training; None if `fasttext` is missing.
    """
    try:
        import fasttext
    except ImportError:
        return None
    files = []
    unspaced = unsegmented_share(train.texts) > 0.5
    for name, split in (("train", train), ("test", test)):
        files.append(str(scratch / f"fasttext.{name}"))
        with open(files[-1], "w", encoding="utf-8") as file:
            for text, (label,) in zip(split.texts, split.labels, strict=True):
                spaced = " ".join(text) if unspaced else text.replace("<br />", " ")
                words = " ".join(spaced.lower().split())
                file.write(f"__label__{label.replace(' ', '_')} {words}\n")
    begin = time.monotonic()
    model = fasttext.train_supervised(
        files[0], wordNgrams=2, epoch=epochs, dim=50, lr=0.5, verbose=0
    )
    minutes = (time.monotonic() - begin) / 60
    return 100 * float(model.test(files[1])[1]), minutes
