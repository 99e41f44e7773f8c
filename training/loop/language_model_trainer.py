"""The fitting of a language model: updates, measurements, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.errors import ModelError
from textrnn.inference.language_model import LikelihoodScorer, TrainedLanguageModel
from textrnn.messages.wording import counted
from textrnn.models.language_model import LanguageModel
from textrnn.progress import Reporter
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.batches.token_store import TokenStore, TokenStreams
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.checkpointer import Keeper
from textrnn.training.loop.checkpoints import Checkpoints, TrainingState
from textrnn.training.loop.schedule import Schedule, TimeBudget
from textrnn.training.update.language_step import LanguageStep
from textrnn.training.update.lazy_adam import LazyAdam
from textrnn.training.update.negatives import Negatives

__all__ = ["Pretrainer"]

EPOCHS = 3
"""Passes over the texts if nothing is said."""

MEASURED_TOKENS = 100_000
"""Of the texts held out, about so many measure the model; the whole vocabulary is asked."""

TRIAL = 20
"""Before the first update, what measuring takes is told from so small a part of these texts."""

USUAL = 0.99
"""The share of the texts held out that have no more bits a token than what counts as unusual."""

MOST_BITS = 1000.0
"""Of a token, above which the model has diverged; a larger power of 2 is soon no number."""


class Pretrainer:
    """Fits a language model to a store of texts.

    Args:
        config: All settings.
        tokenizer: That of the texts.
        store: The texts.
        checkpoints: Where the state is kept.
        distribution: One device.
        should_stop: See `pretrain`.
        budget: The time there is; None: no limit.
    """

    def __init__(
        self,
        config: LanguageModelRunConfig,
        tokenizer: Tokenizer,
        store: TokenStore,
        *,
        checkpoints: Checkpoints,
        distribution: Distribution,
        should_stop: Callable[[], bool],
        budget: TimeBudget | None,
    ) -> None:
        self._config, self._tokenizer, self._store = config, tokenizer, store
        self._should_stop = should_stop
        self.state = TrainingState()
        self.model = _build(tokenizer, config, precision=self._config.runtime.precision)
        self._optimizer = LazyAdam(self._config.optimizer.learning_rate)
        self._optimizer.build(self.model.trainable_variables)
        streams = self._streams(0)
        self._updates = len(streams)
        self._negatives = Negatives(
            store.counts, size=self._config.batches.negatives, seed=self._config.runtime.seed
        )
        self._step = LanguageStep(
            self.model,
            self._optimizer,
            streams=streams.streams,
            segment=streams.segment,
            sampled=self._config.batches.negatives > 0,
            clip_norm=self._config.optimizer.clip_norm,
            precision=self._config.runtime.precision,
        )
        self._batch_tokens = streams.streams * streams.segment
        self._keeper = Keeper(
            self.model,
            self._optimizer,
            more=[variable for kept in self._step.memory for variable in kept],
            checkpoints=checkpoints,
            data_digest=store.digest,
            distribution=distribution,
            minutes=self._config.runtime.checkpoint_minutes,
        )
        self._epochs = self._config.schedule.epochs or (EPOCHS if budget is None else None)
        self.schedule = Schedule(
            self._epochs and self._epochs * self._updates,
            budget=budget,
            warmup=self._config.schedule.warmup,
        )
        self._scorers = [
            LikelihoodScorer(self.model, direction=d) for d in range(self.model.directions)
        ]
        self._measured = _some(store.held, MEASURED_TOKENS, seed=self._config.runtime.seed)
        self._measuring_seconds = self._unusual = 0.0
        self._best: list[np.ndarray] = []

    def _streams(self, epoch: int) -> TokenStreams:
        return TokenStreams(
            self._store,
            streams=self._config.batches.streams,
            segment=self._config.batches.segment,
            directions=self.model.directions,
            seed=[self._config.runtime.seed, epoch],
        )

    def resume(self, reporter: Reporter) -> None:
        """Goes on from the newest checkpoint that is whole.

        Raises:
            ModelError: There is none, or it was made with other texts or settings.
        """
        checkpoint = self._keeper.load(reporter)
        self._best = list(checkpoint.best)
        self.state = checkpoint.state.copy()
        reporter.message(
            f"going on after {counted(self.state.epoch, 'epoch')}, "
            f"{counted(self.state.batch, 'batch', 'batches')}"
        )

    def fit(
        self, reporter: Reporter, *, on_epoch: Callable[[list[dict[str, float]]], None]
    ) -> TrainingState:
        """Trains to the end; the weights of the epoch with the fewest bits stay.

        Raises:
            ModelError: The loss is no longer a number.
            KeyboardInterrupt: `should_stop` said so; the checkpoint is written.
        """
        state = self.state
        if state.history:  # A kill may have come between the checkpoint and the curve.
            on_epoch(state.history)
        reporter.message(
            f"training {self.model.count_params():,} weights, "
            f"{counted(self.model.directions, 'direction')}; {counted(self._updates, 'update')} of "
            f"{counted(self._batch_tokens, 'token')} an epoch"
        )
        self.schedule.start(elapsed=state.elapsed)
        budget = self.schedule.budget
        if budget is not None:
            self._measuring_seconds = self._expected_measuring(reporter)
            if short := budget.told_short(self._measuring_seconds):
                reporter.message(short)
        while not self._finished():
            self._fit_epoch(reporter)
            row = self._figures_of_epoch(reporter)
            state.history.append(row)
            state.epoch += 1
            if not self._best or -row["bits_per_token"] > state.best_quality[0]:
                state.best_quality = [-row["bits_per_token"]]
                state.best_epoch = state.epoch
                self._best = self.model.get_weights()
            state.start_epoch()
            self._step.forget()
            self._keeper.save(state, self._best, reporter, must=False)
            on_epoch(state.history)
            reporter.message(
                f"epoch {state.epoch}: {row['bits_per_token']:.4f} bits a token "
                f"(perplexity {row['perplexity']:.1f}) on texts held out, {row['seconds']:.0f} s "
                f"at {row['tokens_per_second']:,.0f} tokens/s"
            )
        if self._should_stop():  # Asked meanwhile: the last checkpoint is still there.
            raise KeyboardInterrupt
        self.model.set_weights(self._best)
        return state

    def _expected_measuring(self, reporter: Reporter) -> float:
        """Seconds of a measurement, by what a part of its texts takes."""
        part = self._measured[: -(-len(self._measured) // TRIAL)]
        self._measure([part[0][:1]], reporter)  # Which traces the graphs.
        begin = time.monotonic()
        self._measure(part, reporter)
        return (time.monotonic() - begin) * sum(map(len, self._measured)) / sum(map(len, part))

    def _finished(self) -> bool:
        """Whether the training is over; not within an epoch, which is yet to be measured."""
        if self.state.batch:
            return False
        return self._out_of_time() or bool(self._epochs and self.state.epoch >= self._epochs)

    def _out_of_time(self) -> bool:
        return self.schedule.budget is not None and self.state.time_share >= 1.0

    def _fit_epoch(self, reporter: Reporter) -> None:
        state = self.state
        streams = self._streams(state.epoch)
        begun = time.perf_counter() - state.seconds
        total = "" if self._epochs is None else f"/{self._epochs}"
        with reporter.step(f"epoch {state.epoch + 1}{total}", total=len(streams)) as advance:
            advance(state.batch)
            while state.batch < len(streams) and not self._out_of_time():
                factor = self.schedule.factor(state.update, state.time_share)
                self._optimizer.learning_rate = self._config.optimizer.learning_rate * factor
                found = self._step(streams.batch(state.batch), self._negatives.draw(state.update))
                loss, norm = (float(value) for value in np.asarray(found))
                state.batch += 1
                state.update += 1
                if not (math.isfinite(loss) and math.isfinite(norm)):
                    raise self._diverged(
                        f"the loss is {loss}, its gradient's norm {norm}, in batch {state.batch}"
                    )
                state.loss_sum += loss
                state.row_sum += 1
                state.token_sum += self._batch_tokens
                state.seconds = time.perf_counter() - begun
                state.elapsed = self.schedule.elapsed()
                state.time_share = self.schedule.time_share(validation=self._measuring_seconds)
                advance(1, self._figures())
                if self._should_stop():
                    self._keeper.save(state, self._best, reporter, must=True)
                    raise KeyboardInterrupt
                if self._keeper.is_due():
                    self._keeper.save(state, self._best, reporter, must=False)

    def _diverged(self, problem: str) -> ModelError:
        return ModelError(
            f"{problem} of epoch {self.state.epoch + 1}; lower --learning-rate (now "
            f"{self._config.optimizer.learning_rate:g}) and train again with --overwrite."
        )

    def _figures(self) -> str:
        state = self.state
        ends = self.schedule.told_left(state.update, state.time_share)
        return (
            f"loss {state.loss_sum / state.row_sum:.3f} nats{ends}, "
            f"{state.token_sum / state.seconds:,.0f} tokens/s"
        )

    def _figures_of_epoch(self, reporter: Reporter) -> dict[str, float]:
        state = self.state
        begin = time.monotonic()
        bits = self._measure(self._measured, reporter)
        if not all(each < MOST_BITS for each in bits):  # NaN is not either.
            raise self._diverged(f"texts held out have {bits[0]:.3g} bits a token at the end")
        self._measuring_seconds = time.monotonic() - begin
        row = {
            "epoch": state.epoch + 1,
            "train_loss": state.loss_sum / max(state.row_sum, 1.0),
            "bits_per_token": bits[0],
            "perplexity": 2.0 ** bits[0],
        }
        if len(bits) == 2:
            row["bits_per_token_backwards"] = bits[1]
        row["unusual_bits_per_token"] = self._unusual
        return row | {
            "seconds": state.seconds,
            "tokens_per_second": state.token_sum / max(state.seconds, 1e-9),
        }

    def _measure(self, texts: Sequence[np.ndarray], reporter: Reporter) -> list[float]:
        """Bits a token of the texts held out, in each direction; in `_unusual` those of a text."""
        found = []
        model = self.model
        total = len(texts) * model.directions
        with reporter.step("texts held out", total=total) as advance:
            for direction in range(model.directions):
                scores = self._scorers[direction](texts, on_batch=advance)
                if direction == 0:
                    each = [-float(score.mean()) / math.log(2.0) for score in scores]
                    self._unusual = float(np.quantile(each, USUAL))
                joined = np.concatenate(scores)
                found.append(-float(joined.mean(dtype=np.float64)) / math.log(2.0))
        return found

    def trained(self) -> TrainedLanguageModel:
        """The model as it is loaded, in float32, with its figures."""
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


def _some(texts: Sequence[np.ndarray], tokens: int, *, seed: int) -> list[np.ndarray]:
    """Some texts, drawn at random, of so many tokens at the most; the last may be a beginning."""
    # A file may be sorted, by its sources or by time: its first texts are not like all of it.
    order = np.random.default_rng([seed, len("measured")]).permutation(len(texts))
    found: list[np.ndarray] = []
    for place in order:
        text = texts[place][:tokens]
        if len(text):
            found.append(text)
            tokens -= len(text)
    return found


def _build(
    tokenizer: Tokenizer, config: LanguageModelRunConfig, *, precision: str
) -> LanguageModel:
    model = LanguageModel(
        tokenizer.vocab_size,
        config=config.model,
        dropout=config.regularization.dropout,
        dtype="float32" if precision == "float32" else f"mixed_{precision}",
        name="language_model",
    )
    model.build((None, None))
    return model
