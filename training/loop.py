"""The training loop: one update a batch, one validation an epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from textrnn.classifier import TextClassifier
from textrnn.config import TrainingConfig
from textrnn.data.batching import Batch, BatchPlan
from textrnn.errors import ModelError
from textrnn.inference import Scorer
from textrnn.training.checkpoints import Checkpoint, TrainingState
from textrnn.training.lazy_adam import unique_rows
from textrnn.training.metrics import evaluate
from textrnn.training.optimization import make_loss, make_optimizer
from textrnn.training.progress import Reporter

__all__ = ["CHECKPOINT_SECONDS", "LabelledBatches", "Trainer"]

CHECKPOINT_SECONDS = 300.0
"""Between two checkpoints within an epoch."""

LOSS_SCALE = 4096.0
"""What the loss is multiplied by for float16, whose smallest gradients would else be zero."""

FEWEST_EPOCHS = 5
FEWEST_UPDATES = 2000
"""What a training of no stated length makes, both of them at least."""


@dataclass(frozen=True)
class LabelledBatches:
    """Texts in batches, with what the loss needs to know of each.

    Attributes:
        plan: The texts.
        targets: `[N, C]` of 0 and 1.
        weights: `[N]`, what each text counts in the loss.
    """

    plan: BatchPlan
    targets: np.ndarray
    weights: np.ndarray

    def dataset(self, batches: list[Batch]) -> tf.data.Dataset:
        """The batches as `(ids [B, T], targets [B, C], weights [B])`; a filler row weighs 0."""

        def generate() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
            for batch in batches:
                weights = np.where(batch.rows >= 0, self.weights[batch.rows], 0)
                yield self.plan.ids(batch), self.targets[batch.rows], weights

        signature = (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, self.targets.shape[1]], tf.float32),
            tf.TensorSpec([None], tf.float32),
        )
        return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2)


class Trainer:
    """Fits a classifier, keeping the weights of the epoch that is best on the validation data.

    The best epoch has the highest accuracy (multi-label: micro F1), of equals the lowest loss.

    Args:
        model: The classifier, built.
        config: The settings.
        multi_label: Whether a text may carry any number of labels.
        labels: The label names.
        train: What is fitted.
        valid: What decides which epoch was best, and when to stop.
        checkpoint: The file to keep the state in.
        data_digest: Of the data, so that a checkpoint is not resumed on other data.
        should_stop: Asked after each update; True saves a checkpoint and raises KeyboardInterrupt.
    """

    def __init__(
        self,
        model: TextClassifier,
        config: TrainingConfig,
        *,
        multi_label: bool,
        labels: tuple[str, ...],
        train: LabelledBatches,
        valid: LabelledBatches,
        checkpoint: Path,
        data_digest: str,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.model = model
        self.config = config
        self.labels = labels
        self.multi_label = multi_label
        self.train, self.valid = train, valid
        self.state = TrainingState()
        self._checkpoint = checkpoint
        self._data_digest = data_digest
        self._should_stop = should_stop
        self._best: list[np.ndarray] = []
        batches = train.plan.batches()
        # Texts weigh the same whichever batch they fall into, so the mean is over the texts of an
        # average batch, not of their own.
        self._mean_rows = len(train.targets) / len(batches)
        self._loss = make_loss(config, multi_label=multi_label)
        enough = max(FEWEST_EPOCHS, math.ceil(FEWEST_UPDATES / len(batches)))
        self.epochs = config.epochs or enough
        self.optimizer = make_optimizer(config, total_steps=self.epochs * len(batches))
        self.optimizer.build(model.trainable_variables)
        self._scorer = Scorer(model, multi_label=multi_label)
        self.step = self._make_step()

    def _make_step(self) -> Any:
        model, optimizer = self.model, self.optimizer
        signature = self.train.dataset([]).element_spec
        scale = LOSS_SCALE if self.config.precision == "float16" else 1.0

        @tf.function(input_signature=signature)
        def step(
            ids: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            with tf.GradientTape() as tape:
                logits = tf.cast(model(ids, training=True), tf.float32)  # [B, C]
                loss_sum = tf.reduce_sum(weights * self._loss(targets, logits))
                loss = scale * loss_sum / self._mean_rows
            gradients = tape.gradient(loss, model.trainable_variables)
            gradients = [unique_rows(gradient) for gradient in gradients]
            if scale != 1.0:
                gradients = [_scaled(gradient, 1.0 / scale) for gradient in gradients]
            if self.config.clip_norm:
                gradients, _ = tf.clip_by_global_norm(gradients, self.config.clip_norm)
            optimizer.apply(gradients, model.trainable_variables)
            return loss_sum, self._count_correct(logits, targets, weights)

        return step

    def _count_correct(
        self, logits: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor
    ) -> tf.Tensor:
        """How many of the texts `[B]` have all their labels right."""
        if self.multi_label:
            correct = tf.reduce_all(tf.equal(logits >= 0.0, targets > 0.5), axis=1)
        else:
            correct = tf.equal(tf.argmax(logits, axis=1), tf.argmax(targets, axis=1))
        return tf.math.count_nonzero(correct & (weights > 0), dtype=tf.int32)

    def fit(
        self, reporter: Reporter, *, on_epoch: Callable[[dict[str, float]], None]
    ) -> TrainingState:
        """Trains to the end, or to where it no longer gets better; the best weights stay.

        Args:
            reporter: Told the progress.
            on_epoch: Told the figures of each epoch as it ends.

        Raises:
            ModelError: The loss is no longer a number.
            KeyboardInterrupt: `should_stop` said so; the checkpoint is written.
        """
        while not self._finished():
            self._fit_epoch(reporter)
            row = self._validate(reporter)
            self.state.history.append(row)
            self.state.epoch += 1
            quality = [row["valid_score"], -row["valid_loss"]]
            if not self._best or quality > self.state.best_quality:
                self.state.best_quality = quality
                self.state.best_epoch = self.state.epoch
                self._best = self.model.get_weights()
            self.state.start_epoch()
            self.save_checkpoint()
            on_epoch(row)
        self.model.set_weights(self._best)
        return self.state

    def _finished(self) -> bool:
        waited = self.state.epoch - self.state.best_epoch
        patience = self.config.patience
        return self.state.epoch >= self.epochs or bool(patience and waited >= patience)

    def _fit_epoch(self, reporter: Reporter) -> None:
        state = self.state
        batches = self.train.plan.batches(seed=[self.config.seed, state.epoch])
        saved = start = time.perf_counter()
        before = state.seconds
        name = f"epoch {state.epoch + 1}/{self.epochs}"
        with reporter.step(name, total=len(batches)) as advance:
            advance(state.batch)
            for data in self.train.dataset(batches[state.batch :]):
                loss_sum, correct = (float(value) for value in self.step(*data))
                if not math.isfinite(loss_sum):
                    raise self._diverged(f"the loss is {loss_sum} in batch {state.batch + 1}")
                batch = batches[state.batch]
                real = batch.rows[batch.rows >= 0]
                state.loss_sum += loss_sum
                state.correct_sum += correct
                state.row_sum += len(real)
                state.token_sum += float(self.train.plan.lengths[real].sum())
                state.batch += 1
                now = time.perf_counter()
                state.seconds = before + now - start
                advance(1, self._figures())
                if self._should_stop():
                    self.save_checkpoint()
                    raise KeyboardInterrupt
                if now - saved >= CHECKPOINT_SECONDS:
                    self.save_checkpoint()
                    saved = now

    def _diverged(self, what: str) -> ModelError:
        return ModelError(
            f"{what} of epoch {self.state.epoch + 1}; lower --learning-rate (now "
            f"{self.config.learning_rate:g}) and train again with --overwrite."
        )

    def _figures(self) -> str:
        state = self.state
        return (
            f"loss {state.loss_sum / state.row_sum:.3f} "
            f"accuracy {state.correct_sum / state.row_sum:.3f} "
            f"{state.token_sum / state.seconds:,.0f} tokens/s"
        )

    def _validate(self, reporter: Reporter) -> dict[str, float]:
        """The figures of the epoch that has just been fitted."""
        state = self.state
        probabilities = self.probabilities(self.valid.plan, reporter, name="validation")
        if not np.isfinite(probabilities).all():
            raise self._diverged("the probabilities are no numbers after the last batch")
        measured = evaluate(
            probabilities, self.valid.targets, labels=self.labels, multi_label=self.multi_label
        )
        return {
            "epoch": state.epoch + 1,
            "train_loss": state.loss_sum / state.row_sum,
            "train_accuracy": state.correct_sum / state.row_sum,
            "valid_loss": measured["log_loss"],
            "valid_accuracy": measured["accuracy"],
            "valid_macro_f1": measured["macro_f1"],
            "valid_score": measured.get("micro_f1", measured["accuracy"]),
            "seconds": state.seconds,
            "tokens_per_second": state.token_sum / state.seconds,
        }

    def probabilities(self, plan: BatchPlan, reporter: Reporter, *, name: str) -> np.ndarray:
        """The model's probabilities `[N, C]` with its present weights."""
        with reporter.step(name, total=len(plan.texts)) as advance:
            return self._scorer(plan, on_batch=advance)

    def save_checkpoint(self) -> None:
        """Writes the state of the training."""
        variables = [variable.numpy() for variable in self._variables()]
        Checkpoint(self.state, variables, self._best, self._data_digest).save(self._checkpoint)

    def resume(self) -> None:
        """Goes on from the checkpoint.

        Raises:
            ModelError: There is none, it is damaged, or was made with other data or settings.
        """
        checkpoint = Checkpoint.load(self._checkpoint)
        variables = self._variables()
        shapes = [tuple(variable.shape) for variable in variables]
        if checkpoint.data_digest != self._data_digest:
            raise ModelError(
                f"{self._checkpoint}: was made with other training data; "
                "put the data back as it was, or train again with --overwrite."
            )
        if [value.shape for value in checkpoint.variables] != shapes:
            raise ModelError(
                f"{self._checkpoint}: was made with other settings; train again with --overwrite."
            )
        for variable, value in zip(variables, checkpoint.variables, strict=True):
            variable.assign(value)
        self._best = list(checkpoint.best)
        self.state = checkpoint.state

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables]


def _scaled(gradient: Any, factor: float) -> Any:
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(factor * gradient.values, gradient.indices, gradient.dense_shape)
    return factor * gradient
