"""One training of a classifier into a run folder that is checked and locked."""

from __future__ import annotations

import dataclasses
import functools
import shutil
import time
from pathlib import Path

import keras

from textrnn.analysis.drift.drift import make_profile
from textrnn.analysis.drift.profile import PROFILE
from textrnn.analysis.statistics import caution
from textrnn.data import Corpus, load_corpus
from textrnn.data.provenance import provenance
from textrnn.errors import ModelError
from textrnn.evaluation.decide import decide_on
from textrnn.evaluation.decision_fitting import DecisionRequest
from textrnn.evaluation.measurement import measure
from textrnn.host.atomic import write_atomically
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.history import HISTORY
from textrnn.inference.kept_texts import forget_texts, keep_texts
from textrnn.inference.run_files import check_finished
from textrnn.messages.wording import counted
from textrnn.models.label_space import LabelSpace
from textrnn.text.tokenizer import Tokenizer
from textrnn.text.word_vector_files import check_vectors
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.devices.device import device_message, make_deterministic
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop.batch_size import find_batch_tokens, needs_search
from textrnn.training.loop.checkpoints import CHECKPOINTS, Checkpoints
from textrnn.training.loop.execution import Execution
from textrnn.training.loop.schedule import TimeBudget
from textrnn.training.loop.trainer import Trainer
from textrnn.training.loop.training_data import TrainingData
from textrnn.training.loop.validation import choose_validation
from textrnn.training.run.descriptions import describe_batches, describe_corpus, kernel_message
from textrnn.training.run.faults import warn_on_failure
from textrnn.training.run.final_model import final_model
from textrnn.training.run.folder import TARGETS, begin
from textrnn.training.run.history import draw_curves, write_history
from textrnn.training.run.initial_weights import (
    build_model,
    language_model_loss,
    start_from_run,
    start_from_vectors,
)
from textrnn.training.run.light_check import check_light_answers
from textrnn.training.run.linear_models import baseline_seconds, fit_seconds, measure_linear_model
from textrnn.training.run.model_card import TrainedModel, model_card
from textrnn.training.run.origin import ORIGIN, Origin
from textrnn.training.run.own_texts import has_read, reading_seconds, start_from_own_texts
from textrnn.training.run.preparation import (
    RunContext,
    add_unlabelled,
    digest,
    encode_split,
    train_tokenizer,
)
from textrnn.training.run.request import RunRequest
from textrnn.training.run.teachers import save_targets, taught_by_chief
from textrnn.training.run.tensorboard import TENSORBOARD, TensorBoardWriter
from textrnn.training.run.time_limits import TimeLimits

__all__ = ["ClassifierRun"]


