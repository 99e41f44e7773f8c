"""The texts that an analysis reads: a random sample, cut and padded, one batch after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from textrnn.analysis.dynamics.systems import Recurrence, recurrences
from textrnn.errors import ConfigError
from textrnn.messages.wording import counted
from textrnn.models.classifier import TextClassifier

__all__ = ["ByRecurrence", "Sample", "SampledBatches", "TextBatch", "measure_recurrences", "padded"]

T = TypeVar("T")


@dataclass(frozen=True)
class Sample:
    """Which texts an analysis reads, and how much of each.

    >>> texts = [np.array([2, 3, 4]), np.array([5]), np.array([6, 7])]
    >>> [text.tolist() for text in Sample(tokens=2).draw(texts)]
    [[2, 3], [5], [6, 7]]

    Attributes:
        documents: How many texts are drawn at most; 0: all texts.
        tokens: How many tokens of each text are read, from its beginning; 0: all tokens.
        seed: The seed of the choice of texts, and of all other random numbers of the analysis.
    """

    documents: int = 64
    tokens: int = 256
    seed: int = 0

    def draw(self, texts: Sequence[np.ndarray], *, least: int = 1) -> list[np.ndarray]:
        """Draws texts at random and keeps their order.

        Args:
            texts: The token ids `[T]` of each text.
            least: How many tokens a text must have to be drawn.

        Returns:
            The texts that were drawn, each cut after `tokens` tokens.

        Raises:
            ConfigError: No text has enough tokens.
        """
        long_enough = [row for row, text in enumerate(texts) if len(text) >= least]
        if not long_enough:
            raise ConfigError(f"expected a text of at least {counted(least, 'token')}, got none.")
        rows = self.rows(long_enough, rng=np.random.default_rng(self.seed))
        return [np.asarray(texts[row], np.int32)[: self.tokens or None] for row in rows]

    def rows(self, rows: Sequence[int], *, rng: np.random.Generator) -> np.ndarray:
        """Returns the rows that are drawn from these, in ascending order.

        Args:
            rows: The rows of the texts to choose from.
            rng: The source of randomness.
        """
        return np.asarray(np.sort(rng.permutation(rows)[: self.documents or None]))


@dataclass(frozen=True)
class TextBatch:
    """Some texts of a sample.

    Attributes:
        start: The place of the first text in the sample.
        texts: The token ids `[T]` of each of the B texts.
        ids: The same ids padded with 0 at the right, `[B, T]`.
    """

    start: int
    texts: list[np.ndarray]
    ids: np.ndarray


class SampledBatches:
    """The texts of a sample in batches.

    >>> texts = [np.array([2, 3]), np.array([4])]
    >>> [batch.ids.tolist() for batch in SampledBatches(texts, Sample())]
    [[[2, 3], [4, 0]]]

    Args:
        texts: The token ids `[T]` of each text.
        sample: Which of the texts are read.
        least: How many tokens a text must have to be drawn.
        batch_texts: How many texts a batch holds at most.
        on_batch: Receives the number of texts of each batch after the batch was used.

    Attributes:
        texts: The texts that were drawn.

    Raises:
        ConfigError: No text has enough tokens.
    """

    def __init__(
        self,
        texts: Sequence[np.ndarray],
        sample: Sample,
        *,
        least: int = 1,
        batch_texts: int = 32,
        on_batch: Callable[[int], None] | None = None,
    ) -> None:
        self.texts = sample.draw(texts, least=least)
        self._batch_texts = batch_texts
        self._on_batch = on_batch

    def __len__(self) -> int:
        """Returns how many texts were drawn."""
        return len(self.texts)

    def __iter__(self) -> Iterator[TextBatch]:
        """Yields the batches in the order of the texts."""
        for start in range(0, len(self.texts), self._batch_texts):
            texts = self.texts[start : start + self._batch_texts]
            yield TextBatch(start, texts, padded(texts))
            if self._on_batch is not None:
                self._on_batch(len(texts))


class ByRecurrence(Generic[T]):
    """Measurements of the recurrences of a model, one for each batch.

    Iterating yields each recurrence, as it was in its first batch, with its measurements.
    """

    def __init__(self) -> None:
        self._measured: dict[tuple[int, str], tuple[Recurrence, list[T]]] = {}

    def add(self, recurrence: Recurrence, value: T) -> None:
        """Adds the measurement of a recurrence on a batch."""
        key = recurrence.layer, recurrence.direction
        self._measured.setdefault(key, (recurrence, []))[1].append(value)

    def __iter__(self) -> Iterator[tuple[Recurrence, list[T]]]:
        """Yields the recurrences in the order in which they were added first."""
        return iter(self._measured.values())


def measure_recurrences(
    model: TextClassifier,
    batches: SampledBatches,
    *,
    measure: Callable[[Recurrence, TextBatch], T],
) -> ByRecurrence[T]:
    """Measures every recurrence of a model on every batch.

    Args:
        model: The model.
        batches: The texts.
        measure: Returns the measurement of one recurrence on one batch.

    Raises:
        ConfigError: The model has no recurrence.
    """
    measured = ByRecurrence[T]()
    for batch in batches:
        for recurrence in recurrences(model, batch.ids):
            measured.add(recurrence, measure(recurrence, batch))
    return measured


def padded(texts: Sequence[np.ndarray]) -> np.ndarray:
    """Returns texts of token ids as `[B, T]`, padded with 0 on the right."""
    ids = np.zeros([len(texts), max(map(len, texts))], np.int32)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = text
    return ids
