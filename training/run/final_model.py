"""Makes the model of a finished run: the trained weights, and the n-gram classifier beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.batching import BatchPlan
from textrnn.layers.ngrams import NGramLogits, NGramTable
from textrnn.models.classifier import TextClassifier
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.loop.training_data import TrainingData
from textrnn.training.run.initial_weights import build_model
from textrnn.training.run.ngrams import (
    Mixture,
    NGramChoice,
    candidates,
    fit_mixture,
    fit_ngrams,
)
from textrnn.training.run.preparation import RunContext

__all__ = ["final_model"]

MOST_VALIDATION_TEXTS = 5000
"""The number of validation texts that two weights are fitted to."""


def final_model(
    trained: TextClassifier, data: TrainingData, *, context: RunContext
) -> tuple[TextClassifier, dict[str, Any]]:
    """Returns a copy of a trained model in float32, with n-grams if the settings want them.

    Args:
        trained: The trained model. Its precision is that of the training, and the optimizer, which
            must not be saved, belongs to it.
        data: The data of the training.
        context: The settings, the labels and the tokenizer.

    Returns:
        The model, and the figures of the n-grams; {} without them: `counts`, the `counts` of
        `NGramLogits`; `least_texts`, that of `NGramChoice`; `weights`, those of the mixture;
        `validation_accuracy`, that of the recurrence and of the n-grams by themselves.
    """
    config = context.config
    model = build_model(context, precision="float32")
    model.set_weights(trained.get_weights())
    plan = data.train.plan
    choices = candidates(config.model.ngrams, tokens=plan.total_tokens)
    if not choices:
        return model, {}
    sample = _validation_sample(data, config)
    rnn_logits = _logits(model, sample.plan, classes=model.classes)
    texts = plan.texts
    if plan.cut_tokens:
        texts = [text[:length] for text, length in zip(texts, plan.lengths, strict=True)]
    fitted = []
    for choice in choices:
        table = fit_ngrams(
            texts,
            data.train.targets,
            label_space=data.label_space,
            vocab_size=model.vocab_size,
            choice=choice,
            sample_weights=data.train.weights,
            seed=config.runtime.seed,
            reporter=context.reporter,
        )
        ngrams = NGramLogits(model.vocab_size, model.classes, counts=table.counts)
        ngrams.set_table(table)
        logits = _logits(ngrams, sample.plan, classes=model.classes)
        mixture = fit_mixture(rnn_logits, logits, sample.targets, label_space=data.label_space)
        fitted.append(_Fitted(choice, table, logits, mixture))
    best = min(fitted, key=lambda candidate: candidate.mixture.loss)
    mixture, table = best.mixture, best.table
    model.classify.set_weights([mixture.rnn * weight for weight in model.classify.get_weights()])
    ngrams = NGramLogits(model.vocab_size, model.classes, counts=table.counts)
    ngrams.set_table(table.scaled(mixture.ngrams))
    mixed = build_model(context, precision="float32", ngram_counts=table.counts)
    mixed.set_weights([*model.get_weights(), *ngrams.get_weights()])
    accuracies = {
        name: float(data.label_space.correct(logits, sample.targets).numpy().mean())
        for name, logits in (("rnn", rnn_logits), ("ngrams", best.logits))
    }
    return mixed, {
        "counts": list(table.counts),
        "least_texts": best.choice.least_texts,
        "weights": {"rnn": mixture.rnn, "ngrams": mixture.ngrams},
        "validation_accuracy": accuracies,
    }


class _Fitted(NamedTuple):
    """One candidate for the n-grams, its logits `[N, C]` and its mixture with the recurrence."""

    choice: NGramChoice
    table: NGramTable
    logits: np.ndarray
    mixture: Mixture


def _validation_sample(data: TrainingData, config: ClassifierRunConfig) -> LabelledBatches:
    rows = np.arange(len(data.validation.targets))
    if len(rows) > MOST_VALIDATION_TEXTS:
        rng = np.random.default_rng(config.runtime.seed)
        rows = np.sort(rng.permutation(rows)[:MOST_VALIDATION_TEXTS])
    return data.validation.take(rows, config.batches)


def _logits(
    model: Callable[[tf.Tensor], tf.Tensor], plan: BatchPlan, *, classes: int
) -> np.ndarray:
    """Returns the logits `[N, C]` of the texts of a plan."""

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)], autograph=False)
    def logits(ids: tf.Tensor) -> tf.Tensor:
        return tf.cast(model(ids), tf.float32)

    result = np.zeros([len(plan.texts), classes], np.float32)
    for batch in plan.batches():
        real = batch.rows >= 0
        result[batch.rows[real]] = logits(plan.ids(batch)).numpy()[real]
    return result
