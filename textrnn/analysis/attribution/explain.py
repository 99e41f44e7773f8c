"""Attribution: what each word of one text contributes to the answer."""

from __future__ import annotations

from pathlib import Path

from textrnn.analysis.attribution.methods import METHODS, TokenScorer
from textrnn.errors import ConfigError
from textrnn.evaluation.opened_run import OpenedRun
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.wording import counted, listed
from textrnn.runtime.explanation import Attribution, Explanation
from textrnn.runtime.text.checks import as_text
from textrnn.runtime.text.words import Word, merge_words, word_groups

__all__ = [
    "METHODS",
    "Attribution",
    "Explainer",
    "Explanation",
    "Word",
    "explain",
    "running_scores",
]


def explain(
    run: str | Path | TrainedClassifier,
    text: str,
    *,
    method: str = "integrated-gradients",
    label: str | None = None,
) -> Explanation:
    """Returns what each word of one text contributes to a label.

    Use an `Explainer` to explain many texts with one classifier: it traces its graphs only once.

    Example:
        explanation = textrnn.explain("runs/bbc_news", "The match ended in a draw.")
        for word in explanation.words:
            print(word.text, round(word.score, 3))

    Args:
        run: A run folder, or a classifier that was loaded from one.
        text: The text. A model that needs the whole text reads it up to its `max_length`.
        method: One of `METHODS`; see `TokenScorer.scores`.
        label: The label to explain; None: the most probable one.

    Raises:
        ModelError: The folder is no finished run of a classifier.
        ConfigError: The method or the label is unknown, or the method does not work for the
            pooling head of the model.
        TypeError: `text` is no string.
    """
    classifier = OpenedRun.of(run).classifier
    attribution = Explainer(classifier).explain(text, method=method, label=label)
    running = running_scores(classifier, attribution)
    return Explanation(**vars(attribution), running=None if running is None else tuple(running))


def running_scores(classifier: TrainedClassifier, attribution: Attribution) -> list[float] | None:
    """Returns the probability of the label after each word.

    Args:
        classifier: The classifier that the attribution is about.
        attribution: The words and the label.

    Returns:
        One probability per word, or None if the model needs the whole text at once.
    """
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
        """Returns what each word of one text contributes to a label.

        Args:
            text: The text. A model that needs the whole text reads it up to its `max_length`.
            method: One of `METHODS`; see `TokenScorer.scores`.
            label: The label to explain; None: the most probable one.

        Raises:
            ConfigError: The method or the label is unknown, or the method does not work for the
                pooling head of the model.
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
        scored = self.scorer.scores(ids, target=target, method=method, groups=groups)
        warnings = [scored.warning] if scored.warning else []
        if len(ids) < total:
            warnings.append(
                f"`max_length` cuts the text after {counted(most, 'token')} of {total}."
            )
        return Attribution(
            method=method,
            label=label,
            probability=prediction.scores[label],
            predicted=prediction.label,
            scores=prediction.scores,
            text=text,
            words=merge_words(text, spans, groups=groups, scores=scored.scores),
            pieces=tuple(pieces),
            piece_scores=scored.scores,
            logit=scored.logit,
            offset=scored.offset,
            completeness_error=scored.completeness_error,
            warning=" ".join(warnings) or None,
            ngrams=scored.ngrams,
        )
