"""One training of a classifier into a folder that is ready for it."""

from __future__ import annotations

import dataclasses
import shutil
import time
from pathlib import Path

import keras
import tensorflow as tf

from textrnn.data import Corpus, load_corpus
from textrnn.data.provenance import provenance
from textrnn.errors import ModelError
from textrnn.evaluation.measurement import measure, measure_validation
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.messages.wording import counted
from textrnn.models.label_space import LabelSpace
from textrnn.progress import Reporter
from textrnn.text.tokenizer import Tokenizer
from textrnn.text.word_vector_files import check_vectors
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.checkpoints import CHECKPOINTS, Checkpoints
from textrnn.training.loop.execution import Execution
from textrnn.training.loop.trainer import Trainer
from textrnn.training.loop.training_data import TrainingData
from textrnn.training.loop.validation import choose_validation
from textrnn.training.run.faults import spared
from textrnn.training.run.folder import begin
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
from textrnn.training.run.request import RunRequest
from textrnn.training.run.tensorboard import TENSORBOARD, TensorBoardWriter
from textrnn.training.run.time_limits import TimeLimits

__all__ = ["ClassifierRun"]


class ClassifierRun:
    """Trains, measures and writes one run.

    Args:
        request: What is asked for.
        distribution: The devices.
        resume: Whether to continue from the checkpoint in the folder.
    """

    def __init__(
        self, request: RunRequest, distribution: Distribution, *, resume: bool = False
    ) -> None:
        self.request, self.distribution, self.resume = request, distribution, resume
        self.config, self.folder = request.config, request.folder
        self.reporter = request.reporter
        self.limits = TimeLimits(request.config.schedule.time_budget, request.started)

    def train(self) -> TrainedClassifier | None:
        """Everything from the data to the finished folder."""
        trainer, corpus, tokenizer = self.prepare()
        if self.resume:
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
        if not self.request.measure_test:
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
        if not self.resume:
            start_from_vectors(model, train_data, tokenizer, config, reporter)
            start_from_language_model(model, config, reporter, language_model_loss=language_loss)
        budget = self.limits.budget(corpus, token_seconds)
        if budget is not None and not self.resume:
            budget.check()
        if self.distribution.is_chief:
            begin(self.folder, config, tokenizer, resume=self.resume)
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
            execution=Execution(self.distribution, self.request.should_stop, budget),
            language_model_loss=language_loss,
        )
        reporter.message(f"training {model.count_params():,} weights")
        reporter.message(describe_kernels(model, config))
        if budget is not None and (short := budget.short_message(0.0)):
            reporter.message(short)
        if self.distribution.replicas > 1:
            reporter.message(f"each batch is shared by {self.distribution.replicas} replicas")
        return trainer, corpus, tokenizer

    def _tokenizer(self, corpus: Corpus) -> Tokenizer:
        """The chief's tokenizer, on every worker."""
        path = self.folder / run_folder.TOKENIZER
        content = b""
        if self.distribution.is_chief:
            if self.resume and path.is_file():
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
            trainer.fit(reporter=self.reporter, callbacks=self.request.callbacks)
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

        trainer.fit(reporter=reporter, on_epoch=on_epoch, callbacks=self.request.callbacks)
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
                classifier, corpus.validation, reporter, until=self.limits.deadline(share)
            ),
        }
        if corpus.test is not None:
            classifier.metrics["test"] = measure(
                classifier,
                corpus.test,
                name="test",
                reporter=reporter,
                until=self.limits.deadline(1.0),
            )
        if self.request.should_stop():  # Asked meanwhile: the last checkpoint is still there.
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
