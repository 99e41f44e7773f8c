"""The training loop of a language model: updates, measurements, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.errors import ConfigError, ModelError
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.layers.recurrence.devices import has_accelerator
from textrnn.messages.wording import counted
from textrnn.models.language_model import LanguageModel
from textrnn.progress import Reporter, Silent
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.batches.token_store import TokensInMemory, TokenStore
from textrnn.training.batches.token_streams import TokenStreams
from textrnn.training.devices.device import dtype_policy
from textrnn.training.loop.checkpointer import Checkpointer
from textrnn.training.loop.checkpoints import Checkpoints, TrainingState
from textrnn.training.loop.compilation import Compilation, UpdateTime, compare, time_update
from textrnn.training.loop.execution import Execution
from textrnn.training.loop.held_out import HeldOutTexts, Measurement
from textrnn.training.loop.schedule import Schedule
from textrnn.training.update.bag_loss import BagLoss
from textrnn.training.update.language_model_step import LanguageModelStep
from textrnn.training.update.lazy_adam import LazyAdam
from textrnn.training.update.negatives import Negatives

__all__ = ["LanguageModelTrainer"]

EPOCHS = 3
"""The number of epochs if neither it nor a time budget is set."""

MOST_BITS = 1000.0
"""The bits per token above which the model has diverged; far above it, 2 ** bits overflows."""


class LanguageModelTrainer:
    """Fits a language model to a store of texts.

    Args:
        config: All settings.
        tokenizer: The tokenizer of the texts.
        store: The texts.
        checkpoints: The checkpoints.
        execution: Where the training runs and what may end it; its distribution is one device.

    Attributes:
        model: The language model.
        state: The state of the training.
        schedule: The progress of the training.
    """

    def __init__(
        self,
        config: LanguageModelRunConfig,
        *,
        tokenizer: Tokenizer,
        store: TokenStore | TokensInMemory,
        checkpoints: Checkpoints,
        execution: Execution,
    ) -> None:
        self._config, self._tokenizer, self._store = config, tokenizer, store
        self._should_stop = execution.should_stop
        self.state = TrainingState()
        self.model = _build(tokenizer, config, precision=config.runtime.precision)
        self._bag = _bag_loss(self.model, config, counts=store.counts)
        self._optimizer = LazyAdam(config.optimizer.learning_rate)
        streams = self._streams(0)
        self._updates = len(streams)
        if self._bag is not None and streams.ahead < self._bag.tokens:
            raise ConfigError(
                f"`bag_tokens` must be at most {streams.ahead}, because there are no more tokens, "
                f"got {self._bag.tokens}."
            )
        self._negatives = Negatives(
            store.counts, size=config.batches.negatives, seed=config.runtime.seed
        )
        self._step = LanguageModelStep(
            self.model,
            self._optimizer,
            config=config,
            streams=streams.streams,
            segment=streams.segment,
            bag=self._bag,
        )
        self._optimizer.build(self._step.variables)
        self._batch_tokens = streams.streams * streams.segment
        stream_states = [v for direction in self._step.stream_states for v in direction]
        self._checkpointer = Checkpointer(
            self.model,
            checkpoints,
            other_variables=[
                *self._optimizer.variables,
                *stream_states,
                *(self._bag.variables if self._bag else ()),
            ],
            data_digest=store.digest,
            distribution=execution.distribution,
            minutes=config.runtime.checkpoint_minutes,
        )
        self._epochs = config.schedule.epochs or (EPOCHS if execution.budget is None else None)
        self.schedule = Schedule(
            self._epochs and self._epochs * self._updates,
            budget=execution.budget,
            warmup=config.schedule.warmup,
        )
        self._held_out = HeldOutTexts(self.model, store.held_out, seed=config.runtime.seed)
        self._measuring_seconds = 0.0
        self._best_weights: list[np.ndarray] = []

    def _streams(self, epoch: int) -> TokenStreams:
        return TokenStreams(
            self._store,
            streams=self._config.batches.streams,
            segment=self._config.batches.segment,
            directions=self.model.directions,
            seed=[self._config.runtime.seed, epoch],
            ahead=1 if self._bag is None else self._bag.tokens,
        )

    def resume(self, reporter: Reporter | None = None) -> None:
        """Restores the newest intact checkpoint, from which `fit` continues.

        Args:
            reporter: Receives warnings and the place to continue from.

        Raises:
            ModelError: There is none, or it was made with other texts or settings.
        """
        reporter = reporter or Silent()
        checkpoint = self._checkpointer.load(reporter=reporter)
        self._best_weights = list(checkpoint.best)
        self.state = checkpoint.state.copy()
        reporter.message(
            f"resuming after {counted(self.state.epoch, 'epoch')}, "
            f"{counted(self.state.batch, 'batch', 'batches')}"
        )

    def fit(
        self,
        *,
        reporter: Reporter | None = None,
        on_epoch: Callable[[list[dict[str, float]]], None] = lambda rows: None,
    ) -> TrainingState:
        """Trains to the end.

        Args:
            reporter: Receives the progress.
            on_epoch: Called with the history when an epoch ends, and once when a training that has
                a history is resumed.

        Returns:
            The state of the training; the model has the weights of the epoch with the fewest bits.

        Raises:
            ModelError: The loss is no longer a number.
            KeyboardInterrupt: `should_stop` returned True; the checkpoint is written.
        """
        reporter, state = reporter or Silent(), self.state
        if state.history:  # A kill may have come between the checkpoint and the curve.
            on_epoch(state.history)
        self._describe(reporter)
        self._choose_compilation(reporter)
        self.schedule.start(elapsed=state.elapsed)
        budget = self.schedule.budget
        if budget is not None:
            self._measuring_seconds = self._held_out.estimate_seconds(reporter=reporter)
            if short := budget.short_message(self._measuring_seconds):
                reporter.message(short)
        while not self._finished():
            self._fit_epoch(reporter)
            row = self._measure_epoch(reporter)
            self._end_epoch(row, reporter)
            on_epoch(state.history)
            reporter.message(
                f"epoch {state.epoch}: {row['bits_per_token']:.4f} bits a token "
                f"(perplexity {row['perplexity']:.1f}) on texts held out, {row['seconds']:.0f} s "
                f"at {row['tokens_per_second']:,.0f} tokens/s"
            )
        if self._should_stop():  # Asked during the last measurement; its checkpoint is written.
            raise KeyboardInterrupt
        self.model.set_weights(self._best_weights)
        return state

    def _describe(self, reporter: Reporter) -> None:
        reporter.message(
            f"training {self.model.count_params():,} weights, "
            f"{counted(self.model.directions, 'direction')}; {counted(self._updates, 'update')} of "
            f"{counted(self._batch_tokens, 'token')} an epoch"
        )

    def _choose_compilation(self, reporter: Reporter) -> None:
        """Lets XLA compile the update if the settings, or a measurement on a GPU, say so."""
        runtime = self._config.runtime
        if runtime.jit == "off":
            return
        choice = Compilation(True, "asked for")
        if runtime.jit == "auto":
            if runtime.deterministic or not has_accelerator():
                return
            total = self.schedule.updates
            left = math.inf if total is None else total - self.state.update
            times = [self._time_update(jit=jit) for jit in (False, True)]
            choice = compare(*times, shapes=1, updates=left)
        self._step.compile(jit=choice.jit)
        if choice.jit:
            reporter.message(f"XLA compiles the update ({choice.reason})")

    def _time_update(self, *, jit: bool) -> UpdateTime:
        ids = self._streams(0).batch(0)
        self._step.compile(jit=jit)
        return time_update(
            lambda number: self._step(ids, self._negatives.draw_filled(number)),
            variables=self._checkpointer.variables,
        )

    def _end_epoch(self, row: dict[str, float], reporter: Reporter) -> None:
        state = self.state
        state.history.append(row)
        state.epoch += 1
        if not self._best_weights or -row["bits_per_token"] > state.best_quality[0]:
            state.best_quality = [-row["bits_per_token"]]
            state.best_epoch = state.epoch
            self._best_weights = self.model.get_weights()
        state.start_epoch()
        self._step.reset_states()
        self._checkpointer.save(state, self._best_weights, reporter=reporter)

    def _finished(self) -> bool:
        """Returns whether the training is over; an epoch that has begun is measured first."""
        if self.state.batch:
            return False
        return self._out_of_time() or bool(self._epochs and self.state.epoch >= self._epochs)

    def _out_of_time(self) -> bool:
        return self.schedule.budget is not None and self.state.time_share >= 1.0

    def _fit_epoch(self, reporter: Reporter) -> None:
        state = self.state
        streams = self._streams(state.epoch)
        started = time.perf_counter() - state.seconds
        total = "" if self._epochs is None else f"/{self._epochs}"
        with reporter.step(f"epoch {state.epoch + 1}{total}", total=len(streams)) as advance:
            advance(state.batch)
            while state.batch < len(streams) and not self._out_of_time():
                self._update(streams.batch(state.batch))
                state.seconds = time.perf_counter() - started
                state.elapsed = self.schedule.elapsed()
                state.time_share = self.schedule.time_share(validation=self._measuring_seconds)
                advance(1, self._figures())
                if self._should_stop():
                    self._checkpointer.save(state, self._best_weights, reporter=reporter, must=True)
                    raise KeyboardInterrupt
                if self._checkpointer.is_due():
                    self._checkpointer.save(state, self._best_weights, reporter=reporter)

    def _update(self, ids: np.ndarray) -> None:
        """Makes one update and adds its figures to the state.

        Raises:
            ModelError: The loss or the norm of its gradient is not finite.
        """
        state = self.state
        factor = self.schedule.factor(state.update, state.time_share)
        self._optimizer.learning_rate = self._config.optimizer.learning_rate * factor
        negatives = self._negatives
        draw = negatives.draw_filled if self._step.jit else negatives.draw
        signals = self._step(ids, draw(state.update))
        loss, norm = (float(value) for value in np.asarray(signals))
        state.batch += 1
        state.update += 1
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise self._divergence_error(
                f"the loss is {loss}, its gradient's norm {norm}, in batch {state.batch}"
            )
        state.loss_sum += loss
        state.row_sum += 1
        state.token_sum += self._batch_tokens

    def _divergence_error(self, problem: str) -> ModelError:
        return ModelError(
            f"{problem} of epoch {self.state.epoch + 1}; lower `learning_rate` (now "
            f"{self._config.optimizer.learning_rate:g}) and train again with `overwrite`."
        )

    def _figures(self) -> str:
        state = self.state
        left = self.schedule.left_message(state.update, state.time_share)
        return f"loss {state.mean_loss:.3f} nats{left}, {state.tokens_per_second:,.0f} tokens/s"

    def _measure_epoch(self, reporter: Reporter) -> dict[str, float]:
        """Returns the row of the history for the epoch that has just been fitted.

        Raises:
            ModelError: The model has diverged.
        """
        begin = time.monotonic()
        measured = self._held_out.measure(reporter=reporter)
        if not all(bits < MOST_BITS for bits in measured.bits):  # Also false for NaN.
            raise self._divergence_error(
                f"texts held out have {measured.bits[0]:.3g} bits a token at the end"
            )
        self._measuring_seconds = time.monotonic() - begin
        return _row(self.state, measured)

    def trained(self) -> TrainedLanguageModel:
        """Returns the model as it will be loaded, in float32, with its figures."""
        model, state = self.model, self.state
        if self._config.runtime.precision != "float32":
            model = _build(self._tokenizer, self._config, precision="float32")
            model.set_weights(self.model.get_weights())
        best = state.history[state.best_epoch - 1]
        metrics: dict[str, Any] = {
            "held_out": {name: best[name] for name in best if "bits" in name or "perp" in name},
            "training": {
                "best_epoch": state.best_epoch,
                "epochs": state.epoch,
                "updates": state.update,
                "tokens": state.update * self._batch_tokens,
                "seconds": sum(row["seconds"] for row in state.history),
                "vocab_size": self._tokenizer.vocab_size,
            },
        }
        return TrainedLanguageModel(model, self._tokenizer, self._config, metrics)


def _row(state: TrainingState, measured: Measurement) -> dict[str, float]:
    # An epoch that the time budget ended at once has no update.
    row = {
        "epoch": state.epoch + 1,
        "train_loss": state.loss_sum / max(state.row_sum, 1.0),
        "bits_per_token": measured.bits[0],
        "perplexity": 2.0 ** measured.bits[0],
    }
    if len(measured.bits) == 2:
        row["bits_per_token_backwards"] = measured.bits[1]
    return row | {
        "unusual_bits_per_token": measured.unusual,
        "seconds": state.seconds,
        "tokens_per_second": state.token_sum / max(state.seconds, 1e-9),
    }


def _bag_loss(
    model: LanguageModel, config: LanguageModelRunConfig, *, counts: np.ndarray
) -> BagLoss | None:
    if not config.objective.bag_weight:
        return None
    return BagLoss(model, counts=counts, tokens=config.objective.bag_tokens)


def _build(
    tokenizer: Tokenizer, config: LanguageModelRunConfig, *, precision: str
) -> LanguageModel:
    model = LanguageModel(
        tokenizer.vocab_size,
        config=config.model,
        dropout=config.regularization.dropout,
        dtype=dtype_policy(precision),
        name="language_model",
    )
    model.build((None, None))
    return model
