"""The training loop: one update a batch, one validation an epoch, the same on every worker."""

from __future__ import annotations

import collections
import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.batching import Batch, BatchPlan
from textrnn.errors import ModelError
from textrnn.evaluation.metrics import evaluate
from textrnn.layers.recurrence.batch_parts import has_accelerator
from textrnn.models.classifier import TextClassifier
from textrnn.progress import Reporter
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.devices.scoring import ReplicaScorer
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.checkpointer import Keeper
from textrnn.training.loop.checkpoints import Checkpoints, TrainingState
from textrnn.training.loop.keras_logs import keras_logs
from textrnn.training.loop.pace import Pace
from textrnn.training.loop.schedule import Schedule, TimeBudget
from textrnn.training.update.layer_rates import LayerRates
from textrnn.training.update.losses import make_loss, make_optimizer
from textrnn.training.update.next_tokens import NextTokens
from textrnn.training.update.step import Signals, Step

__all__ = ["Trainer"]

FEWEST_EPOCHS = 5
FEWEST_UPDATES = 2000
"""What a training of no stated length makes, both of them at least."""

MOST_ROLLBACKS = 10
"""How often the learning rate is halved before a training is given up."""

EXPLODED = 100.0
"""Nats a text, over ln C: no classifier that learns has such a loss."""

LAG = 4
"""Updates that an accelerator may be ahead of what is known of them, so that it need not wait."""


class _Diverged(Exception):
    """An update made the weights useless; the message says how that shows."""


class _Update(NamedTuple):
    """An update under way: its signals, its place in the epoch, its texts and tokens."""

    signals: tf.Tensor
    batch: int
    rows: int
    tokens: float


