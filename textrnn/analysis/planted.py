"""The planted word: a text of T noise tokens with one word that decides its label.

The task measures how well the last state captures an input from k steps before, and whether other
pooling heads need it to. The accuracy of a trained model at each distance k is the answer. The task
is the simplest of its kind: nothing has to be understood, and one token has to be remembered (after
the latching problem of Bengio, Simard & Frasconi 1994, "Learning Long-Term Dependencies with
Gradient Descent is Difficult").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.errors import ConfigError

__all__ = ["FIRST_WORD", "PlantedTask", "PlantedTexts", "accuracies"]

FIRST_WORD = 2
"""The id of the word of the first label; 0 is padding, 1 is the unknown token."""


@dataclass(frozen=True)
class PlantedTexts:
    """Texts, each with the word of its label.

    Attributes:
        ids: `[N, T]` of int32.
        labels: `[N]` of int32, 0 .. C-1. Text n holds the id `FIRST_WORD + labels[n]` once, and no
            word of another label.
        distances: `[N]`, the number of tokens after the label's word.
    """

    ids: np.ndarray
    labels: np.ndarray
    distances: np.ndarray


@dataclass(frozen=True)
class PlantedTask:
    """Draws texts of noise with the word of a label in each.

    >>> texts = PlantedTask(steps=5).draw(4, np.random.default_rng(0), distance=1)
    >>> texts.ids.shape, sorted(texts.labels.tolist())
    ((4, 5), [0, 0, 1, 1])
    >>> (texts.ids[:, 3] == FIRST_WORD + texts.labels).all()
    np.True_

    Attributes:
        steps: T, the number of tokens of a text.
        classes: C, the number of labels. Each label has N / C texts, rounded up or down.
        noise_words: The number of tokens without a meaning, which are drawn uniformly.

    Raises:
        ConfigError: A number is too small.
    """

    steps: int
    classes: int = 2
    noise_words: int = 100

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("classes", 2), ("noise_words", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"`{name}` must be at least {least}, got {getattr(self, name)}.")

    @property
    def vocab_size(self) -> int:
        """V, including padding and the unknown token."""
        return FIRST_WORD + self.classes + self.noise_words

    def draw(
        self, count: int, rng: np.random.Generator, *, distance: int | None = None
    ) -> PlantedTexts:
        """Draws texts.

        Args:
            count: N.
            rng: The source of randomness.
            distance: T - 1 - t for a word at t = 0 .. T-1. None draws a distance for each text:
                `floor(T^u) - 1` with u uniform in [0, 1), so that every scale is equally frequent.

        Raises:
            ConfigError: The distance is not in 0 .. T-1.
        """
        if distance is not None and not 0 <= distance < self.steps:
            raise ConfigError(
                f"`distance` must be at least 0 and less than the {self.steps} tokens of a text, "
                f"got {distance}."
            )
        noise = FIRST_WORD + self.classes
        ids = rng.integers(noise, self.vocab_size, size=(count, self.steps), dtype=np.int32)
        labels = rng.permutation(np.arange(count, dtype=np.int32) % self.classes)
        if distance is None:
            scale = np.power(float(self.steps), rng.random(count))
            distances = scale.astype(np.int64) - 1
        else:
            distances = np.full(count, distance, np.int64)
        ids[np.arange(count), self.steps - 1 - distances] = FIRST_WORD + labels
        return PlantedTexts(ids, labels, distances)


def accuracies(
    model: Callable[[np.ndarray], Any],
    task: PlantedTask,
    *,
    distances: Sequence[int],
    texts: int,
    seed: int,
) -> list[float]:
    """Returns the share of new texts that a model answers correctly, at each distance.

    Args:
        model: Maps ids `[N, T]` to logits `[N, C]`.
        task: The task that the model has learned.
        distances: The distances at which the label's word is planted.
        texts: The number of texts per distance.
        seed: The seed of the texts, which must differ from the seed of the training texts.
    """
    shares = []
    for distance in distances:
        drawn = task.draw(texts, np.random.default_rng([seed, distance]), distance=distance)
        answers = np.asarray(model(drawn.ids)).argmax(axis=1)
        shares.append(float(np.mean(answers == drawn.labels)))
    return shares
