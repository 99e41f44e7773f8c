"""The planted word: noise of T tokens with one word in it that decides, far from the end or near.

How well does the last state capture an input from k steps before, and do other heads need it to?
A model that has learned the task answers for it by its accuracy at each distance k. The task is
the simplest of its kind: nothing is to be understood, one token is to be remembered (after the
latching problem of Bengio, Simard & Frasconi 1994, "Learning Long-Term Dependencies with Gradient
Descent is Difficult").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.errors import ConfigError

__all__ = ["FIRST_WORD", "PlantedTask", "PlantedTexts", "accuracies"]

FIRST_WORD = 2
"""The id of the first label's word; 0 is padding, 1 the unknown token."""


@dataclass(frozen=True)
class PlantedTexts:
    """Texts, each with one label word.

    Attributes:
        ids: `[N, T]` of int32.
        labels: `[N]` of int32, 0 .. C-1; text n holds the id `FIRST_WORD + labels[n]` once and no
            other label's word.
        distances: `[N]`, how many tokens follow the label's word.
    """

    ids: np.ndarray
    labels: np.ndarray
    distances: np.ndarray


@dataclass(frozen=True)
class PlantedTask:
    """Draws texts of noise with a label's word in each.

    Attributes:
        steps: T, the tokens of a text.
        classes: C, the labels, as many texts of each (but for one where N is no multiple).
        noise_words: The tokens that mean nothing, drawn uniformly and independently.

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
        """V, padding and the unknown token included."""
        return FIRST_WORD + self.classes + self.noise_words

    def draw(
        self, count: int, rng: np.random.Generator, *, distance: int | None = None
    ) -> PlantedTexts:
        """Draws texts.

        Args:
            count: N.
            rng: Where the chance comes from.
            distance: T - 1 - t for a word at t = 0 .. T-1, which is at most T - 1. None: drawn for
                each text, `floor(T^u) - 1` for u uniform in [0, 1): as many of each scale.

        Raises:
            ConfigError: The distance is not within a text.
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
    """The share of fresh texts that a model answers rightly, at each distance.

    Args:
        model: Ids `[N, T]` to logits `[N, C]`.
        task: What it has learned.
        distances: Where the label's word is planted.
        texts: How many are drawn at each distance.
        seed: Of the texts; not that of the training's.
    """
    found = []
    for distance in distances:
        drawn = task.draw(texts, np.random.default_rng([seed, distance]), distance=distance)
        answers = np.asarray(model(drawn.ids)).argmax(axis=1)
        found.append(float(np.mean(answers == drawn.labels)))
    return found
