"""The training of a language model from its settings to a finished run folder."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.section import seconds
from textrnn.data.unlabelled import UnlabelledTexts
from textrnn.errors import DataError, ModelError
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.history import HISTORY
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.inference.own_cell import import_cell, with_names
from textrnn.messages.wording import counted
from textrnn.progress import Reporter, Silent
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.batches.token_store import TokenStore
from textrnn.training.devices.device import (
    choose_distribution,
    choose_precision,
    make_deterministic,
)
from textrnn.training.loop.checkpoints import CHECKPOINTS, Checkpoints
from textrnn.training.loop.execution import Execution
from textrnn.training.loop.language_model_trainer import LanguageModelTrainer
from textrnn.training.loop.schedule import TimeBudget
from textrnn.training.run.faults import explain_faults, warn_on_failure
from textrnn.training.run.folder import begin, check_folder, default_folder, hold
from textrnn.training.run.history import write_history
from textrnn.training.run.model_card import TrainedModel, language_model_card

__all__ = ["pretrain"]

FRESH = ".encoded"
"""The folder in a run folder that receives the encoded texts until an earlier run is replaced."""

SAVING_SECONDS = 5.0
"""Estimate of the time to write a finished run."""

LESS_MEMORY = (
    "lower `streams` or `segment`, compute the loss with `negatives` instead of the whole "
    "vocabulary, or make the model smaller by `embedding_units`, `units` and `vocab_size`."
)
"""The advice for a language model whose training runs out of memory."""


def pretrain(
    config: LanguageModelRunConfig | None = None,
    output: str | Path | None = None,
    *,
    reporter: Reporter | None = None,
    resume: bool = False,
    overwrite: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
    started: float | None = None,
    **settings: Any,
) -> TrainedLanguageModel:
    """Trains a language model into a run folder, on one device.

    Example:
        textrnn.pretrain(text_file="texts.txt", time_budget="1h", output="runs/lm")

    Args:
        config: All settings; None: the defaults.
        output: The run folder; None: `runs/`, the name of the data, and `_lm`.
        reporter: Receives messages and progress; None: nothing is reported.
        resume: Whether to continue from the checkpoint in the folder, with the same settings.
        overwrite: Whether a run in the folder may be replaced.
        should_stop: Called at each update. If it returns True, a checkpoint is saved and
            KeyboardInterrupt is raised.
        started: The start of the time budget, by `time.monotonic`; None: now.
        **settings: Single settings that replace those of `config`, such as `epochs`. `cell` may be
            a class, as in `textrnn.train`.

    Returns:
        The language model.

    Raises:
        TextRNNError: The data or the settings are wrong, or the folder is in use.
    """
    started, reporter = started or time.monotonic(), reporter or Silent()
    config = (config or LanguageModelRunConfig()).replace(**with_names(settings))
    import_cell(config.model)
    if config.data.dataset is None and config.data.text_file is None:
        config = config.replace(dataset="bbc_news")
    distribution = choose_distribution(config.runtime, strategy="single")
    folder = default_folder(config.data) if output is None else Path(output)
    with hold(folder), explain_faults(distribution, less_memory=LESS_MEMORY):
        check_folder(folder, config, resume=resume, overwrite=overwrite)
        if resume:
            path = folder / run_folder.CONFIG
            config = config.with_choices_of(run_folder.read_settings(path, type(config)))
        config = config.replace(precision=choose_precision(config.runtime.precision))
        keras.utils.set_random_seed(config.runtime.seed)
        if config.runtime.deterministic:
            make_deterministic()
        budget = _budget(config, started)
        run = _LanguageModelRun(config, folder, reporter=reporter, resume=resume, budget=budget)
        return run.train(Execution(distribution, should_stop, budget))


def _budget(config: LanguageModelRunConfig, started: float) -> TimeBudget | None:
    if config.schedule.time_budget is None:
        return None
    length = seconds(config.schedule.time_budget)
    return TimeBudget(length, started, lambda measuring: measuring + SAVING_SECONDS)


@dataclass(frozen=True)
class _LanguageModelRun:
    """Trains a language model and writes it into a checked and locked folder.

    Attributes:
        config: All settings.
        folder: The run folder.
        reporter: Receives messages and progress.
        resume: Whether to continue from the checkpoint in the folder.
        budget: The limit of the time; None: no limit.
    """

    config: LanguageModelRunConfig
    folder: Path
    reporter: Reporter
    resume: bool
    budget: TimeBudget | None

    def train(self, execution: Execution) -> TrainedLanguageModel:
        """Encodes the texts, trains, and writes the folder."""
        tokenizer, store = self._prepare()
        trainer = LanguageModelTrainer(
            self.config,
            tokenizer=tokenizer,
            store=store,
            checkpoints=Checkpoints(
                self.folder / CHECKPOINTS, keep_count=self.config.runtime.keep_checkpoints
            ),
            execution=execution,
        )
        if self.resume:
            trainer.resume(self.reporter)
        state = trainer.fit(reporter=self.reporter, on_epoch=self._write_history)
        trained = trainer.trained()
        self._write(trained)
        self.reporter.message(f"updates: {state.update:,} in {state.elapsed:.0f} s")
        shutil.rmtree(self.folder / CHECKPOINTS, ignore_errors=True)
        return trained

    def _prepare(self) -> tuple[Tokenizer, TokenStore]:
        """Returns the tokenizer and the encoded texts, and writes both into the folder."""
        folder, config, fresh = self.folder, self.config, self.folder / FRESH
        tokenizer_file, checkpoints = folder / run_folder.TOKENIZER, folder / CHECKPOINTS
        resumed = self.resume and tokenizer_file.is_file()
        if resumed:
            with contextlib.suppress(DataError):  # A damaged store is encoded again below.
                tokenizer, store = Tokenizer.load(tokenizer_file), TokenStore(checkpoints)
                begin(folder, config, tokenizer=tokenizer, resume=True)
                return tokenizer, store
        source = UnlabelledTexts(config.data, seed=config.runtime.seed)
        tokenizer = Tokenizer.load(tokenizer_file) if resumed else self._new_tokenizer(source)
        try:
            store = self._encode(source, tokenizer)
            if self.budget is not None and not self.resume:
                self.budget.check()
            begin(folder, config, tokenizer=tokenizer, resume=self.resume)
            return tokenizer, store.move_to(checkpoints)
        except OSError as error:
            raise DataError(
                f"{folder}: the encoded texts were not written ({error.strerror}); make room, or "
                "choose another `output`."
            ) from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _new_tokenizer(self, source: UnlabelledTexts) -> Tokenizer:
        with self.reporter.wait("preparing the tokenizer"):
            sample = source.sample(self.config.tokenizer.sample_chars)
            if not any(map(str.strip, sample)):
                where = self.config.data.text_file or source.name
                raise DataError(f"{where}: expected texts, got only blank ones; check the data.")
            return Tokenizer.train(
                sample,
                self.config.tokenizer,
                seed=self.config.runtime.seed,
                progress=self.reporter.message,
            )

    def _encode(self, source: UnlabelledTexts, tokenizer: Tokenizer) -> TokenStore:
        with self.reporter.step("texts encoded", total=source.count or 0) as advance:
            store = TokenStore.write(
                self.folder / FRESH,
                source,
                tokenizer=tokenizer,
                held_out=self.config.data.held_out,
                seed=self.config.runtime.seed,
                advance=advance,
            )
        self.reporter.message(
            f"{source.name}: {counted(len(store.offsets) - 1, 'text')} of "
            f"{counted(len(store.tokens), 'token')} for training, {len(store.held_out):,} held out;"
            f" {tokenizer.vocab_size:,} distinct tokens"
        )
        return store

    def _write_history(self, rows: list[dict[str, float]]) -> None:
        with warn_on_failure(f"{self.folder}: {HISTORY} was not written", self.reporter):
            write_history(self.folder / HISTORY, rows)

    def _write(self, trained: TrainedLanguageModel) -> None:
        """Writes the model card and the finished run."""
        folder = self.folder
        with warn_on_failure(f"{folder}: the model card was not written", self.reporter):
            description = TrainedModel(folder, trained.model.count_params(), trained.metrics)
            write_atomically(folder / "README.md", language_model_card(trained.config, description))
        try:
            run_folder.save_language_model(trained, folder)
        except OSError as error:
            raise ModelError(
                f"{folder}: the model was not written ({error.strerror}); make room, then finish "
                "with `resume`: the last checkpoint is whole."
            ) from None
