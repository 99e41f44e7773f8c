"""One run from beginning to end: data, tokenizer, model, training, measurement, run folder."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.section import seconds
from textrnn.data import Corpus, load_corpus
from textrnn.data.provenance import provenance
from textrnn.errors import ConfigError, ModelError
from textrnn.evaluation.measurement import measure, measure_validation
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.wording import counted
from textrnn.models.label_space import LabelSpace
from textrnn.progress import Reporter, Silent
from textrnn.text.tokenizer import Tokenizer
from textrnn.text.word_vector_files import check_vectors
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.checkpoints import CHECKPOINTS, Checkpoints
from textrnn.training.loop.execution import Execution
from textrnn.training.loop.range_test import RangeTest, find_rate
from textrnn.training.loop.schedule import TimeBudget
from textrnn.training.loop.trainer import Trainer
from textrnn.training.loop.training_data import TrainingData
from textrnn.training.loop.validation import choose_validation
from textrnn.training.run.faults import explained, spared
from textrnn.training.run.folder import begin, check_folder, check_started, hold, is_started
from textrnn.training.run.history import draw_curves, write_history
from textrnn.training.run.model_card import model_card
from textrnn.training.run.preparation import (
    build_model,
    describe,
    describe_batches,
    describe_kernels,
    digest,
    language_model_loss,
    prepare,
    start_from_language_model,
    start_from_vectors,
    tokenizer_texts,
    with_unlabelled,
)
from textrnn.training.run.tensorboard import TENSORBOARD, TensorBoardWriter

__all__ = ["find_learning_rate", "train"]

SAVING_SECONDS = 10.0
"""What tracing the graph anew and writing a finished run take, about."""


def train(
    config: ClassifierRunConfig,
    output: str | Path,
    *,
    reporter: Reporter | None = None,
    resume: bool = False,
    resume_or_start: bool = False,
    overwrite: bool = False,
    measure_test: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    started: float | None = None,
) -> TrainedClassifier | None:
    """Trains a classifier into a run folder.

    The validation data chooses the epoch whose weights are kept; the test data is looked at once,
    after that.

    Args:
        config: All settings.
        output: The run folder. Of several workers only the chief reads and writes it.
        reporter: Receives messages and progress; None means silence.
        resume: Whether to go on from the folder's checkpoint, whose settings must be these.
        resume_or_start: Whether to do so if there is one, or else to begin; a finished run is
            then left as it is.
        overwrite: Whether a run in the folder may be replaced.
        measure_test: Whether to look at the test data.
        should_stop: Asked at each update; True saves a checkpoint and raises KeyboardInterrupt.
        callbacks: Keras callbacks, told of the training as by Keras' own `fit`. The learning rate
            follows the schedule; a callback may change it in `on_train_batch_begin`.
        started: When the time budget began, by `time.monotonic`; None: now.

    Returns:
        The classifier; None on a worker that is not the chief.

    Raises:
        TextRNNError: The data, the settings or the folder do not allow it.
    """
    started = time.monotonic() if started is None else started
    reporter = reporter or Silent()
    distribution = Distribution.choose(config.runtime.strategy)
    folder = Path(output)
    if resume and distribution.is_chief and not folder.exists():
        check_started(folder)
    held = hold(folder) if distribution.is_chief else contextlib.nullcontext()
    with held, explained(distribution):
        if distribution.is_chief and resume_or_start:
            resume = is_started(folder)
            if run_folder.is_complete(folder):
                distribution.broadcast(_FINISHED)
                reporter.message(f"{folder} holds the finished run already")
                return run_folder.load(folder)
        if distribution.is_chief:
            check_folder(folder, config, resume=resume, overwrite=overwrite)
        told = distribution.broadcast(_RESUME if resume else _START)
        if told == _FINISHED:
            return None
        return _Run(
            config,
            folder,
            distribution=distribution,
            reporter=reporter,
            resume=told == _RESUME,
            measure_test=measure_test,
            should_stop=should_stop,
            callbacks=callbacks,
            started=started,
        ).train()


def find_learning_rate(
    config: ClassifierRunConfig,
    output: str | Path,
    *,
    reporter: Reporter | None = None,
    overwrite: bool = False,
) -> RangeTest:
    """A learning rate range test, its table and picture in a run folder that can be trained into.

    Args:
        config: All settings.
        output: The run folder.
        reporter: Receives messages and progress; None means silence.
        overwrite: Whether a run in the folder may be replaced.

    Raises:
        TextRNNError: The data, the settings or the folder do not allow it, or the test is run on
            several machines.
    """
    distribution = Distribution.choose(config.runtime.strategy)
    reporter = reporter or Silent()
    if distribution.several_machines:
        raise ConfigError("a range test needs one machine; unset TF_CONFIG for it.")
    folder = Path(output)
    with hold(folder), explained(distribution):
        check_folder(folder, config, resume=False, overwrite=overwrite)
        run = _Run(config, folder, distribution=distribution, reporter=reporter)
        trainer, _, _ = run.prepare()
        found = find_rate(trainer, seed=config.runtime.seed, reporter=reporter)
        with spared(f"{folder}: the losses were not written", reporter):
            found.write(folder)
        return found


_START, _RESUME, _FINISHED = b"start", b"resume", b"finished"
"""What the chief tells the other workers to do."""


class _Run:
    """One training into a folder that is ready for it; see `train` for the arguments."""

    def __init__(
        self,
        config: ClassifierRunConfig,
        folder: Path,
        *,
        distribution: Distribution,
        reporter: Reporter,
        resume: bool = False,
        measure_test: bool = True,
        should_stop: Callable[[], bool] = lambda: False,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        started: float = 0.0,
    ) -> None:
        self.config, self.folder = config, folder
        self.distribution, self.reporter = distribution, reporter
        self._resume, self._should_stop = resume, should_stop
        self._callbacks, self._started = callbacks, started
        self._measure_test = measure_test

    def train(self) -> TrainedClassifier | None:
        """Everything from the data to the finished folder."""
        trainer, corpus, tokenizer = self.prepare()
        if self._resume:
            trainer.resume(self.reporter)
            self.reporter.message(
                f"going on after {counted(trainer.state.epoch, 'epoch')}, "
                f"{counted(trainer.state.batch, 'batch', 'batches')}"
            )
        choose_validation(trainer, self.reporter)
        self._fit(trainer, corpus)
        classifier = None
        if self.distribution.is_chief:
            classifier = self._finish(trainer, corpus, tokenizer)
        self.distribution.barrier()
        return classifier

    def prepare(self) -> tuple[Trainer, Corpus, Tokenizer]:
        """Everything before the first update."""
        config, reporter = self.config, self.reporter
        keras.utils.set_random_seed(config.runtime.seed)
        if config.runtime.deterministic:
            tf.config.experimental.enable_op_determinism()
        if config.start.vectors is not None:
            check_vectors(config.start.vectors)
        reporter.message("reading the data")
        corpus = load_corpus(config, seed=config.runtime.seed)
        if not self._measure_test:
            corpus = dataclasses.replace(corpus, test=None)
        describe(corpus, reporter)
        tokenizer = self._tokenizer(corpus)
        tokens_started = time.monotonic()
        train_data = prepare(corpus.train, corpus, tokenizer, config, reporter)
        train_data = with_unlabelled(train_data, tokenizer, config, reporter)
        valid_data = prepare(corpus.validation, corpus, tokenizer, config, reporter)
        token_seconds = time.monotonic() - tokens_started
        describe_batches(train_data.plan, reporter)
        keras.utils.set_random_seed(config.runtime.seed)
        with self.distribution.scope():
            model = build_model(tokenizer, corpus, config, precision=config.runtime.precision)
            language_loss = language_model_loss(model, train_data, config)
        if not self._resume:
            start_from_vectors(model, train_data, tokenizer, config, reporter)
            start_from_language_model(model, config, reporter, language_model_loss=language_loss)
        budget = self._budget(corpus, token_seconds)
        if budget is not None and not self._resume:
            budget.check()
        if self.distribution.is_chief:
            begin(self.folder, config, tokenizer, resume=self._resume)
        trainer = Trainer(
            model,
            config,
            data=TrainingData(
                train_data,
                valid_data,
                label_space=LabelSpace(corpus.label_names, multi_label=config.task.multi_label),
                digest=digest(train_data, valid_data),
            ),
            checkpoints=Checkpoints(
                self.folder / CHECKPOINTS, keep_count=config.runtime.keep_checkpoints
            ),
            execution=Execution(self.distribution, self._should_stop, budget),
            language_model_loss=language_loss,
        )
        reporter.message(f"training {model.count_params():,} weights")
        reporter.message(describe_kernels(model, config))
        if budget is not None and (short := budget.short_message(0.0)):
            reporter.message(short)
        if self.distribution.replicas > 1:
            reporter.message(f"each batch is shared by {self.distribution.replicas} replicas")
        return trainer, corpus, tokenizer

    def _budget(self, corpus: Corpus, token_seconds: float) -> TimeBudget | None:
        """The time there is; what comes after training is known by what has been done before."""
        if self.config.schedule.time_budget is None:
            return None
        valid = len(corpus.validation)
        test = len(corpus.test) if corpus.test is not None else 0
        token_seconds *= (valid + test) / (len(corpus.train) + valid)

        whole = seconds(self.config.schedule.time_budget)
        left = whole - (time.monotonic() - self._started) - token_seconds - SAVING_SECONDS

        def finish(validation: float) -> float:
            # Both measurements of the best weights, on as many texts as half of the time allows.
            measuring = min(validation * (1.0 + test / valid), max(left, 0.0) / 2)
            return measuring + token_seconds + SAVING_SECONDS

        return TimeBudget(whole, self._started, finish)

    def _deadline(self, share: float) -> float | None:
        """When measuring must end to take this share of the time left; None without a budget."""
        if self.config.schedule.time_budget is None:
            return None
        end = self._started + seconds(self.config.schedule.time_budget) - SAVING_SECONDS / 2
        now = time.monotonic()
        return now + share * (end - now)

    def _tokenizer(self, corpus: Corpus) -> Tokenizer:
        """The chief's tokenizer, on every worker."""
        path = self.folder / run_folder.TOKENIZER
        content = b""
        if self.distribution.is_chief:
            if self._resume and path.is_file():
                tokenizer = Tokenizer.load(path)
            elif self.config.start.init_from:
                init_from = self.config.start.init_from
                tokenizer = run_folder.load_language_model(init_from).tokenizer
            else:
                with self.reporter.wait("preparing the tokenizer"):
                    tokenizer = Tokenizer.train(
                        tokenizer_texts(corpus, self.config),
                        self.config.tokenizer,
                        seed=self.config.runtime.seed,
                        progress=self.reporter.message,
                    )
            content = tokenizer.to_bytes()
        return Tokenizer.from_bytes(self.distribution.broadcast(content))

    def _fit(self, trainer: Trainer, corpus: Corpus) -> None:
        """Trains, writing the curves after each epoch."""
        if not self.distribution.is_chief:
            trainer.fit(reporter=self.reporter, callbacks=self._callbacks)
            return
        folder, reporter = self.folder, self.reporter
        if trainer.state.history:  # A kill may have come between the checkpoint and the curves.
            _write_curves(folder, trainer, corpus, reporter)
        shown = corpus.validation.take([int(row) for row in trainer.valid_rows])
        events = f"{folder / TENSORBOARD}: no events were written"
        writer: TensorBoardWriter | None = None
        with spared(events, reporter):
            writer = TensorBoardWriter(
                folder / TENSORBOARD,
                ids=trainer.valid.plan.texts,
                texts=shown.texts,
                labels=shown.labels,
            )

        def on_epoch(row: dict[str, float]) -> None:
            _write_curves(folder, trainer, corpus, reporter)
            if writer is not None:
                with spared(events, reporter):
                    writer.write(
                        row, trainer.model, trainer.valid_probabilities, corpus.label_names
                    )
            reporter.epoch(row)

        trainer.fit(reporter=reporter, on_epoch=on_epoch, callbacks=self._callbacks)
        if writer is not None:
            with spared(events, reporter):
                writer.close()

    def _finish(self, trainer: Trainer, corpus: Corpus, tokenizer: Tokenizer) -> TrainedClassifier:
        """Measures the trained model and writes what a run leaves behind."""
        config, folder, reporter = self.config, self.folder, self.reporter
        # As it will be loaded; and without the optimizer, which would be saved with the weights.
        model, state = build_model(tokenizer, corpus, config, precision="float32"), trainer.state
        model.set_weights(trainer.model.get_weights())
        data = provenance(corpus)
        classifier = TrainedClassifier(model, tokenizer, corpus.label_names, config, data=data)
        tests = 0 if corpus.test is None else len(corpus.test)
        share = len(corpus.validation) / (len(corpus.validation) + tests)
        classifier.metrics = {
            "training": {
                "best_epoch": state.best_epoch,
                "epochs": state.epoch,
                "seconds": sum(row["seconds"] for row in state.history),
                "vocab_size": tokenizer.vocab_size,
            },
            **measure_validation(
                classifier, corpus.validation, reporter, until=self._deadline(share)
            ),
        }
        if corpus.test is not None:
            classifier.metrics["test"] = measure(
                classifier, corpus.test, name="test", reporter=reporter, until=self._deadline(1.0)
            )
        if self._should_stop():  # Asked meanwhile: the last checkpoint is still there.
            raise KeyboardInterrupt
        with spared(f"{folder}: the model card was not written", reporter):
            card = model_card(
                config,
                folder=folder,
                name=corpus.name,
                labels=corpus.label_names,
                weights=model.count_params(),
                metrics=classifier.metrics,
                notices=corpus.notices,
            )
            write_atomically(folder / "README.md", card)
        try:
            run_folder.save(classifier, folder)
        except OSError as error:
            raise ModelError(
                f"{folder}: the model was not written ({error.strerror}); make room, then finish "
                "with --resume: the last checkpoint is whole."
            ) from None
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
        return classifier


def _write_curves(folder: Path, trainer: Trainer, corpus: Corpus, reporter: Reporter) -> None:
    with spared(f"{folder}: history.csv was not written", reporter):
        write_history(folder / "history.csv", trainer.state.history)
    with spared(f"{folder}: curves.png was not drawn", reporter):
        draw_curves(folder / "curves.png", trainer.state.history, title=corpus.name)
