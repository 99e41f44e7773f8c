"""Examines one answer: what each word does to it, and what would change it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .errors import ConfigError
from .explaining import Explainer
from .labels import Labels
from .network.network import Network, NetworkState
from .prediction import Prediction
from .surprise import Surprise
from .text.encoder import Encoder
from .text.words import Word, merge_words, word_groups

__all__ = ["Deletions", "Examination", "Examiner", "WordExamination"]

MOST_WORDS = 128
"""The number of words that are examined."""

MOST_TOKENS = 32_768
"""The number of tokens that are read for the deletion of one word after the other."""

MOST_DELETIONS = 8
BATCH_TOKENS = 8_192
SHORTEST = 1e-12


@dataclass(frozen=True)
class WordExamination:
    """What one word does to an answer.

    Attributes:
        text: The word.
        start: The place of its first character in the text.
        end: The place after its last character.
        contribution: What it adds to the logit of the explained label; None if the logit is no sum
            over the words (the head `last`).
        without: The probability of the explained label if the word is left out.
        after: The probability of the explained label after the text up to this word.
        remembered: By how much the last state of the last layer (of the forward direction) would
            differ if the word were left out, relative to its length.
    """

    text: str
    start: int
    end: int
    contribution: float | None
    without: float
    after: float
    remembered: float

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return {
            "word": self.text,
            "start": self.start,
            "end": self.end,
            "contribution": self.contribution,
            "without": self.without,
            "after": self.after,
            "remembered": self.remembered,
        }


@dataclass(frozen=True)
class Deletions:
    """A few words without which the answer is another one.

    Attributes:
        words: The places of the words in `Examination.words`.
        answer: The answer without them.
    """

    words: tuple[int, ...]
    answer: Prediction


@dataclass(frozen=True)
class Examination:
    """An answer, and what each word does to it.

    Attributes:
        answer: The answer.
        explained: The label that the numbers of the words are about.
        words: The words, in the order of the text.
        deletions: The words without which the answer is another one; None if none were found. At
            most eight words are tried, those first that support the answer most.
        cut: Whether the text has more words than `words`.
        surprise: How surprising the words are to a language model; None without one.
    """

    answer: Prediction
    explained: str
    words: tuple[WordExamination, ...]
    deletions: Deletions | None
    cut: bool
    surprise: Surprise | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        deletions = None
        if self.deletions is not None:
            after = self.deletions.answer
            deletions = {
                "words": list(self.deletions.words),
                "label": after.label if after.labels else None,
                "score": after.score,
            }
        return {
            "label": self.answer.label,
            "score": self.answer.score,
            "labels": list(self.answer.labels),
            "scores": self.answer.scores,
            "abstained": self.answer.abstained,
            "explained": self.explained,
            "words": [word.to_dict() for word in self.words],
            "deletions": deletions,
            "cut": self.cut,
            "likelihood": None if self.surprise is None else self.surprise.to_dict(),
        }


class Examiner:
    """Examines the answers of one model.

    Args:
        network: Maps ids to logits.
        tokenizer: Maps texts to ids.
        label_space: The labels and the rule that decides.
    """

    def __init__(self, network: Network, *, tokenizer: Encoder, label_space: Labels) -> None:
        self._network, self._tokenizer, self._label_space = network, tokenizer, label_space

    def examine(self, text: str, *, label: str | None = None) -> Examination:
        """Examines the answer to one text.

        A word is left out by leaving out its tokens; the other tokens stay what they are. The
        number of examined words is at most 128, and less for texts of more than 256 tokens.

        Args:
            text: The text. A model that needs the whole text reads it up to its `max_length`.
            label: The label to explain; None: the predicted one.

        Raises:
            ConfigError: The label is unknown.
        """
        labels = self._label_space.labels
        if label is not None and label not in labels:
            raise ConfigError(f"`label` must be one of {', '.join(labels[:20])}, got {label!r}.")
        cut_at = self._network.architecture.cut_at or None
        ids = np.array(self._tokenizer.encode(text)[:cut_at], np.int64)
        whole = self._read([ids])
        answer = Prediction.of(whole.scores[0], self._label_space)
        explained = answer.label if label is None else label
        words = self._words(text, explained)
        seen = words[: min(MOST_WORDS, MOST_TOKENS // max(len(ids), 1))]
        without = self._read([_without(ids, [word]) for word in seen])
        after = self._read([ids[: word.stop] for word in seen]).scores
        target, best = labels.index(explained), labels.index(answer.label)
        length = max(float(np.linalg.norm(whole.states[0])), SHORTEST)
        changes = np.linalg.norm(without.states - whole.states[0], axis=1) / length
        order = np.argsort(without.scores[:, best], kind="stable")
        examined = tuple(
            WordExamination(
                text=word.text,
                start=word.start,
                end=word.end,
                contribution=None if self._network.architecture.head == "last" else word.score,
                without=float(without.scores[place, target]),
                after=float(after[place, target]),
                remembered=float(changes[place]),
            )
            for place, word in enumerate(seen)
        )
        deletions = self._deletions(ids, [seen[place] for place in order], answer=answer)
        if deletions is not None:
            places = sorted(int(order[place]) for place in deletions.words)
            deletions = Deletions(tuple(places), deletions.answer)
        return Examination(answer, explained, examined, deletions, len(seen) < len(words))

    def _words(self, text: str, label: str) -> tuple[Word, ...]:
        """Returns the words that the model reads, with their contributions, 0 if there are none."""
        architecture = self._network.architecture
        if architecture.head != "last":
            network, space = self._network, self._label_space
            explainer = Explainer(network, tokenizer=self._tokenizer, label_space=space)
            return explainer.explain(text, label=label).words
        spans = self._tokenizer.spans(text)[: architecture.cut_at or None]
        groups = word_groups(text, spans)
        return merge_words(text, spans, groups=groups, scores=np.zeros(len(spans), np.float32))

    def _read(self, rows: Sequence[np.ndarray]) -> _Readings:
        """Reads some texts of ids."""
        settings = self._network.architecture
        both = settings.bidirectional and settings.cell != "none"
        units = len(self._network.kernel) // (2 if both else 1)
        states = np.zeros([len(rows), units])
        logits = np.zeros([len(rows), self._network.classes])
        size = max(1, BATCH_TOKENS // max(1, *map(len, rows))) if rows else 1
        order = np.argsort([-len(row) for row in rows], kind="stable")
        for start in range(0, len(rows), size):
            places = order[start : start + size]
            batch = [rows[place] for place in places]
            states[places], logits[places] = _read_batch(self._network, batch, units)
        return _Readings(states, self._label_space.probabilities(logits))

    def _deletions(
        self, ids: np.ndarray, words: Sequence[Word], *, answer: Prediction
    ) -> Deletions | None:
        """Returns a few words without which the answer is another one.

        Words are left out in their order, until the answer changes. Then words are put back as
        long as the answer stays changed, so that each of the others is needed.

        Args:
            ids: The ids of the text.
            words: The words in the order in which they are tried.
            answer: The answer to the text.
        """

        def answer_without(places: Sequence[int]) -> Prediction:
            row = _without(ids, [words[place] for place in places])
            return Prediction.of(self._read([row]).scores[0], self._label_space)

        for count in range(1, min(len(words), MOST_DELETIONS) + 1):
            if answer_without(range(count)).labels != answer.labels:
                break
        else:
            return None
        needed = _smallest(
            range(count), lambda places: answer_without(places).labels != answer.labels
        )
        return Deletions(tuple(needed), answer_without(needed))


class _Readings(NamedTuple):
    """What was read of N texts.

    Attributes:
        states: `[N, H]`, the last state of the last layer, of the forward direction.
        scores: `[N, C]`, the probabilities.
    """

    states: np.ndarray
    scores: np.ndarray


def _smallest(places: Sequence[int], suffices: Callable[[Sequence[int]], bool]) -> list[int]:
    """Leaves out places, one after the other, as long as the others suffice."""
    needed = list(places)
    for place in needed:
        fewer = [other for other in needed if other != place]
        if suffices(fewer):
            return _smallest(fewer, suffices)
    return needed


def _without(ids: np.ndarray, words: Sequence[Word]) -> np.ndarray:
    """Returns the ids without those of some words."""
    places = [place for word in words for place in range(word.first, word.stop)]
    return np.delete(ids, np.array(places, np.int64))


def _read_batch(
    network: Network, rows: list[np.ndarray], units: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the last states and the logits of texts in descending order of length."""
    start = network.start(len(rows))
    if not len(rows[0]):
        return np.zeros([len(rows), units]), network.finish(start)
    sequence, lengths, layers = network.states(rows, start.layers)
    last = sequence[np.maximum(lengths - 1, 0), np.arange(len(rows)), :units]
    last = np.where(lengths[:, np.newaxis] > 0, last, 0.0)
    ngrams = None
    if network.ngrams is not None and start.ngrams is not None:
        ngrams = network.ngrams.read(rows, start.ngrams)
    summary = network.pooling.add(start.summary, sequence, lengths)
    return last, network.finish(NetworkState(layers, summary, ngrams))
