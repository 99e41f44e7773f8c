"""Builds the classifier of a run and gives it its initial weights."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from textrnn.errors import ConfigError
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.messages.wording import counted
from textrnn.models.classifier import TextClassifier
from textrnn.text.word_vectors import pretrained_embeddings
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.devices.device import dtype_policy
from textrnn.training.run.continuation import learned_validation_notice, take_over
from textrnn.training.run.origin import Origin
from textrnn.training.run.preparation import RunContext
from textrnn.training.run.transfer import transfer
from textrnn.training.update.language_model_loss import LanguageModelLoss

__all__ = [
    "build_model",
    "language_model_loss",
    "start_from_run",
    "start_from_vectors",
]


def build_model(
    context: RunContext, *, precision: str, ngram_counts: Sequence[int] | None = None
) -> TextClassifier:
    """Returns the classifier of the run with random weights.

    Args:
        context: The settings, the labels and the tokenizer.
        precision: `float32`, `bfloat16` or `float16`.
        ngram_counts: As for `TextClassifier`.
    """
    model = TextClassifier(
        context.tokenizer.vocab_size,
        len(context.corpus.label_names),
        config=context.config.model,
        ngram_counts=ngram_counts,
        dtype=dtype_policy(precision),
        name="classifier",
    )
    model.build((None, None))
    return model


def language_model_loss(
    model: TextClassifier, data: LabelledBatches, *, context: RunContext
) -> LanguageModelLoss | None:
    """Returns the language model's loss with random weights; None if the settings lack it."""
    config = context.config
    weight = config.regularization.language_weight
    if not weight:
        return None
    return LanguageModelLoss(model, weight=weight, texts=data.plan.texts, seed=config.runtime.seed)


def start_from_vectors(
    model: TextClassifier, data: LabelledBatches, *, context: RunContext
) -> None:
    """Writes the word vectors of the settings into the embedding; does nothing without them.

    Args:
        model: The model, already built.
        data: The training texts, whose words are looked up.
        context: The settings and the tokenizer.

    Raises:
        DataError: The vectors cannot be read, or contain no word of the training texts.
        ConfigError: The pieces of the tokenizer are not parts of words.
    """
    config, tokenizer, reporter = context.config, context.tokenizer, context.reporter
    source = config.start.vectors
    if source is None:
        return
    embeddings = model.embedding.embeddings
    with reporter.wait(f"reading {source}"):
        unlabelled = [] if data.unlabelled is None else data.unlabelled.plan.texts
        texts = itertools.chain(data.plan.texts, unlabelled)
        start = pretrained_embeddings(source, tokenizer, texts=texts, table=embeddings.numpy())
    embeddings.assign(start.values)
    resized = _resized_message(start.vector_size, config.model.embedding_units)
    reporter.message(
        f"vectors of {start.vector_size} numbers{resized} for {start.coverage:.1%} of the words of "
        f"the training texts; {start.initialized:,} of {tokenizer.vocab_size:,} pieces start from "
        "them"
    )


def _resized_message(vector_size: int, units: int) -> str:
    """Returns how vectors of another size than the embedding fit into it, else an empty string."""
    if vector_size > units:
        return f", reduced to {units} numbers,"
    if vector_size < units:
        return f", with {units - vector_size} random numbers appended,"
    return ""


def start_from_run(
    model: TextClassifier,
    origin: Origin | None,
    *,
    context: RunContext,
    language_loss: LanguageModelLoss | None = None,
) -> None:
    """Copies the weights of the run that the training starts from; does nothing without one.

    Args:
        model: The model, already built.
        origin: The run.
        context: The settings.
        language_loss: Receives the weights of the output layer of a language model.

    Raises:
        ConfigError: The encoder or the tokenizer of the run has other settings.
        ModelError: The run cannot be loaded.
    """
    if origin is None:
        return
    labels = context.corpus.label_names
    trained: TrainedLanguageModel | TrainedClassifier
    if origin.labels is None:
        trained = run_folder.load_language_model(origin.run)
    else:
        trained = run_folder.load(origin.run)
    if context.config.tokenizer != trained.config.tokenizer:
        raise ConfigError(
            f"the settings of the tokenizer must be those of {origin.run}; "
            "textrnn.training.run.transfer.adopt_shape copies them."
        )
    if isinstance(trained, TrainedLanguageModel):
        transfer(trained, model)
        if language_loss is not None:
            language_loss.take_over(trained.model)
    else:
        take_over(trained, model, labels=labels)
        if notice := learned_validation_notice(context.config, trained.config):
            context.reporter.message(f"note: {notice}")
    encoder = trained.config.model
    context.reporter.message(
        f"{origin.message(labels)}: {encoder.layers} x {encoder.cell} of "
        f"{counted(encoder.units, 'unit')}"
    )
