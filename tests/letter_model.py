"""A model without a network: the most frequent letter of a text is its label."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textrnn.runtime.errors import ConfigError, ModelError
from textrnn.runtime.serve.versions import FINISHED

__all__ = ["LetterModel", "load", "write_run"]

LABELS: tuple[str, ...] = ("a", "b", "c")


@dataclass(frozen=True)
class LetterAnswer:
    label: str
    score: float
    scores: dict[str, float]
    labels: tuple[str, ...]
    abstained: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {
            "label": self.label if self.labels else None,
            "score": self.score,
            "labels": list(self.labels),
            "scores": self.scores,
        }


@dataclass(frozen=True)
class LetterExplanation:
    label: str
    words: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "words": [{"text": word, "score": word.count(self.label)} for word in self.words],
        }


class LetterStream:
    def __init__(self, model: LetterModel) -> None:
        self._model, self._text = model, ""

    def feed(self, piece: str) -> LetterAnswer:
        self._text += piece
        return self._model.answer(self._text)

    def finish(self) -> LetterAnswer:
        return self._model.answer(self._text)


def _opened() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


@dataclass
class LetterModel:
    """Counts letters.

    Attributes:
        streams: Whether the model reads texts piece by piece.
        multi_label: Whether each letter that occurs is a label.
        abstain_below: Answers below this probability are withheld.
        gate: The model waits for it before each batch; by default it is set.
        seconds: The time of each batch.
        batches: The texts of each batch.
        language_model: Whether the model knows how surprising a text is.
    """

    streams: bool = True
    multi_label: bool = False
    abstain_below: float = 0.0
    gate: threading.Event = field(default_factory=_opened)
    seconds: float = 0.0
    batches: list[list[str]] = field(default_factory=list)
    labels: tuple[str, ...] = LABELS
    language_model: bool = True

    def answers(self, texts: Sequence[str]) -> list[LetterAnswer]:
        self.batches.append(list(texts))
        assert self.gate.wait(30)
        time.sleep(self.seconds)
        return [self.answer(text) for text in texts]

    def answer(self, text: str) -> LetterAnswer:
        if "fault" in text:
            raise ZeroDivisionError(f"secret: {text}")
        counts = [1 + text.count(letter) for letter in self.labels]
        scores = {
            letter: count / sum(counts) for letter, count in zip(self.labels, counts, strict=True)
        }
        label = max(scores, key=scores.__getitem__)
        labels: tuple[str, ...] = (label,)
        if self.multi_label:
            labels = tuple(letter for letter in self.labels if letter in text)
        abstained = scores[label] < self.abstain_below
        return LetterAnswer(label, scores[label], scores, () if abstained else labels, abstained)

    def explain(self, text: str) -> LetterExplanation:
        if text == "unexplained":
            raise ConfigError("expected a head that sums over the states, got the head last.")
        assert self.gate.wait(30)
        return LetterExplanation(self.answer(text).label, tuple(text.split()))

    def examine(self, text: str, label: str | None = None) -> LetterExplanation:
        return LetterExplanation(label or self.answer(text).label, tuple(text.split()))

    def surprise(self, text: str) -> LetterExplanation:
        if not self.language_model:
            raise ConfigError("expected a language model beside the classifier, got none.")
        return LetterExplanation(self.answer(text).label, tuple(text.split()))

    def stream(self) -> LetterStream:
        if not self.streams:
            raise ConfigError("a stream needs a model that reads forwards; train without it.")
        return LetterStream(self)


def write_run(folder: Path, *, labels: str = "abc", seconds: float = 0.0) -> Path:
    """Writes the run folder of a letter model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labels.txt").write_text(f"{labels} {seconds}", encoding="utf-8")
    (folder / FINISHED).write_text("{}", encoding="utf-8")
    return folder


def load(folder: Path) -> LetterModel:
    """Loads the run folder of a letter model."""
    labels, seconds = (folder / "labels.txt").read_text(encoding="utf-8").split()
    if labels == "broken":
        raise ModelError(f"{folder}: expected letters, got none.")
    return LetterModel(labels=tuple(labels), seconds=float(seconds))