class ClassifierRun:
    """Trains a classifier, measures it and writes the run folder.

    Args:
        request: The settings, the folder and the options of the caller.
        distribution: The devices.
        resume: Whether to continue from the checkpoint in the folder.
    """

    def __init__(
        self, request: RunRequest, distribution: Distribution, *, resume: bool = False
    ) -> None:
        self.request, self.distribution, self.resume = request, distribution, resume
        self.config, self.folder, self.reporter = request.config, request.folder, request.reporter
        self.limits = TimeLimits(request.config.schedule.time_budget, request.started)
        self._origin: Origin | None = None

    def train(self) -> TrainedClassifier | None:
        """Reads the data, trains, measures and writes the folder.

        Returns:
            The classifier; None on a worker that is not the chief.
        """
        trainer, context = self.prepare()
        if self.resume and (not self._pretrains or self._resumes_classifier()):
            trainer.resume(self.reporter)
            self.reporter.message(
                f"resuming after {counted(trainer.state.epoch, 'epoch')}, "
                f"{counted(trainer.state.batch, 'batch', 'batches')}"
            )
        choose_validation(trainer, self.reporter)
        self._fit(trainer, context.corpus)
        classifier = None
        if self.distribution.is_chief:
            classifier = self._measure(trainer, context)
            self._add_profile(classifier, trainer, context.corpus)
            self._write(classifier, context.corpus)
        self.distribution.barrier()
        return classifier

    def prepare(self) -> tuple[Trainer, RunContext]:
        """Reads the data and makes the trainer, with the model's initial weights."""
        config, reporter = self.config, self.reporter
        self._set_random_state()
        context = self._read()
        tokens_started = time.monotonic()
        train_data = encode_split(context.corpus.train, context=context)
        valid_data = encode_split(context.corpus.validation, context=context)
        token_seconds = time.monotonic() - tokens_started
        lengths = train_data.plan.lengths
        choices = config.choices(tokens=int(lengths.sum()), texts=len(lengths))
        self.config = config = config.replace(**choices)
        context = dataclasses.replace(context, config=config)
        if config.distillation.active:
            train_data = taught_by_chief(
                train_data,
                context=context,
                distribution=self.distribution,
                stored_in=self.folder if self.resume else None,
                until=self.limits.deadline(1.0),
            )
        else:
            train_data = add_unlabelled(train_data, context=context)
        train_data = dataclasses.replace(train_data, balance=config.regularization.balance)
        describe_batches(train_data.plan, reporter)
        keras.utils.set_random_seed(config.runtime.seed)
        with self.distribution.scope():
            model = build_model(context, precision=config.runtime.precision)
            language_loss = language_model_loss(model, train_data, context=context)
        if not self.resume:
            start_from_vectors(model, train_data, context=context)
            start_from_run(model, self._origin, context=context, language_loss=language_loss)
        fitting = fit_seconds(config, context.corpus, tokens=train_data.plan.total_tokens)
        ending = (context.corpus, token_seconds, fitting)
        earlier = reading_seconds(self.folder) if self.resume else 0.0
        if self._pretrains and not self._resumes_classifier():
            self._begin(context, train_data)
            budget = self.limits.budget(*ending)
            start_from_own_texts(
                model,
                train_data,
                valid_data,
                context=context,
                execution=Execution(self.distribution, self.request.should_stop, budget),
                folder=self.folder,
            )
        budget = self.limits.budget(*ending, earlier=earlier)
        if budget is not None and not self.resume:
            budget.check()
        data = TrainingData(
            train_data,
            valid_data,
            label_space=context.label_space,
            digest=digest(train_data, valid_data),
        )
        make_trainer = functools.partial(
            Trainer,
            model,
            checkpoints=Checkpoints(
                self.folder / CHECKPOINTS, keep_count=config.runtime.keep_checkpoints
            ),
            execution=Execution(self.distribution, self.request.should_stop, budget),
            language_model_loss=language_loss,
        )
        trainer = make_trainer(config, data=data)
        tokens = config.batches.most_tokens
        if needs_search(trainer):
            tokens = find_batch_tokens(trainer, reporter)
        self.config = config.replace(batch_tokens=tokens)
        if tokens != config.batches.most_tokens:
            data = data.resized(self.config.batches)
            describe_batches(data.train.plan, reporter)
            trainer = make_trainer(self.config, data=data)
        self._begin(context, train_data, keep=self._pretrains)
        self._describe(trainer, budget)
        return trainer, context

    def _begin(
        self, context: RunContext, train_data: LabelledBatches, *, keep: bool = False
    ) -> None:
        """Lets the chief write what the run begins with; `keep`: this run has begun there."""
        if not self.distribution.is_chief:
            return
        resume = self.resume or keep
        begin(self.folder, self.config, tokenizer=context.tokenizer, resume=resume)
        if self._origin is not None:
            self._origin.save(self.folder)
        if self.config.distillation.active and not resume:
            save_targets(self.folder, train_data.targets[:])

    @property
    def _pretrains(self) -> bool:
        """Whether a language model reads the training texts first."""
        return bool(self.config.start.pretrain_epochs)

    def _resumes_classifier(self) -> bool:
        """Returns whether there is a checkpoint of the classifier itself."""
        return self.resume and has_read(self.folder, self.distribution)

    def _set_random_state(self) -> None:
        keras.utils.set_random_seed(self.config.runtime.seed)
        if self.config.runtime.deterministic:
            make_deterministic()

    def _read(self) -> RunContext:
        """Reads the texts and makes or loads the tokenizer."""
        if self.distribution.is_chief and not self.resume:
            for run in self.config.distillation.runs:
                check_finished(Path(run))
        if self.config.start.vectors is not None:
            check_vectors(self.config.start.vectors)
        self._origin = self._read_origin()
        self.reporter.message("reading the data")
        earlier = (self._origin and self._origin.labels) or ()
        seed, source = self.config.runtime.seed, self.request.source
        corpus = load_corpus(self.config, seed=seed, source=source, earlier_labels=earlier)
        if not self.request.measure_test:
            corpus = dataclasses.replace(corpus, test=None)
        describe_corpus(corpus, self.reporter)
        label_space = LabelSpace(corpus.label_names, multi_label=self.config.task.multi_label)
        DecisionRequest.of(self.config.decisions, label_space)  # Its faults must not come later.
        return RunContext(self.config, corpus, self._tokenizer(corpus), self.reporter)

    def _read_origin(self) -> Origin | None:
        """Returns the chief's record of the run that the training starts from, on every worker."""
        origin = None
        if self.distribution.is_chief and self.config.start.init_from:
            origin = Origin.load(self.folder) if self.resume else Origin.of(self.config)
        content = self.distribution.broadcast(b"" if origin is None else origin.to_json().encode())
        return Origin.from_json(content.decode()) if content else None

    def _tokenizer(self, corpus: Corpus) -> Tokenizer:
        """Returns the chief's tokenizer on every worker."""
        path = self.folder / run_folder.TOKENIZER
        content = b""
        if self.distribution.is_chief:
            if self.resume and path.is_file():
                tokenizer = Tokenizer.load(path)
            elif self._origin is not None:
                tokenizer = self._origin.read_tokenizer()
            else:
                tokenizer = train_tokenizer(corpus, self.config, reporter=self.reporter)
            content = tokenizer.to_bytes()
        return Tokenizer.from_bytes(self.distribution.broadcast(content))

    def _describe(self, trainer: Trainer, budget: TimeBudget | None) -> None:
        """Reports the size of the model, its kernel, a short time budget and the replicas."""
        apart = "" if self.config.model.ngrams == 0 else ", and those of the n-grams afterwards"
        self.reporter.message(f"training {trainer.model.count_params():,} weights{apart}")
        self.reporter.message(device_message(self.distribution))
        self.reporter.message(kernel_message(trainer.model, self.config))
        if budget is not None and (short := budget.short_message(0.0)):
            self.reporter.message(short)
        if self.distribution.replicas > 1:
            self.reporter.message(f"{self.distribution.replicas} replicas share each batch")

    def _fit(self, trainer: Trainer, corpus: Corpus) -> None:
        """Trains, and writes the curves and the events after each epoch."""
        if not self.distribution.is_chief:
            trainer.fit(reporter=self.reporter, callbacks=self.request.callbacks)
            return
        if trainer.state.history:  # A kill may have come between the checkpoint and the curves.
            self._write_curves(trainer, corpus)
        no_events = f"{self.folder / TENSORBOARD}: no events were written"
        writer: TensorBoardWriter | None = None
        with warn_on_failure(no_events, self.reporter):
            sample = corpus.validation.take([int(row) for row in trainer.valid_rows])
            writer = TensorBoardWriter(
                self.folder / TENSORBOARD,
                ids=trainer.valid.plan.texts,
                texts=sample.texts,
                labels=sample.labels,
            )

        def on_epoch(row: dict[str, float]) -> None:
            self._write_curves(trainer, corpus)
            if writer is not None:
                with warn_on_failure(no_events, self.reporter):
                    writer.write(
                        row,
                        trainer.model,
                        probabilities=trainer.valid_probabilities,
                        names=corpus.label_names,
                    )
            self.reporter.epoch(row)

        trainer.fit(reporter=self.reporter, on_epoch=on_epoch, callbacks=self.request.callbacks)
        if writer is not None:
            with warn_on_failure(no_events, self.reporter):
                writer.close()

    def _write_curves(self, trainer: Trainer, corpus: Corpus) -> None:
        folder, history = self.folder, trainer.state.history
        with warn_on_failure(f"{folder}: {HISTORY} was not written", self.reporter):
            write_history(folder / HISTORY, history)
        with warn_on_failure(f"{folder}: curves.png was not drawn", self.reporter):
            draw_curves(folder / "curves.png", history, title=corpus.name)

    def _measure(self, trainer: Trainer, context: RunContext) -> TrainedClassifier:
        """Returns the trained classifier with its metrics."""
        corpus, state = context.corpus, trainer.state
        final = final_model(trainer.model, trainer.data, context=context)
        classifier = TrainedClassifier(
            final.model, context.tokenizer, corpus.label_names, self.config, data=provenance(corpus)
        )
        share = len(corpus.validation) / (len(corpus.validation) + len(corpus.test or ()))
        later = baseline_seconds(self.config, corpus)
        classifier.metrics = {
            "training": {
                "best_epoch": state.best_epoch,
                "epochs": state.epoch,
                "seconds": sum(row["seconds"] for row in state.history),
                "vocab_size": context.tokenizer.vocab_size,
            },
            "calibration": final.calibration,
            **({"ngrams": final.ngrams} if final.ngrams else {}),
        }
        if self._origin is not None:
            classifier.metrics["start"] = self._origin.to_metrics(corpus.label_names)
        classifier.metrics["validation"] = decide_on(
            classifier,
            corpus.validation,
            request=DecisionRequest.of(
                self.config.decisions, context.label_space, lost_prior=final.lost_prior
            ),
            reporter=self.reporter,
            until=self.limits.deadline(share, later=later),
        )
        if corpus.test is not None:
            classifier.metrics["test"] = measure(
                classifier,
                corpus.test,
                name="test",
                reporter=self.reporter,
                until=self.limits.deadline(1.0, later=later),
            )
        if self.config.runtime.linear_baseline:
            measure_linear_model(
                classifier, corpus, until=self.limits.deadline(1.0), reporter=self.reporter
            )
        if sentence := caution(classifier.metrics["validation"], name="validation"):
            self.reporter.message(sentence)
        return classifier

    def _add_profile(self, classifier: TrainedClassifier, trainer: Trainer, corpus: Corpus) -> None:
        """Adds the profile of the data, with which `textrnn drift` compares new texts."""
        ids = trainer.data.train.plan.texts  # Those of unlabelled texts come after the labelled.
        held_out = trainer.data.validation.plan.texts
        profile = make_profile(classifier, corpus.train.texts, ids=ids, held_out=held_out)
        classifier.data[PROFILE] = profile.to_dict()

    def _write(self, classifier: TrainedClassifier, corpus: Corpus) -> None:
        """Writes the model card and the finished run, then deletes the checkpoints."""
        folder = self.folder
        is_light = check_light_answers(classifier, corpus.validation.texts, self.reporter)
        if self.request.should_stop():  # Requested while measuring; the last checkpoint remains.
            raise KeyboardInterrupt
        with warn_on_failure(f"{folder}: the model card was not written", self.reporter):
            weights = classifier.model.count_params()
            trained = TrainedModel(folder, weights, classifier.metrics, classifier.rule)
            card = model_card(
                self.config,
                trained,
                name=corpus.name,
                labels=corpus.label_names,
                notices=corpus.notices,
            )
            write_atomically(folder / "README.md", card)
        try:
            if self.request.keep_data:
                keep_texts(corpus, folder, multi_label=self.config.task.multi_label)
            else:
                forget_texts(folder)
            run_folder.save(classifier, folder, is_light=is_light)
        except OSError as error:
            raise ModelError(
                f"{folder}: the model was not written ({error.strerror}); make room, then finish "
                "with `resume`: the last checkpoint is whole."
            ) from None
        classifier.folder = folder
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
        for name in (TARGETS, ORIGIN):
            (folder / name).unlink(missing_ok=True)
