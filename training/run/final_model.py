"""Makes the model of a finished run: the trained weights, calibrated, with n-grams beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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
from textrnn.training.run.mixture import Mixture, fit_mixture
from textrnn.training.run.ngrams import NGramChoice, candidates, fit_ngrams
from textrnn.training.run.preparation import RunContext
from textrnn.training.update.losses import lost_prior

__all__ = ["FinalModel", "final_model"]

MOST_VALIDATION_TEXTS = 5000
"""The number of validation texts that the few weights of the mixture are fitted to."""


@dataclass(frozen=True)
class FinalModel:
    """The model of a finished run, and the figures of its making.

    Attributes:
        model: The model in float32, whose probabilities are calibrated.
        calibration: `temperature`, the number that the logits were divided by; `texts`, the number
            of validation texts that it was fitted to; with a prior that the loss had taken from the
            logits, `prior`, the weight with which it was added to them.
        ngrams: The figures of the n-grams, {} without them: `counts`, the `counts` of
            `NGramLogits`; `least_texts`, that of `NGramChoice`; `weights`, those of the mixture;
            `validation_accuracy`, that of the recurrence and of the n-grams by themselves.
        lost_prior: What the training had taken from the logits and the mixture gave back, `[C]`;
            None: nothing.
    """

    model: TextClassifier
    calibration: dict[str, Any]
    lost_prior: np.ndarray | None
    ngrams: dict[str, Any] = field(default_factory=dict)


class _Fitted(NamedTuple):
    """One candidate for the n-grams, its logits `[N, C]` and its mixture with the recurrence."""

    choice: NGramChoice
    table: NGramTable
    logits: np.ndarray
    mixture: Mixture


def final_model(trained: TextClassifier, data: TrainingData, *, context: RunContext) -> FinalModel:
    """Returns a calibrated copy of a trained model, with n-grams if the settings want them.

    Args:
        trained: The trained model. Its precision is that of the training, and the optimizer, which
            must not be saved, belongs to it.
        data: The data of the training.
        context: The settings, the labels and the tokenizer.
    """
    model = build_model(context, precision="float32")
    model.set_weights(trained.get_weights())
    sample = _validation_sample(data, context.config)
    targets = sample.targets[:]  # [N, C]
    logits = _logits(model, sample.plan, classes=model.classes)
    prior = lost_prior(data.train.targets, config=context.config, label_space=data.label_space)
    choices = candidates(context.config.model.ngrams, tokens=data.train.plan.total_tokens)
    fitted = [
        _fit(choice, logits, data, sample, context=context, log_prior=prior) for choice in choices
    ]
    best = min(fitted, key=lambda candidate: candidate.mixture.loss, default=None)
    if best is None:
        mixture = fit_mixture(logits, None, targets, label_space=data.label_space, log_prior=prior)
        _rescale(model, mixture, prior)
        return FinalModel(model, _calibration(mixture, sample), _given_back(mixture, prior))
    _rescale(model, best.mixture, prior)
    accuracies = {
        name: float(data.label_space.correct(part, targets).numpy().mean())
        for name, part in (("rnn", logits), ("ngrams", best.logits))
    }
    context.reporter.message(
        "mixed by the log loss of the validation texts: the recurrence (by itself "
        f"{accuracies['rnn']:.2%} right) and the n-grams ({accuracies['ngrams']:.2%})"
    )
    return FinalModel(
        _with_ngrams(model, best.table.scaled(best.mixture.ngrams), context),
        _calibration(best.mixture, sample),
        _given_back(best.mixture, prior),
        {
            "counts": list(best.table.counts),
            "least_texts": best.choice.least_texts,
            "weights": {"rnn": best.mixture.rnn, "ngrams": best.mixture.ngrams},
            "validation_accuracy": accuracies,
        },
    )


def _fit(
    choice: NGramChoice,
    rnn_logits: np.ndarray,
    data: TrainingData,
    sample: LabelledBatches,
    *,
    context: RunContext,
    log_prior: np.ndarray | None,
) -> _Fitted:
    """Fits n-grams to the training texts, and their mixture to the validation texts."""
    plan, vocab_size = data.train.plan, context.tokenizer.vocab_size
    texts = plan.texts
    if plan.cut_tokens:
        texts = [text[:length] for text, length in zip(texts, plan.lengths, strict=True)]
    table = fit_ngrams(
        texts,
        data.train.targets,
        label_space=data.label_space,
        vocab_size=vocab_size,
        choice=choice,
        sample_weights=data.train.weights,
        seed=context.config.runtime.seed,
        reporter=context.reporter,
    )
    classes = rnn_logits.shape[1]
    ngrams = NGramLogits(vocab_size, classes, counts=table.counts)
    ngrams.set_table(table)
    logits = _logits(ngrams, sample.plan, classes=classes)
    mixture = fit_mixture(
        rnn_logits, logits, sample.targets[:], label_space=data.label_space, log_prior=log_prior
    )
    return _Fitted(choice, table, logits, mixture)


def _rescale(model: TextClassifier, mixture: Mixture, log_prior: np.ndarray | None) -> None:
    """Gives the weights of a mixture to the logits of a recurrence."""
    kernel, bias = model.classify.get_weights()
    prior = 0.0 if log_prior is None else mixture.prior * log_prior
    model.classify.set_weights([mixture.rnn * kernel, mixture.rnn * bias + prior])


def _with_ngrams(model: TextClassifier, table: NGramTable, context: RunContext) -> TextClassifier:
    """Returns a copy of a model with n-grams."""
    ngrams = NGramLogits(model.vocab_size, model.classes, counts=table.counts)
    ngrams.set_table(table)
    mixed = build_model(context, precision="float32", ngram_counts=table.counts)
    mixed.set_weights([*model.get_weights(), *ngrams.get_weights()])
    return mixed


def _given_back(mixture: Mixture, log_prior: np.ndarray | None) -> np.ndarray | None:
    """Returns what a mixture adds to the logits, `[C]`; None if the training took nothing."""
    return None if log_prior is None else mixture.prior * log_prior


def _calibration(mixture: Mixture, sample: LabelledBatches) -> dict[str, Any]:
    prior = {"prior": mixture.prior} if mixture.prior else {}
    return {"temperature": mixture.temperature, "texts": len(sample.targets), **prior}


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
