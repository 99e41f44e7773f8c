"""Examines one answer: what each word does to it, and what would change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ConfigError
from .explaining import explain
from .network.network import Network, NetworkState
from .prediction import Answer
from .text.words import Word, merge_words, word_groups

if TYPE_CHECKING:
    from .model import RuntimeModel

__all__ = ["Deletions", "Examination", "WordExamination", "examine"]

MOST_WORDS = 128
"""The number of words that are examined."""

MOST_TOKENS = 32_768
"""The number of tokens that are read for the deletion of one word after the other."""

MOST_DELETIONS = 8
BATCH_TOKENS = 8_192


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
    answer: Answer


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
    """

    answer: Answer
    explained: str
    words: tuple[WordExamination, ...]
    deletions: Deletions | None
    cut: bool

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
        }


def examine(model: RuntimeModel, text: str, *, label: str | None = None) -> Examination:
    """Examines the answer to one text.

    A word is left out by leaving out its tokens; the other tokens stay what they are. The number of
    examined words is at most 128, and less for texts of more than 256 tokens.

    Args:
        model: The model.
        text: The text. A model that needs the whole text reads it up to its `max_length`.
        label: The label to explain; None: the predicted one.

    Raises:
        ConfigError: The label is unknown.
    """
    if label is not None and label not in model.labels:
        raise ConfigError(f"expected one of the labels {model.labels[:20]}, got {label!r}.")
    ids, spans = _tokens(model, text)
    (scores,) = model.score_ids([ids])
    answer = Answer.of(scores, model.label_space, tokens=len(ids))
    explained = answer.label if label is None else label
    target = model.labels.index(explained)
    words = merge_words(
        text, spans, groups=word_groups(text, spans), scores=_contributions(model, text, explained)
    )
    seen = words[: min(MOST_WORDS, MOST_TOKENS // max(len(ids), 1))]
    state, _ = _read(model.network, [ids])
    states, without = _read(model.network, [_without(ids, [word]) for word in seen])
    without_scores = model.label_space.probabilities(without)
    length = max(float(np.linalg.norm(state)), 1e-12)
    after = model.score_ids([ids[: word.stop] for word in seen])
    examined = tuple(
        WordExamination(
            text=word.text,
            start=word.start,
            end=word.end,
            contribution=None if model.architecture.head == "last" else word.score,
            without=float(without_scores[place, target]),
            after=float(after[place, target]),
            remembered=float(np.linalg.norm(states[place] - state[0])) / length,
        )
        for place, word in enumerate(seen)
    )
    best = model.labels.index(answer.label)
    order = np.argsort(without_scores[:, best] - scores[best], kind="stable")
    deletions = _deletions(model, ids, seen, order=order, answer=answer)
    return Examination(answer, explained, examined, deletions, len(seen) < len(words))


def _tokens(model: RuntimeModel, text: str) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Returns the ids and the characters of the tokens that the model reads."""
    ids = np.array(model.tokenizer.encode(text), np.int64)
    cut_at = model.architecture.cut_at or len(ids)
    return ids[:cut_at], model.tokenizer.spans(text)[:cut_at]


def _contributions(model: RuntimeModel, text: str, label: str) -> np.ndarray:
    """Returns what each token adds to a logit; zeros if the logit is no sum over the tokens."""
    if model.architecture.head == "last":
        return np.zeros(len(_tokens(model, text)[0]), np.float32)
    return explain(model, text, label=label).piece_scores


def _without(ids: np.ndarray, words: Sequence[Word]) -> np.ndarray:
    places = [np.arange(word.first, word.stop) for word in words]
    return np.delete(ids, np.concatenate(places)) if places else ids


def _read(network: Network, rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the last forward state `[N, H]` of the last layer, and the logits `[N, C]`."""
    settings = network.architecture
    both = settings.bidirectional and settings.cell != "none"
    units = len(network.kernel) // (2 if both else 1)
    states, logits = np.zeros([len(rows), units]), np.zeros([len(rows), network.classes])
    longest = max(map(len, rows), default=0)
    size = max(1, BATCH_TOKENS // max(longest, 1))
    order = np.argsort([-len(row) for row in rows], kind="stable")
    for start in range(0, len(rows), size):
        places = order[start : start + size]
        batch = [rows[place] for place in places]
        states[places], logits[places] = _read_batch(network, batch, units)
    return states, logits


def _read_batch(
    network: Network, rows: list[np.ndarray], units: int
) -> tuple[np.ndarray, np.ndarray]:
    """Reads texts in descending order of length."""
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


def _deletions(
    model: RuntimeModel,
    ids: np.ndarray,
    words: Sequence[Word],
    *,
    order: np.ndarray,
    answer: Answer,
) -> Deletions | None:
    """Returns a few words without which the answer is another one.

    Words are left out in the order given, until the answer changes. Then each of them is put back
    if the answer stays changed.

    Args:
        model: The model.
        ids: The ids of the text.
        words: The words.
        order: The places of the words in the order in which they are tried.
        answer: The answer to the text.
    """

    def answer_without(places: Sequence[int]) -> Answer:
        row = _without(ids, [words[place] for place in places])
        (scores,) = model.score_ids([row])
        return Answer.of(scores, model.label_space, tokens=len(row))

    tried = [int(place) for place in order[:MOST_DELETIONS]]
    for count in range(1, len(tried) + 1):
        if answer_without(tried[:count]).labels != answer.labels:
            break
    else:
        return None
    needed = tried[:count]
    for place in list(needed[:-1]):
        fewer = [other for other in needed if other != place]
        if answer_without(fewer).labels != answer.labels:
            needed = fewer
    return Deletions(tuple(sorted(needed)), answer_without(needed))
