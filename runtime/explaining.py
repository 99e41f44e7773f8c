"""Explains an answer by the parts that its logit is the sum of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .errors import ConfigError
from .explanation import Explanation, NGramScore, token_shares
from .network.network import Network
from .reader import Reader
from .text.words import Word, merge_words, word_groups

if TYPE_CHECKING:
    from .model import RuntimeModel

__all__ = ["explain"]

METHOD = "additive"
SHOWN_LABELS = 20

LEAST_DIFFERENCE = 0.1
"""The completeness error is relative to the difference of the logits, but at least to this."""


def explain(model: RuntimeModel, text: str, *, label: str | None = None) -> Explanation:
    """Returns what each word of one text adds to the logit of a label.

    Token t adds `alpha_t w . h_t`, where h_t is its state and alpha_t its weight in the pooled
    vector, and its share of each n-gram that contains it. The sum and the biases are the logit. A
    state depends on more than its own token.

    Args:
        model: The model.
        text: The text.
        label: The label to explain; None: the predicted one.

    Raises:
        ConfigError: The label is unknown, or the head of the model is `last`.
    """
    _check(model, label)
    ids = np.array(model.tokenizer.encode(text), np.int64)
    pieces = [model.tokenizer.id_to_piece(id) for id in ids]
    spans, total = model.tokenizer.spans(text), len(ids)
    cut_at = model.architecture.cut_at or total
    ids, pieces, spans = ids[:cut_at], pieces[:cut_at], spans[:cut_at]
    (answer,) = model.answers([text])
    target = model.labels.index(answer.label if label is None else label)
    network = model.network
    ngrams: tuple[NGramScore, ...] = ()
    offset = float(network.bias[target])
    if network.ngrams is not None:
        ngrams = tuple(NGramScore(*part) for part in network.ngrams.contributions(ids, target))
        offset += float(network.ngrams.bias[target])
    parts = _state_parts(network, ids, target)
    scores = (parts + token_shares(ngrams, len(ids))).astype(np.float32)
    logit = float(network.logits([ids])[0, target])
    missing = abs(offset + float(np.sum(scores, dtype=np.float64)) - logit)
    words = merge_words(text, spans, groups=word_groups(text, spans), scores=scores)
    return Explanation(
        method=METHOD,
        label=model.labels[target],
        probability=answer.scores[model.labels[target]],
        predicted=answer.label,
        scores=answer.scores,
        text=text,
        words=words,
        pieces=tuple(pieces),
        piece_scores=scores,
        logit=logit,
        offset=offset if total else None,
        completeness_error=missing / max(abs(logit - offset), LEAST_DIFFERENCE) if total else None,
        warning=_warning(total, len(ids)),
        ngrams=ngrams,
        running=_running(model, ids, words, target),
    )


def _check(model: RuntimeModel, label: str | None) -> None:
    """Raises ConfigError if the label is unknown, or the head sums over no states."""
    if label is not None and label not in model.labels:
        names = ", ".join(model.labels[:SHOWN_LABELS])
        more = ", ..." if len(model.labels) > SHOWN_LABELS else ""
        raise ConfigError(f"`label` must be one of {names}{more}, got {label!r}.")
    if model.architecture.head == "last":
        raise ConfigError(
            "expected a pooling head that sums over the states for the method additive, got the "
            "head last, which uses the last state alone; use integrated-gradients, or train with "
            "the head attention."
        )


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


def _running(
    model: RuntimeModel, ids: np.ndarray, words: tuple[Word, ...], target: int
) -> tuple[float, ...] | None:
    """Returns the probability of a label after each word; None if the model needs whole texts."""
    if not model.forwards:
        return None
    reader = Reader(model.network, model.label_space)
    state, read, running = reader.start(1), 0, []
    for word in words:
        scores, state = reader.read(state, [ids[read : word.stop]])
        read = max(read, word.stop)
        running.append(float(scores[0, target]))
    return tuple(running)
