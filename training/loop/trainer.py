"""The training loop: one update per batch, one validation per epoch, the same on every worker."""

from __future__ import annotations

import collections
import functools
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data.batching import Batch, BatchPlan
from textrnn.errors import ModelError
from textrnn.evaluation.metrics import evaluate
from textrnn.layers.recurrence.devices import has_accelerator
from textrnn.models.classifier import TextClassifier
from textrnn.progress import Advance, Reporter, Silent
from textrnn.training.devices.scoring import ReplicaScorer
from textrnn.training.loop.averaged_weights import averaged_weights
from textrnn.training.loop.best_epoch import is_best
from textrnn.training.loop.checkpointer import Checkpointer
from textrnn.training.loop.checkpoints import Checkpoints, TrainingState
from textrnn.training.loop.compilation import UpdateCompiler, UpdateTime
from textrnn.training.loop.control_flags import ControlFlags
from textrnn.training.loop.divergence import Diverged, most_loss
from textrnn.training.loop.early_end import LAST_SHARE, end_message, ends_early
from textrnn.training.loop.epoch_figures import epoch_row, running_figures
from textrnn.training.loop.execution import Execution
from textrnn.training.loop.keras_logs import keras_logs
from textrnn.training.loop.pace import Pace
from textrnn.training.loop.schedule import Schedule, enough_epochs
from textrnn.training.loop.training_data import TrainingData
from textrnn.training.update.gradient_sources.choice import choose_source
from textrnn.training.update.language_model_loss import LanguageModelLoss
from textrnn.training.update.layer_rates import LayerRates
from textrnn.training.update.optimizer import make_optimizer
from textrnn.training.update.signals import PendingUpdate, Signals
from textrnn.training.update.step import Step

__all__ = ["Trainer"]

MOST_ROLLBACKS = 10
"""The number of times that the learning rate is halved before a training is given up."""

LAG = 4
"""The number of updates that an accelerator may be ahead of their signals, so that it never waits
for them."""


