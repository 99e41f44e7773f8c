"""One update of the weights, the same under every strategy.

N replicas that each compute a batch's share make the update that one makes of the whole batch:
the loss is a sum over texts divided by a constant, the gradients are summed over the replicas, and
only then is their norm taken, are they clipped and applied.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.models.classifier import TextClassifier
from textrnn.training.devices.strategy import Distribution
from textrnn.training.update.adversarial import Adversary
from textrnn.training.update.lazy_adam import RowGradient, added, row_gradient, unique_rows
from textrnn.training.update.losses import LOSS_SCALE, clipped, values
from textrnn.training.update.next_tokens import NextTokens
from textrnn.training.update.truncated import truncated_gradients

__all__ = ["Signals", "Step"]


class Signals(NamedTuple):
    """What all workers learn of an update.

    Attributes:
        loss_sum: Of the texts' losses, weighted.
        correct: How many of the texts have all their labels right.
        norm: Of the gradient, before it is clipped.
        notes: The chief's notes to all.
    """

    loss_sum: float
    correct: float
    norm: float
    notes: tuple[float, ...]

    def problem(self, *, rows: int, most_loss: float) -> str | None:
        """Why the update was of no use, if it was not.

        Args:
            rows: Texts of the batch.
            most_loss: Of a text, above which the loss has exploded.
        """
        if not math.isfinite(self.loss_sum):
            return f"the loss is {self.loss_sum}"
        if self.loss_sum > most_loss * max(rows, 1):
            return f"the loss has exploded to {self.loss_sum / max(rows, 1):.3g} nats a text"
        return None if math.isfinite(self.norm) else f"the gradient's norm is {self.norm}"


class _Draws(NamedTuple):
    """What is drawn for an update: the length of its segments, and tokens; see `NextTokens`."""

    segment: tf.Tensor
    drawn: tf.Tensor
    offsets: tf.Tensor


class Step:
    """Computes the gradient of a batch and applies it.

    Args:
        model: The classifier, built in the distribution's scope.
        optimizer: The same; built.
        loss: The loss of each text `[B]`, of targets and logits `[B, C]`.
        config: The settings.
        distribution: Where it runs.
        multi_label: Whether a text may carry any number of labels.
        mean_rows: What the sum of the losses is divided by.
        notes: How many numbers the chief tells the other workers at each step.
        unlabelled_rows: Texts of an average unlabelled batch; 0: there are none.
        next_tokens: The language model's loss, if it is asked for.
    """

    def __init__(
        self,
        model: TextClassifier,
        optimizer: keras.optimizers.Optimizer,
        loss: Callable[[Any, Any], Any],
        *,
        config: ClassifierRunConfig,
        distribution: Distribution,
        multi_label: bool,
        mean_rows: float,
        notes: int,
        unlabelled_rows: float = 0.0,
        next_tokens: NextTokens | None = None,
    ) -> None:
        self._model, self._optimizer, self._loss = model, optimizer, loss
        self._next_tokens = next_tokens
        others = [] if next_tokens is None else next_tokens.variables
        self._fitted = [*model.trainable_variables, *others]
        self._distribution = distribution
        self._multi_label = multi_label
        self._mean_rows = mean_rows
        self.notes = notes
        self._clip_norm = config.optimizer.clip_norm
        self._scale = LOSS_SCALE if config.runtime.precision == "float16" else 1.0
        self._parts = config.batches.accumulate
        self._truncation = config.optimizer.segment_steps
        self._random = config.optimizer.tbptt_random
        self._adversary = None
        if (
            config.regularization.adversarial
            or config.regularization.vat
            or config.regularization.entropy
        ):
            each = self._scale / (mean_rows + unlabelled_rows)
            self._adversary = Adversary(model, config, multi_label=multi_label, scale=each)
        if self._truncation is not None:
            model.start(1)  # Which says what to do if the model cannot read piece by piece.
        self.rows_multiple = distribution.replicas * config.batches.accumulate
        """What the rows of a batch must be a multiple of."""
        # On a TPU every bucket of lengths has its own program; elsewhere one program serves all.
        signature: tuple[tf.TensorSpec, ...] | None = None
        if distribution.replicas == 1 and not distribution.static:
            signature = (
                tf.TensorSpec([None, None], tf.int32),
                tf.TensorSpec([None, model.classes], tf.float32),
                tf.TensorSpec([None], tf.float32),
                tf.TensorSpec([1, notes], tf.float32),
                tf.TensorSpec([1], tf.int32),
                tf.TensorSpec([1, None], tf.int32),
                tf.TensorSpec([1, None], tf.float32),
            )
            if unlabelled_rows:
                signature = (*signature, tf.TensorSpec([None, None], tf.int32))
        self._run = tf.function(
            self._run_replicas,
            input_signature=signature,
            reduce_retracing=signature is None and not distribution.static,
        )

    def __call__(
        self, batch: Sequence[Any], notes: Sequence[float], *, seed: Sequence[int] = (0,)
    ) -> tf.Tensor:
        """One update.

        Args:
            batch: `(ids [B, T], targets [B, C], weights [B])`, and if there are unlabelled texts
                the ids `[B', T']` of some.
            notes: What the chief tells all workers; those of the others are not looked at.
            seed: Of what is drawn, the number of the update at its end; on all workers the same.

        Returns:
            What `read` makes `Signals` of; not waited for.
        """
        told = np.zeros([self._distribution.replicas, self.notes], np.float32)
        if self._distribution.is_chief:
            told[0] = notes
        segment = np.full([self._distribution.replicas], self._segment(seed), np.int32)
        drawn: Sequence[Any] = (np.zeros(0, np.int32), np.zeros(0, np.float32))
        if self._next_tokens is not None:
            drawn = self._next_tokens.draw(seed[-1])
        drawn = [np.tile(values, (self._distribution.replicas, 1)) for values in drawn]
        values = [*batch[:3], told, segment, *drawn, *batch[3:]]
        return self._distribution.first(self._run(*self._distribution.split(values)))

    def _segment(self, seed: Sequence[int]) -> int:
        """K1, or a length near it, as Merity et al. 2018 (AWD-LSTM) do."""
        if self._truncation is None:
            return 0
        steps, _ = self._truncation
        if not self._random:
            return steps
        rng = np.random.default_rng(seed)
        mean = steps if rng.random() < 0.95 else steps / 2
        return max(1, round(rng.normal(mean, min(5.0, steps / 4))))

    @staticmethod
    def read(signals: tf.Tensor) -> Signals:
        """Waits for an update, and tells what became of it."""
        loss_sum, correct, norm, *notes = (float(value) for value in np.asarray(signals))
        return Signals(loss_sum, correct, norm, tuple(notes))

    def _run_replicas(self, *values: Any) -> Any:
        return self._distribution.run(self.update, values)

    def update(
        self,
        ids: tf.Tensor,
        targets: tf.Tensor,
        weights: tf.Tensor,
        notes: tf.Tensor,
        segment: tf.Tensor,
        drawn: tf.Tensor,
        offsets: tf.Tensor,
        unlabelled: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """What one replica does: `[B/N, ...]`, `[1, ...]` to the signals `[3 + K]`."""
        context = tf.distribute.get_replica_context()
        texts = [ids, targets, weights, *([] if unlabelled is None else [unlabelled])]
        gradients, sums = self._gradients(texts, _Draws(segment[0], drawn[0], offsets[0]))
        sums = tf.concat([sums, notes[0]], axis=0)
        if self._distribution.static:
            pairs = zip(gradients, self._fitted, strict=True)
            gradients = [row_gradient(gradient, variable.shape[0]) for gradient, variable in pairs]
        flat = tf.nest.flatten([gradients, sums])
        flat = context.all_reduce(tf.distribute.ReduceOp.SUM, flat)
        gradients, sums = tf.nest.pack_sequence_as([gradients, sums], flat)
        if self.rows_multiple > 1:
            gradients = [_touched_once(gradient) for gradient in gradients]
        gradients, norm = clipped(gradients, self._clip_norm, scale=self._scale)
        self._optimizer.apply(gradients, self._fitted)
        return tf.concat([sums[:2], [norm], sums[2:]], axis=0)

    def _gradients(self, texts: list[tf.Tensor], draws: _Draws) -> tuple[list[Any], tf.Tensor]:
        """The gradients of the scaled mean loss, and `[loss sum, correct]`."""
        if self._parts == 1:
            return self._part_gradients(draws, *texts)
        cut = [tf.split(tensor, self._parts) for tensor in texts]
        gradients: list[Any] = []
        sums = tf.zeros([2])
        for part in zip(*cut, strict=True):
            # One part after the other, so that only one holds its activations at a time.
            with tf.control_dependencies([values(gradient) for gradient in gradients]):
                texts = [tf.identity(tensor) for tensor in part]
            new, more = self._part_gradients(draws, *texts)
            old = gradients or [None] * len(new)
            gradients = [added(one, other) for one, other in zip(old, new, strict=True)]
            sums += more
        return gradients, sums

    def _part_gradients(
        self,
        draws: _Draws,
        ids: tf.Tensor,
        targets: tf.Tensor,
        weights: tf.Tensor,
        unlabelled: tf.Tensor | None = None,
    ) -> tuple[list[Any], tf.Tensor]:
        def objective(logits: tf.Tensor) -> tf.Tensor:
            loss_sum = tf.reduce_sum(weights * self._loss(targets, logits))
            return self._scale * loss_sum / self._mean_rows

        counted = tf.cast(weights > 0, tf.float32)
        if self._truncation is not None:
            steps, reach = self._truncation
            gradients, loss, logits = truncated_gradients(
                self._model,
                ids,
                objective,
                segment=draws.segment if self._random else steps,
                reach=reach,
            )
        elif self._adversary is not None:
            gradients, loss, logits = self._adversary.gradients(
                ids,
                objective,
                counted=counted,
                unlabelled=unlabelled,
            )
        elif self._next_tokens is not None:
            with tf.GradientTape() as tape:
                logits, others = self._next_tokens.read(ids, counted, draws.drawn, draws.offsets)
                loss = objective(tf.cast(logits, tf.float32))
                whole = loss + self._scale * others / self._mean_rows
            gradients = tape.gradient(whole, self._fitted)
        else:
            with tf.GradientTape() as tape:
                logits = self._model.logits_in_parts(ids, training=True)
                loss = objective(tf.cast(logits, tf.float32))
            gradients = tape.gradient(loss, self._fitted)
        if not self._distribution.static:
            gradients = [unique_rows(gradient) for gradient in gradients]
        correct = self._count_correct(logits, targets, weights)
        return gradients, tf.stack([loss * (self._mean_rows / self._scale), correct])

    def _count_correct(
        self, logits: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor
    ) -> tf.Tensor:
        if self._multi_label:
            correct = tf.reduce_all(tf.equal(logits >= 0.0, targets > 0.5), axis=1)
        else:
            correct = tf.equal(tf.argmax(logits, axis=1), tf.argmax(targets, axis=1))
        return tf.reduce_sum(tf.cast(correct & (weights > 0), tf.float32))


def _touched_once(gradient: Any) -> Any:
    """The gradient as the optimizer takes it, where parts or replicas share rows."""
    if isinstance(gradient, RowGradient):
        return RowGradient(gradient.values, tf.minimum(gradient.touched, 1.0))
    return unique_rows(gradient)
