"""Explains an answer by the parts that its logit is the sum of."""

from __future__ import annotations

import numpy as np

from .errors import ConfigError
from .explanation import Explanation, NGramScore, token_shares
from .labels import Labels
from .network.network import Network
from .prediction import Prediction
from .reader import Reader
from .text.encoder import Encoder
from .text.words import Word, merge_words, word_groups

__all__ = ["Explainer"]

METHOD = "additive"
SHOWN_LABELS = 20

LEAST_DIFFERENCE = 0.1
"""The completeness error is relative to the difference of the logits, but at least to this."""


class Explainer:
    """Explains the answers of one model.

    Args:
        network: Maps ids to logits.
        tokenizer: Maps texts to ids.
        label_space: The labels and the rule that decides.
    """

    def __init__(self, network: Network, *, tokenizer: Encoder, label_space: Labels) -> None:
        self._network, self._tokenizer, self._label_space = network, tokenizer, label_space

    def explain(self, text: str, *, label: str | None = None) -> Explanation:
        """Returns what each word of one text adds to the logit of a label.

        Token t adds `alpha_t w . h_t`, where h_t is its state and alpha_t its weight in the pooled
        vector, and its share of each n-gram that contains it. The sum and the biases are the logit.
        A state depends on more than its own token.

        Args:
            text: The text.
            label: The label to explain; None: the predicted one.

        Raises:
            ConfigError: The label is unknown, or the head of the model is `last`.
        """
        self._check(label)
        network, labels = self._network, self._label_space.labels
        all_ids, spans = self._tokenizer.encode(text), self._tokenizer.spans(text)
        total, cut_at = len(all_ids), network.architecture.cut_at or len(all_ids)
        ids, spans = np.array(all_ids[:cut_at], np.int64), spans[:cut_at]
        logits = network.logits([ids])
        (probabilities,) = self._label_space.probabilities(logits)
        answer = Prediction.of(probabilities, self._label_space)
        label = answer.label if label is None else label
        target = labels.index(label)
        ngrams, offset = self._ngrams(ids, target)
        parts = _state_parts(network, ids, target)
        scores = (parts + token_shares(ngrams, len(ids))).astype(np.float32)
        logit = float(logits[0, target])
        missing = abs(offset + float(np.sum(scores, dtype=np.float64)) - logit)
        error = missing / max(abs(logit - offset), LEAST_DIFFERENCE)
        words = merge_words(text, spans, groups=word_groups(text, spans), scores=scores)
        return Explanation(
            method=METHOD,
            label=label,
            probability=answer.scores[label],
            predicted=answer.label,
            scores=answer.scores,
            text=text,
            words=words,
            pieces=tuple(map(self._tokenizer.id_to_piece, all_ids[:cut_at])),
            piece_scores=scores,
            logit=logit,
            offset=offset if total else None,
            completeness_error=error if total else None,
            warning=_warning(total, len(ids)),
            ngrams=ngrams,
            running=self._running(ids, words, target),
        )

    def _check(self, label: str | None) -> None:
        """Raises ConfigError if the label is unknown, or the head sums over no states."""
        labels = self._label_space.labels
        if label is not None and label not in labels:
            names = ", ".join(labels[:SHOWN_LABELS])
            more = ", ..." if len(labels) > SHOWN_LABELS else ""
            raise ConfigError(f"`label` must be one of {names}{more}, got {label!r}.")
        if self._network.architecture.head == "last":
            raise ConfigError(
                "expected a pooling head that sums over the states for the method additive, got "
                "the head last, which uses the last state alone; use integrated-gradients, or "
                "train with the head attention."
            )

    def _ngrams(self, ids: np.ndarray, target: int) -> tuple[tuple[NGramScore, ...], float]:
        """Returns the contributions of the n-grams to a logit, and the sum of all biases."""
        network, offset = self._network, float(self._network.bias[target])
        if network.ngrams is None:
            return (), offset
        parts = network.ngrams.contributions(ids, target)
        return tuple(NGramScore(*part) for part in parts), offset + float(
            network.ngrams.bias[target]
        )

    def _running(
        self, ids: np.ndarray, words: tuple[Word, ...], target: int
    ) -> tuple[float, ...] | None:
        """Returns a label's probability after each word; None if the model needs whole texts."""
        if not self._network.architecture.forwards:
            return None
        reader = Reader(self._network, self._label_space)
        state, read, running = reader.start(1), 0, []
        for word in words:
            scores, state = reader.read(state, [ids[read : word.stop]])
            read = word.stop
            running.append(float(scores[0, target]))
        return tuple(running)


def _warning(total: int, read: int) -> str | None:
    if not total:
        return "the text is empty."
    if read < total:
        return f"`max_length` cuts the text after {read:,} tokens of {total}."
    return None


def _state_parts(network: Network, ids: np.ndarray, target: int) -> np.ndarray:
    """Returns what the state of each token adds to a logit, `[T]` of float64."""
    if not len(ids):
        return np.zeros(0)
    states, _, _ = network.states([ids], network.stack.start(1))
    rows = states[:, 0]  # [T', H]
    weights = network.pooling.weights(rows)
    kernel = network.kernel[:, target].astype(np.float64)
    parts = (weights * rows.astype(np.float64)) @ kernel
    # A state of a pyramid belongs to several tokens, which share its score.
    settings = network.architecture
    share = 2 ** (settings.layers - 1) if settings.pyramid and settings.cell != "none" else 1
    owners = np.arange(len(ids)) // share
    return np.asarray((parts / np.bincount(owners, minlength=len(parts)))[owners])
