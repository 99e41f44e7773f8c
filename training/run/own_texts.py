"""Lets a language model read the training texts first, whose weights the classifier starts from.

A few thousand labels say little about what a language is like; the texts themselves say more. A
recurrence that has first learned to predict the next token of the training texts is a better start
than a random one: Dai & Le 2015, "Semi-supervised Sequence Learning".
"""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import keras
import numpy as np

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.model import EncoderConfig
from textrnn.errors import ModelError
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.messages.wording import counted
from textrnn.models.classifier import TextClassifier
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.batches.token_store import TokensInMemory
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.checkpoints import CHECKPOINTS, OWN_TEXTS, Checkpoints
from textrnn.training.loop.execution import Execution
from textrnn.training.loop.language_model_trainer import LanguageModelTrainer
from textrnn.training.run.preparation import RunContext
from textrnn.training.run.transfer import encoder_weights, write_encoder

__all__ = ["has_read", "language_model_config", "reading_seconds", "start_from_own_texts"]

DROPOUT = 0.2
TIME_SHARE = 0.5
"""The most that reading may take of the time for training, if a run has a time budget."""

MOST_HELD_OUT = 50_000
"""The number of tokens of validation texts that choose the epoch of the language model."""


def start_from_own_texts(
    model: TextClassifier,
    train: LabelledBatches,
    validation: LabelledBatches,
    *,
    context: RunContext,
    execution: Execution,
    folder: Path,
) -> None:
    """Trains a language model on the training texts, and copies its weights into a classifier.

    Nothing is kept of the language model when the run has ended. Of several workers, the chief
    trains it. Does nothing if `pretrain_epochs` is 0.

    Args:
        model: The classifier, already built.
        train: The training texts.
        validation: The validation texts, some of which choose the language model's epoch.
        context: The settings and the tokenizer.
        execution: The devices, and what may end the training early; of the time budget, the
            language model uses half at most.
        folder: The run folder. A language model of which it has a checkpoint continues.

    Raises:
        ModelError: The loss is no longer a number.
        KeyboardInterrupt: `should_stop` returned True; a checkpoint is written.
    """
    epochs = context.config.start.pretrain_epochs
    if not epochs:
        return
    content = b""
    if execution.distribution.is_chief:
        context.reporter.message(
            f"a language model reads the training texts first, in {counted(epochs, 'epoch')}; "
            "the classifier starts from it"
        )
        trained = _train(train, validation, context, execution, _checkpoints(folder))
        stream = io.BytesIO()
        np.savez(stream, *encoder_weights(trained))
        content = stream.getvalue()
    arrays = np.load(io.BytesIO(execution.distribution.broadcast(content)))
    write_encoder([arrays[name] for name in arrays.files], model)
    keras.utils.set_random_seed(context.config.runtime.seed)


def has_read(folder: Path, distribution: Distribution) -> bool:
    """Returns whether the chief's folder has a checkpoint of the classifier, on every worker."""
    exists = distribution.is_chief and bool(Checkpoints(folder / CHECKPOINTS).paths())
    return bool(distribution.broadcast(b"read" if exists else b""))


def reading_seconds(folder: Path) -> float:
    """Returns the time that a language model has read so far, by its checkpoint in a run folder.

    It is 0 without an intact one, which a classifier that has begun does not need.
    """
    try:
        return _checkpoints(folder).load()[0].state.elapsed
    except ModelError:
        return 0.0


def _checkpoints(folder: Path) -> Checkpoints:
    return Checkpoints(folder / CHECKPOINTS / OWN_TEXTS, keep_count=1)


def _train(
    train: LabelledBatches,
    validation: LabelledBatches,
    context: RunContext,
    execution: Execution,
    checkpoints: Checkpoints,
) -> TrainedLanguageModel:
    """Returns a language model that has read the training texts, in float32."""
    config = language_model_config(context.config)
    keras.utils.set_random_seed(config.runtime.seed)
    store = TokensInMemory.of(
        _cut(train),
        held_out=_first(_cut(validation), MOST_HELD_OUT),
        vocab_size=context.tokenizer.vocab_size,
    )
    trainer = LanguageModelTrainer(
        config,
        tokenizer=context.tokenizer,
        store=store,
        checkpoints=checkpoints,
        execution=Execution(
            should_stop=execution.should_stop,
            budget=None if execution.budget is None else execution.budget.part(TIME_SHARE),
        ),
    )
    if checkpoints.paths():
        trainer.resume(context.reporter)
    trainer.fit(reporter=context.reporter)
    return trainer.trained()


def language_model_config(config: ClassifierRunConfig) -> LanguageModelRunConfig:
    """Returns the settings of the language model that suits a classifier."""
    encoder = {
        field.name: getattr(config.model, field.name) for field in dataclasses.fields(EncoderConfig)
    }
    runtime = config.runtime
    return LanguageModelRunConfig.of(
        **encoder,
        **config.tokenizer.to_dict(),
        epochs=config.start.pretrain_epochs,
        dropout=DROPOUT,
        checkpoint_minutes=runtime.checkpoint_minutes,
        seed=runtime.seed,
        precision=runtime.precision,
        deterministic=runtime.deterministic,
        jit=runtime.jit,
    )


def _cut(batches: LabelledBatches) -> list[np.ndarray]:
    """Returns the token ids of the texts that have any, as far as the classifier reads them."""
    plan = batches.plan
    pairs = zip(plan.texts, plan.lengths, strict=True)
    return [text[:length] for text, length in pairs if length]


def _first(texts: list[np.ndarray], tokens: int) -> list[np.ndarray]:
    """Returns the first texts, with at most this number of tokens in all; one text at least."""
    ends = np.cumsum([len(text) for text in texts])
    return texts[: max(int(np.searchsorted(ends, tokens, side="right")), 1)]