class Trainer:
    """Fits a classifier, keeping the weights of the epoch that is best on the validation data.

    The best epoch has the highest accuracy (multi-label: micro F1), of equals the lowest loss; with
    `keep` last, it is the last.

    Args:
        model: The classifier, built in the distribution's scope.
        config: The settings.
        multi_label: Whether a text may carry any number of labels.
        labels: The label names.
        train: What is fitted.
        valid: What decides which epoch was best, and when to stop.
        checkpoints: Where the state is kept; written by the chief alone.
        data_digest: Of the data, so that a checkpoint is not resumed on other data.
        should_stop: Asked after each update; True saves a checkpoint and raises KeyboardInterrupt.
        distribution: Where it runs; one device if None.
        budget: The time there is; None: no limit.
        callbacks: Keras callbacks, told of the training as by Keras' own `fit`.
        next_tokens: The language model's loss, if it is asked for.
    """

    def __init__(
        self,
        model: TextClassifier,
        config: ClassifierRunConfig,
        *,
        multi_label: bool,
        labels: tuple[str, ...],
        train: LabelledBatches,
        valid: LabelledBatches,
        checkpoints: Checkpoints,
        data_digest: str,
        should_stop: Callable[[], bool] = lambda: False,
        distribution: Distribution | None = None,
        budget: TimeBudget | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        next_tokens: NextTokens | None = None,
    ) -> None:
        self.model = model
        self.config = config
        self.labels = labels
        self.multi_label = multi_label
        self.train, self.valid = train, valid
        self.valid_rows = np.arange(len(valid.targets))
        self.distribution = distribution or Distribution.choose("single")
        self.state = TrainingState()
        self._should_stop = should_stop
        self._best: list[np.ndarray] = []
        self._epoch_updates = len(train.plan.batches())
        self.epochs = config.schedule.epochs
        if not config.schedule.epochs and budget is None:
            self.epochs = max(FEWEST_EPOCHS, math.ceil(FEWEST_UPDATES / self._epoch_updates))
        self.schedule = Schedule(
            self.epochs and self.epochs * self._epoch_updates,
            budget=budget,
            warmup=config.schedule.warmup,
        )
        # Texts weigh the same whichever batch they fall into, so the mean is over the texts of an
        # average batch, not of their own.
        mean_rows = len(train.targets) / self._epoch_updates
        with self.distribution.scope():
            self.optimizer = make_optimizer(config)
            others = [] if next_tokens is None else next_tokens.variables
            self._fitted = [*model.trainable_variables, *others]
            self.optimizer.build(self._fitted)
            self._rates = LayerRates(
                model,
                self.optimizer,
                config,
                epoch_updates=self._epoch_updates,
                others=len(others),
            )
            model.compile(optimizer=self.optimizer, auto_scale_loss=False)
        self.step = Step(
            model,
            self.optimizer,
            make_loss(config, multi_label=multi_label),
            config=config,
            distribution=self.distribution,
            multi_label=multi_label,
            mean_rows=mean_rows,
            notes=3,
            unlabelled_rows=train.unlabelled_rows,
            next_tokens=next_tokens,
        )
        self._keeper = Keeper(
            model,
            self.optimizer,
            checkpoints=checkpoints,
            data_digest=data_digest,
            distribution=self.distribution,
            minutes=config.runtime.checkpoint_minutes,
            more=others,
        )
        self.scorer = ReplicaScorer(model, multi_label=multi_label, distribution=self.distribution)
        model.stop_training = False
        self._callbacks = keras.callbacks.CallbackList(list(callbacks), model=model)
        self._pending: collections.deque[_Update] = collections.deque()
        self._lag = LAG if has_accelerator() else 0
        self.pace = Pace(float(valid.plan.lengths.sum()))
        self.valid_probabilities = np.zeros([0, len(labels)], np.float32)

    def fit(
        self, reporter: Reporter, *, on_epoch: Callable[[dict[str, float]], None]
    ) -> TrainingState:
        """Trains to the end, or to where it no longer gets better; the best weights stay.

        Args:
            reporter: Told the progress.
            on_epoch: Told the figures of each epoch as it ends.

        Raises:
            ModelError: The loss is no longer a number, or explodes, and `on_nan` does not help.
            KeyboardInterrupt: `should_stop` said so; the checkpoint is written.
        """
        if frozen := self._rates.told_frozen(self.epochs):
            reporter.message(frozen)
        self.schedule.start(elapsed=self.state.elapsed)
        self._keeper.take(self.state, self._best)
        self._callbacks.on_train_begin()
        while not self._finished():
            try:
                self._callbacks.on_epoch_begin(self.state.epoch)
                self._fit_epoch(reporter)
                row = self._validate(reporter)
            except _Diverged as problem:
                self._roll_back(problem, reporter)
                continue
            self._end_epoch(row, reporter)
            on_epoch(row)
        self._callbacks.on_train_end()
        self.model.set_weights(self._best)
        return self.state

    def _end_epoch(self, row: dict[str, float], reporter: Reporter) -> None:
        self.state.history.append(row)
        self.state.epoch += 1
        quality = [row["valid_score"], -row["valid_loss"]]
        last = self.config.schedule.final_weights == "last"
        if last or not self._best or quality > self.state.best_quality:
            self.state.best_quality = quality
            self.state.best_epoch = self.state.epoch
            with self._averaged_weights():
                self._best = self.model.get_weights()
        self.state.start_epoch()
        self._callbacks.on_epoch_end(self.state.epoch - 1, keras_logs(row))
        self._save(reporter)

    def _finished(self) -> bool:
        """Whether the training is over, at the end of an epoch."""
        # What is left of the time would hardly do for another validation.
        if self.state.epoch and (self._out_of_time(0.98) or self.model.stop_training):
            return True
        if self.epochs and self.state.epoch >= self.epochs:
            return True
        waited = self.state.epoch - self.state.best_epoch
        # To stop early would be to stop before the rate has fallen.
        patience = 0 if self.schedule.budget else self.config.schedule.patience
        return bool(patience and waited >= patience)

    def _out_of_time(self, share: float = 1.0) -> bool:
        return self.schedule.budget is not None and self.state.time_share >= share

    def _fit_epoch(self, reporter: Reporter) -> None:
        state = self.state
        batches = self.train.plan.batches(seed=[self.config.runtime.seed, state.epoch])
        total = "" if self.epochs is None else f"/{self.epochs}"
        self._epoch_started = time.perf_counter() - state.seconds
        multiple = self.step.rows_multiple
        data = self.train.dataset(batches[state.batch :], multiple=multiple, update=state.update)
        with reporter.step(f"epoch {state.epoch + 1}{total}", total=len(batches)) as advance:
            advance(state.batch)
            for values in data:
                self._start_update(values, batches[state.batch])
                self._settle(self._lag, reporter, advance)
                if self._out_of_time() or self.model.stop_training:
                    break
            self._settle(0, reporter, advance)

    def _start_update(self, values: Sequence[Any], batch: Batch) -> None:
        state = self.state
        self._rates.set(state.update)
        factor = self.schedule.factor(state.update, state.time_share)
        self.optimizer.learning_rate = (
            self.config.optimizer.learning_rate * state.rate_scale * factor
        )
        self._callbacks.on_train_batch_begin(state.batch)  # Which may set another rate.
        real = batch.rows[batch.rows >= 0]
        tokens = float(self.train.plan.lengths[real].sum())
        signals = self.step(values, self._notes(), seed=[self.config.runtime.seed, state.update])
        self._pending.append(_Update(signals, state.batch, len(real), tokens))
        state.batch += 1
        state.update += 1

    def _notes(self) -> tuple[float, float, float]:
        """What the chief tells all workers: to stop, to save, and how much time is used up."""
        share = self.schedule.time_share(
            validation=self.pace.whole_seconds, epoch=self.pace.validation_seconds
        )
        return float(self._should_stop()), float(self._keeper.is_due()), share

    def _settle(self, lag: int, reporter: Reporter, advance: Callable[..., None]) -> None:
        """Waits until so many updates are under way, and does what the chief has told.

        Raises:
            KeyboardInterrupt: To stop; the checkpoint is written.
        """
        stop = save = False
        while len(self._pending) > (0 if stop or save else lag):
            signals = self._end_update(advance)
            stop |= bool(signals.notes[0])
            save |= bool(signals.notes[1])
        if stop or save:
            self._save(reporter, must=stop)
        if stop:
            raise KeyboardInterrupt

    def _end_update(self, advance: Callable[..., None]) -> Signals:
        """Waits for the oldest update under way, and counts it."""
        state = self.state
        update = self._pending.popleft()
        signals = self.step.read(update.signals)
        self._check(signals, update)
        state.loss_sum += signals.loss_sum
        state.correct_sum += signals.correct
        state.row_sum += update.rows
        state.token_sum += update.tokens
        state.time_share = signals.notes[2]
        now = time.perf_counter() - self._epoch_started
        self.pace.updated(update.tokens, seconds=now - state.seconds)
        state.seconds = now
        state.elapsed = self.schedule.elapsed()
        logs = {"loss": state.loss_sum / state.row_sum, "accuracy": self._accuracy()}
        self._callbacks.on_train_batch_end(update.batch, logs)
        advance(1, self._figures())
        return signals

    def _accuracy(self) -> float:
        return self.state.correct_sum / self.state.row_sum

    def _check(self, signals: Signals, update: _Update) -> None:
        """Raises _Diverged if an update was of no use."""
        most_loss = EXPLODED * max(1.0, math.log(len(self.labels)))
        most_loss *= max(float(self.train.weights.max()), 1.0)
        problem = signals.problem(rows=update.rows, most_loss=most_loss)
        if problem is not None:
            where = f"in batch {update.batch + 1} of epoch {self.state.epoch + 1}"
            raise _Diverged(f"{problem} {where}")

    def _roll_back(self, problem: _Diverged, reporter: Reporter) -> None:
        """Goes back to the last checkpoint with half the learning rate, or gives up."""
        self._pending.clear()
        rate = self.config.optimizer.learning_rate * self.state.rate_scale
        scale = self.state.rate_scale / 2
        last = self._keeper.last
        if last is None or self.config.runtime.on_nan != "rollback" or scale < 0.5**MOST_ROLLBACKS:
            go_on = "--resume --on-nan" if self._keeper.checkpoints.paths() else "--on-nan"
            raise ModelError(
                f"{problem}; lower --learning-rate (now {rate:g}) and train again with "
                f"--overwrite, or use {go_on} rollback, which halves it where it must."
            )
        self._keeper.restore(last)
        self.state = last.state.copy()
        self._best = list(last.best)
        self.state.rate_scale = scale
        self._keeper.take(self.state, self._best)
        reporter.message(
            f"{problem}; back to update {self.state.update} with the learning rate {rate / 2:g}"
        )

    def _figures(self) -> str:
        state = self.state
        ends = self.schedule.told_left(state.update, state.time_share)
        return (
            f"loss {state.loss_sum / state.row_sum:.3f} accuracy {self._accuracy():.3f}{ends}, "
            f"{state.token_sum / state.seconds:,.0f} tokens/s"
        )

    def _validate(self, reporter: Reporter) -> dict[str, float]:
        """The figures of the epoch that has just been fitted."""
        state = self.state
        with self._averaged_weights():
            probabilities = self.probabilities(self.valid.plan, reporter, name="validation")
        self.pace.validated(self.scorer.seconds)
        if not np.isfinite(probabilities).all():
            where = f"after the last batch of epoch {state.epoch + 1}"
            raise _Diverged(f"the probabilities are no numbers {where}")
        self.valid_probabilities = probabilities
        measured = evaluate(
            probabilities, self.valid.targets, labels=self.labels, multi_label=self.multi_label
        )
        return {
            "epoch": state.epoch + 1,
            "train_loss": state.loss_sum / state.row_sum,
            "train_accuracy": self._accuracy(),
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
            return self.scorer(plan, on_batch=advance)

    @contextlib.contextmanager
    def _averaged_weights(self) -> Iterator[None]:
        """While open, the model has the moving averages of its weights, where there are any."""
        if not self.config.optimizer.ema:
            yield
            return
        kept = [variable.numpy() for variable in self._fitted]
        self.optimizer.finalize_variable_values(self._fitted)
        try:
            yield
        finally:
            for variable, value in zip(self._fitted, kept, strict=True):
                variable.assign(value)

    def _save(self, reporter: Reporter, *, must: bool = False) -> None:
        self._keeper.save(self.state, self._best, reporter, must=must)

    def resume(self, reporter: Reporter) -> None:
        """Goes on from the newest checkpoint that is whole.

        Raises:
            ModelError: There is none, or it was made with other data or settings.
        """
        checkpoint = self._keeper.load(reporter)
        self._best = list(checkpoint.best)
        self.state = checkpoint.state.copy()
