"""Attribution: what each word of one text did for the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from textrnn.analysis.attribution.methods import METHODS, TokenScorer
from textrnn.analysis.attribution.words import Word, merge_words, word_groups
from textrnn.errors import ConfigError
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.wording import counted, listed
from textrnn.text.checks import as_text

__all__ = ["METHODS", "Attribution", "Explainer", "Word", "explain", "running_scores"]


@dataclass(frozen=True)
class Attribution:
    """What each word of a text did for one label.

    Attributes:
        method: One of `METHODS`.
        label: The label that is explained.
        probability: Its probability.
        predicted: The most probable label.
        text: The text.
        words: In the text's order; characters between them are white space.
        pieces: The tokens, T of them; U+2581 stands for a space.
        piece_scores: `[T]`, in logits; of the method `head` the head's weights, which sum to 1.
        logit: The label's logit.
        offset: What the scores leave out; see `PieceScores`.
        completeness_error: See `PieceScores`.
        warning: What to know before these figures are used; None if nothing.
    """

    method: str
    label: str
    probability: float
    predicted: str
    text: str
    words: tuple[Word, ...]
    pieces: tuple[str, ...]
    piece_scores: np.ndarray
    logit: float
    offset: float | None
    completeness_error: float | None
    warning: str | None

    @property
    def signed(self) -> bool:
        """Whether a score can speak against the label."""
        return self.method != "head"

    def strengths(self) -> list[float]:
        """Each word's score relative to the strongest, from -1 to 1."""
        most = max((abs(word.score) for word in self.words), default=0.0)
        return [word.score / most if most else 0.0 for word in self.words]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "method": self.method,
            "label": self.label,
            "probability": self.probability,
            "predicted": self.predicted,
            "text": self.text,
            "words": [word.to_dict() for word in self.words],
            "pieces": list(self.pieces),
            "piece_scores": [float(score) for score in self.piece_scores],
            "logit": self.logit,
            "offset": self.offset,
            "completeness_error": self.completeness_error,
            "warning": self.warning,
        }


def explain(
    classifier: TrainedClassifier,
    text: str,
    *,
    method: str = "integrated-gradients",
    label: str | None = None,
) -> Attribution:
    """What each word of one text did for a label; see `Explainer.explain`."""
    return Explainer(classifier).explain(text, method=method, label=label)


def running_scores(classifier: TrainedClassifier, attribution: Attribution) -> list[float] | None:
    """The label's probability after each word; None of a model that needs the whole text."""
    stack = classifier.model.stack
    if stack is not None and (stack.bidirectional or stack.pyramid):
        return None
    curve = classifier.prefix_curve(attribution.text).scores
    place = classifier.labels.index(attribution.label)
    return [float(curve[word.stop - 1, place]) for word in attribution.words]


class Explainer:
    """Explains the answers of one classifier; traces its graphs once for all texts.

    Args:
        classifier: The trained classifier.
    """

    def __init__(self, classifier: TrainedClassifier) -> None:
        self.classifier = classifier
        self.scorer = TokenScorer(classifier.model)

    def explain(
        self,
        text: str,
        *,
        method: str = "integrated-gradients",
        label: str | None = None,
    ) -> Attribution:
        """What each word of one text did for a label.

        Args:
            text: The text; a bidirectional model reads it as far as its `max_length`.
            method: One of `METHODS`; see `TokenScorer.scores`.
            label: The label to explain; the most probable one if None.

        Raises:
            ConfigError: The method or the label is unknown, or the method is not for this head.
            TypeError: `text` is no string.
        """
        classifier, text = self.classifier, as_text(text, call="explain")
        if label is not None and label not in classifier.labels:
            raise ConfigError(f"`label` must be one of {listed(classifier.labels)}, got {label!r}.")
        ids = classifier.tokenizer.encode(text)
        pieces = [classifier.tokenizer.id_to_piece(id) for id in ids]
        spans = classifier.tokenizer.spans(text)
        total, most = len(ids), classifier.config.batches.max_length
        if most and (classifier.config.model.bidirectional or classifier.config.model.pyramid):
            ids, pieces, spans = ids[:most], pieces[:most], spans[:most]
        (prediction,) = classifier.predict([text])
        label = prediction.label if label is None else label
        target = classifier.labels.index(label)
        groups = word_groups(text, spans)
        found = self.scorer.scores(ids, target=target, method=method, groups=groups)
        warnings = [found.warning] if found.warning else []
        if len(ids) < total:
            warnings.append(
                f"the run's --max-length cuts the text after {counted(most, 'token')} of {total}."
            )
        return Attribution(
            method=method,
            label=label,
            probability=prediction.scores[label],
            predicted=prediction.label,
            text=text,
            words=merge_words(text, spans, groups, found.scores),
            pieces=tuple(pieces),
            piece_scores=found.scores,
            logit=found.logit,
            offset=found.offset,
            completeness_error=found.completeness_error,
            warning=" ".join(warnings) or None,
        )
