"""The training of a language model from beginning to end: texts, tokens, updates, run folder."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.config.section import seconds
from textrnn.data.unlabelled import UnlabelledTexts
from textrnn.errors import DataError, ModelError
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.messages.wording import counted
from textrnn.progress import Reporter, Silent
from textrnn.text.tokenizer import Tokenizer
from textrnn.training.batches.token_store import TokenStore
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.checkpoints import CHECKPOINTS, Checkpoints
from textrnn.training.loop.execution import Execution
from textrnn.training.loop.language_model_trainer import LanguageModelTrainer
from textrnn.training.loop.schedule import TimeBudget
from textrnn.training.run.faults import explained, spared
from textrnn.training.run.folder import begin, check_folder, default_folder, hold
from textrnn.training.run.history import write_history
from textrnn.training.run.model_card import language_model_card

__all__ = ["pretrain"]

FRESH = ".encoded"
"""The folder in a run folder where texts are encoded, before a run that it holds is replaced."""

SAVING_SECONDS = 5.0
"""What writing a finished run takes, about."""

LESS_MEMORY = (
    "lower --streams or --segment, tell the next token from --negatives rather than from the whole "
    "vocabulary, or make the model smaller: --embedding-units, --units, --vocab-size."
)


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
        should_stop: Called at each update; True saves a checkpoint and raises KeyboardInterrupt.
        started: The start of the time budget, by `time.monotonic`; None: now.
        **settings: Single settings that replace those of `config`, such as `epochs`.

    Raises:
        TextRNNError: The data, the settings or the folder do not allow it.
    """
    started, reporter = started or time.monotonic(), reporter or Silent()
    config = (config or LanguageModelRunConfig()).replace(**settings)
    if config.data.dataset is None and config.data.text_file is None:
        config = config.replace(dataset="bbc_news")
    distribution = Distribution.choose("single")
    folder = default_folder(config.data) if output is None else Path(output)
    with hold(folder), explained(distribution, less_memory=LESS_MEMORY):
        check_folder(folder, config, resume=resume, overwrite=overwrite)
        keras.utils.set_random_seed(config.runtime.seed)
        if config.runtime.deterministic:
            tf.config.experimental.enable_op_determinism()
        budget = _budget(config, started)
        tokenizer, store = _prepare(config, folder, resume=resume, budget=budget, reporter=reporter)
        trainer = LanguageModelTrainer(
            config,
            tokenizer=tokenizer,
            store=store,
            checkpoints=Checkpoints(
                folder / CHECKPOINTS, keep_count=config.runtime.keep_checkpoints
            ),
            execution=Execution(distribution, should_stop, budget),
        )
        if resume:
            trainer.resume(reporter)
        state = trainer.fit(
            reporter=reporter, on_epoch=lambda rows: _write_curve(folder, rows, reporter)
        )
        trained = trainer.trained()
        _write(trained, folder, reporter)
        reporter.message(f"updates: {state.update:,} in {state.elapsed:.0f} s")
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
        return trained


def _write(trained: TrainedLanguageModel, folder: Path, reporter: Reporter) -> None:
    """Writes the model card and the finished run."""
    with spared(f"{folder}: the model card was not written", reporter):
        card = language_model_card(
            trained.config,
            folder=folder,
            weights=trained.model.count_params(),
            metrics=trained.metrics,
        )
        write_atomically(folder / "README.md", card)
    try:
        run_folder.save_language_model(trained, folder)
    except OSError as error:
        raise ModelError(
            f"{folder}: the model was not written ({error.strerror}); make room, then finish "
            "with --resume: the last checkpoint is whole."
        ) from None


def _budget(config: LanguageModelRunConfig, started: float) -> TimeBudget | None:
    if config.schedule.time_budget is None:
        return None
    length = seconds(config.schedule.time_budget)
    return TimeBudget(length, started, lambda measuring: measuring + SAVING_SECONDS)


def _prepare(
    config: LanguageModelRunConfig,
    folder: Path,
    *,
    resume: bool,
    budget: TimeBudget | None,
    reporter: Reporter,
) -> tuple[Tokenizer, TokenStore]:
    """The tokenizer, and the texts as ids on disk, in a folder that is this run's from then on."""
    path, kept, fresh = folder / run_folder.TOKENIZER, folder / CHECKPOINTS, folder / FRESH
    if resume and path.is_file():
        with contextlib.suppress(DataError):
            tokenizer, store = Tokenizer.load(path), TokenStore(kept)
            begin(folder, config, tokenizer, resume=True)
            return tokenizer, store
    source = UnlabelledTexts(config.data, seed=config.runtime.seed)
    if resume and path.is_file():
        tokenizer = Tokenizer.load(path)
    else:
        with reporter.wait("preparing the tokenizer"):
            sample = source.sample(config.tokenizer.sample_chars)
            if not any(map(str.strip, sample)):
                where = config.data.text_file or source.name
                raise DataError(
                    f"{where}: expected texts, got none that is not blank; check the data."
                )
            tokenizer = Tokenizer.train(
                sample,
                config.tokenizer,
                seed=config.runtime.seed,
                progress=reporter.message,
            )
    try:
        store = _encode(source, tokenizer, fresh, config=config, reporter=reporter)
        if budget is not None and not resume:
            budget.check()
        begin(folder, config, tokenizer, resume=resume)
        return tokenizer, store.move_to(kept)
    except OSError as error:
        raise DataError(
            f"{folder}: the encoded texts were not written ({error.strerror}); make room, or "
            "choose another --output."
        ) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _encode(
    source: UnlabelledTexts,
    tokenizer: Tokenizer,
    folder: Path,
    *,
    config: LanguageModelRunConfig,
    reporter: Reporter,
) -> TokenStore:
    with reporter.step("texts encoded", total=source.count or 0) as advance:
        store = TokenStore.write(
            folder,
            source,
            tokenizer=tokenizer,
            held_out=config.data.held_out,
            seed=config.runtime.seed,
            advance=advance,
        )
    reporter.message(
        f"{source.name}: {counted(len(store.offsets) - 1, 'text')} of "
        f"{counted(len(store.tokens), 'token')} to learn "
        f"from, {len(store.held_out):,} held out; {tokenizer.vocab_size:,} distinct tokens"
    )
    return store


def _write_curve(folder: Path, rows: list[dict[str, float]], reporter: Reporter) -> None:
    with spared(f"{folder}: history.csv was not written", reporter):
        write_history(folder / "history.csv", rows)