class Trainer:
    """Fits a classifier, and restores the weights of the epoch that is best on the validation data.

    The best epoch has the highest accuracy (multi-label: micro F1), and the lowest loss among
    equals; `best_epoch.is_best` says more.

    Args:
        model: The classifier, built in the distribution's scope.
        config: The settings.
        data: The data.
        checkpoints: The checkpoints, which only the chief writes.
        execution: Where the training runs and what may end it; one device by default.
        language_model_loss: The loss of the next tokens; None without one.

    Attributes:
        state: The state of the training.
        train, valid: The texts that are fitted, and those that each epoch is measured on.
        valid_rows: The places of the latter among all validation texts.
        valid_probabilities: `[N, C]`, the probabilities of the last validation.
        epochs: The largest number of epochs; None if only the time is limited.
    """

    def __init__(
        self,
        model: TextClassifier,
        config: ClassifierRunConfig,
        *,
        data: TrainingData,
        checkpoints: Checkpoints,
        execution: Execution | None = None,
        language_model_loss: LanguageModelLoss | None = None,
    ) -> None:
        execution = execution or Execution()
        self.model, self.config = model, config
        self.distribution, self._should_stop = execution.distribution, execution.should_stop
        self._set_data(data)
        self.state = TrainingState()
        self._best_weights: list[np.ndarray] = []
        self._set_schedule(execution)
        loss = data.batch_loss(config)
        source = choose_source(model, config, loss=loss, language_model_loss=language_model_loss)
        self._variables = source.variables
        self._build_optimizer()
        other_variables = [
            *self.optimizer.variables,
            *self._variables[len(model.trainable_variables) :],
        ]
        self._compiler = UpdateCompiler(
            functools.partial(
                Step,
                source,
                self.optimizer,
                loss=loss,
                config=config,
                distribution=self.distribution,
                control_flags=len(ControlFlags._fields),
            ),
            data.train,
            variables=[*model.variables, *other_variables],
            distribution=self.distribution,
            fixed_shapes=not config.optimizer.tbptt_random,
        )
        self.step = self._compiler.make_step(jit=False)
        self._checkpointer = Checkpointer(
            model,
            checkpoints,
            other_variables=other_variables,
            data_digest=data.digest,
            distribution=self.distribution,
            minutes=config.runtime.checkpoint_minutes,
        )
        self.scorer = ReplicaScorer(
            model, label_space=data.label_space, distribution=self.distribution
        )
        model.stop_training = False
        self._pending: collections.deque[PendingUpdate] = collections.deque()
        self._lag = LAG if has_accelerator() else 0

    def _set_data(self, data: TrainingData) -> None:
        self.data = data
        self.train, self.valid = data.train, data.validation
        self.valid_rows = np.arange(len(data.validation.targets))
        self.valid_probabilities = np.zeros([0, len(data.label_space.labels)], np.float32)
        self.pace = Pace(float(data.validation.plan.lengths.sum()))
        self._most_loss = most_loss(data)

    def _set_schedule(self, execution: Execution) -> None:
        self.epochs = self.config.schedule.epochs
        if not self.epochs and execution.budget is None:
            self.epochs = enough_epochs(
                self.data.epoch_updates,
                classes=len(self.data.label_space.labels),
                pretrained=bool(self.config.start.pretrain_epochs),
            )
        self.schedule = Schedule(
            self.epochs and self.epochs * self.data.epoch_updates,
            budget=execution.budget,
            warmup=self.config.schedule.warmup,
        )

    def _build_optimizer(self) -> None:
        with self.distribution.scope():
            self.optimizer = make_optimizer(self.config)
            self.optimizer.build(self._variables)
            self._rates = LayerRates(
                self.model,
                self.optimizer,
                config=self.config,
                epoch_updates=self.data.epoch_updates,
                loss_variables=len(self._variables) - len(self.model.trainable_variables),
            )
            self.model.compile(optimizer=self.optimizer, auto_scale_loss=False)

    def time_update(self, batch: Sequence[Any]) -> UpdateTime:
        """Measures an update of a batch; the model stays as it is."""
        return self._compiler.time(self.step, batch)

    def fit(
        self,
        *,
        reporter: Reporter | None = None,
        on_epoch: Callable[[dict[str, float]], None] = lambda row: None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> TrainingState:
        """Trains to the end, or until the validation figures stop improving.

        Args:
            reporter: Receives the progress.
            on_epoch: Called with the figures of each epoch when it ends.
            callbacks: Keras callbacks, called as by Keras' own `fit`.

        Returns:
            The state of the training; the model has the weights of the best epoch.

        Raises:
            ModelError: The loss is no longer a number, or explodes, and `on_nan` does not help.
            KeyboardInterrupt: `should_stop` returned True; the checkpoint is written.
        """
        reporter = reporter or Silent()
        if frozen := self._rates.frozen_message(self.epochs):
            reporter.message(frozen)
        left = (self.schedule.updates or math.inf) - self.state.update
        self.step = self._compiler.choose(
            self.step, self.config.runtime, updates=left, reporter=reporter
        )
        self._callbacks = keras.callbacks.CallbackList(list(callbacks), model=self.model)
        self.schedule.start(elapsed=self.state.elapsed)
        self._checkpointer.take(self.state, self._best_weights)
        self._callbacks.on_train_begin()
        while not self._finished():
            try:
                self._callbacks.on_epoch_begin(self.state.epoch)
                self._fit_epoch(reporter)
                row = self._validate(reporter)
            except Diverged as problem:
                self._roll_back(problem, reporter)
                continue
            self._end_epoch(row, reporter)
            on_epoch(row)
        self._callbacks.on_train_end()
        self.model.set_weights(self._best_weights)
        updates = self.data.epoch_updates
        message = end_message(
            self.state, self.config.schedule, epochs=self.epochs, epoch_updates=updates
        )
        if message:
            reporter.message(message)
        return self.state

    def _end_epoch(self, row: dict[str, float], reporter: Reporter) -> None:
        self.state.history.append(row)
        self.state.epoch += 1
        has_budget, texts = self.schedule.budget is not None, len(self.valid.targets)
        if is_best(self.state, self.config.schedule, has_budget=has_budget, texts=texts):
            self.state.best_quality = [row["valid_score"], -row["valid_loss"]]
            self.state.best_epoch = self.state.epoch
            with averaged_weights(self.optimizer, self._variables):
                self._best_weights = self.model.get_weights()
        self.state.start_epoch()
        self._callbacks.on_epoch_end(self.state.epoch - 1, keras_logs(row))
        self._save(reporter)

    def _finished(self) -> bool:
        """Returns whether the training is over; called at the end of an epoch."""
        share = str(self.pace.time_share(self.schedule))  # A validation has taken its time too.
        self.state.time_share = float(self.distribution.broadcast(share.encode()))
        if self.state.epoch and (self._out_of_time(LAST_SHARE) or self.model.stop_training):
            return True
        if self.epochs and self.state.epoch >= self.epochs:
            return True
        has_budget = self.schedule.budget is not None
        return ends_early(self.state, self.config.schedule, has_budget=has_budget)

    def _out_of_time(self, share: float = 1.0) -> bool:
        return self.schedule.budget is not None and self.state.time_share >= share

    def _fit_epoch(self, reporter: Reporter) -> None:
        state = self.state
        batches = self.train.batches(seed=[self.config.runtime.seed, state.epoch])
        total = "" if self.epochs is None else f"/{self.epochs}"
        self._epoch_started = time.perf_counter() - state.seconds
        multiple = self.step.rows_multiple
        data = self.train.dataset(batches[state.batch :], multiple=multiple, update=state.update)
        with reporter.step(f"epoch {state.epoch + 1}{total}", total=len(batches)) as advance:
            advance(state.batch)
            for values in data:
                self._start_update(values, batches[state.batch])
                self._settle(self._lag, reporter=reporter, advance=advance)
                if self._out_of_time() or self.model.stop_training:
                    break
            self._settle(0, reporter=reporter, advance=advance)

    def _start_update(self, values: Sequence[Any], batch: Batch) -> None:
        state = self.state
        self._rates.set(state.update)
        factor = self.schedule.factor(state.update, state.time_share)
        self.optimizer.learning_rate = self.config.scaled_rate * state.rate_scale * factor
        self._callbacks.on_train_batch_begin(state.batch)  # A callback may set another rate.
        tokens, rows = self.train.plan.count_tokens(batch), int((batch.rows >= 0).sum())
        seed = [self.config.runtime.seed, state.update]
        signals = self.step(values, self._control_flags(), seed=seed)
        self._pending.append(PendingUpdate(signals, state.batch, rows, float(tokens)))
        state.batch += 1
        state.update += 1

    def _control_flags(self) -> ControlFlags:
        share = self.pace.time_share(self.schedule)
        return ControlFlags(float(self._should_stop()), float(self._checkpointer.is_due()), share)

    def _settle(self, lag: int, *, reporter: Reporter, advance: Advance) -> None:
        """Waits until at most `lag` updates are pending, and obeys the chief's control flags.

        Raises:
            KeyboardInterrupt: The chief stops the training; the checkpoint is written.
        """
        stop = save = False
        while len(self._pending) > (0 if stop or save else lag):
            flags = self._end_update(advance)
            stop |= bool(flags.stop)
            save |= bool(flags.save)
        if stop or save:
            self._save(reporter, must=stop)
        if stop:
            raise KeyboardInterrupt

    def _end_update(self, advance: Advance) -> ControlFlags:
        """Waits for the oldest pending update, adds its figures to the state, returns its flags."""
        state = self.state
        update = self._pending.popleft()
        signals = Signals.read(update.signals)
        flags = ControlFlags(*signals.control_flags)
        self._check(signals, update)
        state.loss_sum += signals.loss_sum
        state.correct_sum += signals.correct
        state.row_sum += update.rows
        state.token_sum += update.tokens
        state.time_share = flags.time_share
        now = time.perf_counter() - self._epoch_started
        self.pace.updated(update.tokens, seconds=now - state.seconds)
        state.seconds = now
        state.elapsed = self.schedule.elapsed()
        logs = {"loss": state.mean_loss, "accuracy": state.accuracy}
        self._callbacks.on_train_batch_end(update.batch, logs)
        left = self.schedule.left_message(state.update, state.time_share)
        advance(1, running_figures(state, left=left))
        return flags

    def _check(self, signals: Signals, update: PendingUpdate) -> None:
        """Raises Diverged if an update made the weights useless."""
        problem = signals.problem(rows=update.rows, most_loss=self._most_loss)
        if problem is not None:
            where = f"in batch {update.batch + 1} of epoch {self.state.epoch + 1}"
            raise Diverged(f"{problem} {where}")

    def _roll_back(self, problem: Diverged, reporter: Reporter) -> None:
        """Restores the last checkpoint with half the learning rate.

        Raises:
            ModelError: The settings do not allow it, or it has been tried too often.
        """
        self._pending.clear()
        rate = self.config.scaled_rate * self.state.rate_scale
        scale = self.state.rate_scale / 2
        last = self._checkpointer.last
        if last is None or self.config.runtime.on_nan != "rollback" or scale < 0.5**MOST_ROLLBACKS:
            verb = "resume with" if self._checkpointer.checkpoints.paths() else "use"
            raise ModelError(
                f"{problem}; lower `learning_rate` (now {rate:g}) and train again with "
                f"`overwrite`, or {verb} `on_nan` rollback, which halves the rate."
            )
        self._checkpointer.restore(last)
        self.state = last.state.copy()
        self._best_weights = list(last.best)
        self.state.rate_scale = scale
        self._checkpointer.take(self.state, self._best_weights)
        reporter.message(
            f"{problem}; back to update {self.state.update} with the learning rate {rate / 2:g}"
        )

    def _validate(self, reporter: Reporter) -> dict[str, float]:
        """Measures the epoch that has just been fitted.

        Raises:
            Diverged: The probabilities are not finite.
        """
        state = self.state
        with averaged_weights(self.optimizer, self._variables):
            probabilities = self.probabilities(
                self.valid.plan, name="validation", reporter=reporter
            )
        self.pace.validated(self.scorer.seconds)
        if not np.isfinite(probabilities).all():
            where = f"after the last batch of epoch {state.epoch + 1}"
            raise Diverged(f"the probabilities are no numbers {where}")
        self.valid_probabilities = probabilities
        measured = evaluate(probabilities, self.valid.targets[:], label_space=self.data.label_space)
        progress = self.schedule.progress(state.update, state.time_share)
        return epoch_row(state, measured, progress=progress)

    def probabilities(
        self, plan: BatchPlan, *, name: str, reporter: Reporter | None = None
    ) -> np.ndarray:
        """Returns the model's probabilities `[N, C]` with its current weights.

        Args:
            plan: The texts.
            name: What the progress calls them.
            reporter: Receives the progress.
        """
        with (reporter or Silent()).step(name, total=len(plan.texts)) as advance:
            return self.scorer(plan, on_batch=advance)

    def _save(self, reporter: Reporter, *, must: bool = False) -> None:
        self._checkpointer.save(self.state, self._best_weights, reporter=reporter, must=must)

    def resume(self, reporter: Reporter | None = None) -> None:
        """Restores the newest intact checkpoint, from which `fit` continues.

        Args:
            reporter: Receives warnings.

        Raises:
            ModelError: There is none, or it was made with other data or settings.
        """
        checkpoint = self._checkpointer.load(reporter=reporter or Silent())
        self._best_weights = list(checkpoint.best)
        self.state = checkpoint.state.copy()
