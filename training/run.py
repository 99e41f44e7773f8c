"""One run from beginning to end: data, tokenizer, model, training, measurement, run folder."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn import bundle
from textrnn.atomic import write_atomically
from textrnn.classifier import TextClassifier
from textrnn.config import RunConfig
from textrnn.data import Corpus, Split, load_corpus
from textrnn.data.batching import BatchPlan
from textrnn.errors import ConfigError, DataError, ModelError
from textrnn.inference import TrainedClassifier
from textrnn.recurrence import batch_parts, choose_kernel
from textrnn.tokenizer import Tokenizer
from textrnn.training.checkpoints import LATEST
from textrnn.training.history import draw_curves, write_history, write_tensorboard
from textrnn.training.loop import LabelledBatches, Trainer
from textrnn.training.metrics import evaluate
from textrnn.training.model_card import model_card
from textrnn.training.optimization import class_weights
from textrnn.training.progress import Reporter

__all__ = ["measure", "train"]


def train(
    config: RunConfig,
    output: str | Path,
    *,
    reporter: Reporter,
    resume: bool = False,
    overwrite: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> TrainedClassifier:
    """Trains a classifier into a run folder.

    The validation data chooses the epoch whose weights are kept; the test data is looked at once,
    after that.

    Args:
        config: All settings.
        output: The run folder.
        reporter: Told what is going on.
        resume: Whether to go on from the folder's checkpoint, whose settings must be these.
        overwrite: Whether a run in the folder may be replaced.
        should_stop: Asked after each update; True saves a checkpoint and raises KeyboardInterrupt.

    Raises:
        TextRNNError: The data, the settings or the folder do not allow it.
    """
    folder = Path(output)
    _open_folder(folder, config, resume=resume, overwrite=overwrite)
    keras.utils.set_random_seed(config.training.seed)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()
    reporter.message("reading the data")
    corpus = load_corpus(config.data, seed=config.training.seed)
    _describe(corpus, reporter)
    tokenizer = _tokenizer(corpus, config, folder, resume=resume, reporter=reporter)
    train_data = _prepare(corpus.train, corpus, tokenizer, config, reporter)
    valid_data = _prepare(corpus.validation, corpus, tokenizer, config, reporter)
    _describe_batches(train_data.plan, reporter)
    keras.utils.set_random_seed(config.training.seed)
    model = _build(tokenizer, corpus, config, precision=config.training.precision)
    trainer = Trainer(
        model,
        config.training,
        multi_label=config.data.multi_label,
        labels=corpus.label_names,
        train=train_data,
        valid=valid_data,
        checkpoint=folder / LATEST,
        data_digest=_digest(train_data, valid_data),
        should_stop=should_stop,
    )

    def write_curves() -> None:
        write_history(folder / "history.csv", trainer.state.history)
        draw_curves(folder / "curves.png", trainer.state.history, title=corpus.name)

    if resume:
        trainer.resume()
        if trainer.state.history:  # A kill may have come between the checkpoint and the curves.
            write_curves()
        reporter.message(
            f"going on after {trainer.state.epoch} epochs, {trainer.state.batch} batches"
        )
    reporter.message(f"training {model.count_params():,} weights")
    reporter.message(_describe_kernels(model, config))
    writer = tf.summary.create_file_writer(str(folder / "tensorboard"))

    def on_epoch(row: dict[str, float]) -> None:
        write_curves()
        write_tensorboard(writer, row)
        reporter.message(
            f"epoch {row['epoch']}: loss {row['train_loss']:.4f}, validation loss "
            f"{row['valid_loss']:.4f}, validation accuracy {row['valid_accuracy']:.4f}, "
            f"{row['seconds']:.0f} s at {row['tokens_per_second']:,.0f} tokens/s"
        )

    state = trainer.fit(reporter, on_epoch=on_epoch)
    writer.close()
    if config.training.precision != "float32":  # As it will be when it is loaded.
        trained, model = model, _build(tokenizer, corpus, config, precision="float32")
        model.set_weights(trained.get_weights())
    classifier = TrainedClassifier(model, tokenizer, corpus.label_names, config)
    classifier.metrics = {
        "training": {
            "best_epoch": state.best_epoch,
            "epochs": state.epoch,
            "seconds": sum(row["seconds"] for row in state.history),
            "vocab_size": tokenizer.vocab_size,
        },
        "validation": measure(classifier, corpus.validation, name="validation", reporter=reporter),
    }
    if corpus.test is not None:
        classifier.metrics["test"] = measure(
            classifier, corpus.test, name="test", reporter=reporter
        )
    if should_stop():  # Asked while the test was measured: the last checkpoint is still there.
        raise KeyboardInterrupt
    card = model_card(
        config,
        name=corpus.name,
        labels=corpus.label_names,
        weights=model.count_params(),
        metrics=classifier.metrics,
        notices=corpus.notices,
    )
    write_atomically(folder / "README.md", card)
    bundle.save(classifier, folder)
    shutil.rmtree(folder / LATEST.parent, ignore_errors=True)
    return classifier


def measure(
    classifier: TrainedClassifier, split: Split, *, name: str, reporter: Reporter
) -> dict[str, Any]:
    """All figures of a classifier on labelled texts; see `textrnn.training.metrics.evaluate`."""
    with reporter.step(name, total=len(split)) as advance:
        probabilities = classifier.probabilities(split.texts, on_batch=advance)
    multi_label = classifier.config.data.multi_label
    targets = _targets(split.labels, classifier.labels)
    return evaluate(probabilities, targets, labels=classifier.labels, multi_label=multi_label)


def _build(
    tokenizer: Tokenizer, corpus: Corpus, config: RunConfig, *, precision: str
) -> TextClassifier:
    model = TextClassifier(
        tokenizer.vocab_size,
        len(corpus.label_names),
        config=config.model,
        dtype="float32" if precision == "float32" else f"mixed_{precision}",
        name="classifier",
    )
    model.build((None, None))
    return model


def _describe_kernels(model: TextClassifier, config: RunConfig) -> str:
    """How the recurrence will be computed, and why."""
    if model.stack is None:
        return "no recurrence: a bag of embeddings"
    name, reason = choose_kernel(model.stack.cells[0], config.model.kernel)
    with tf.Graph().as_default():  # Where a recurrence runs, rather than eagerly.
        parts = batch_parts(directions=1)
    return (
        f"kernel {name} ({reason}); each batch in {parts} parts side by side; "
        f"{config.training.precision}"
    )


def _open_folder(folder: Path, config: RunConfig, *, resume: bool, overwrite: bool) -> None:
    """Makes the folder ready to be written to, or says why it is not."""
    if bundle.is_complete(folder) and not overwrite:
        raise ConfigError(
            f"{folder} holds a finished run; choose another --output, or replace it by --overwrite."
        )
    started = (folder / LATEST).is_file()
    if resume:
        if not started:
            raise ModelError(f"{folder / LATEST}: nothing to resume from; train without --resume.")
        if bundle.load_config(folder / bundle.CONFIG) != config:
            raise ConfigError(
                f"a run resumes with its own settings; give those of {folder / bundle.CONFIG}, or "
                "train anew with --overwrite."
            )
    elif started and not overwrite:
        raise ConfigError(
            f"{folder} holds an unfinished run; go on with --resume, or replace it by --overwrite."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A run writes a README.md, for one, and clears folders away: not in just any folder.
        foreign = not (folder / bundle.CONFIG).is_file() and any(folder.glob("[!.]*"))
        if foreign and not overwrite:
            raise ConfigError(
                f"{folder} holds files that are no run's; choose another --output, or write "
                "among them by --overwrite."
            )
        if not resume:
            for stale in (LATEST.parent, "tensorboard"):
                shutil.rmtree(folder / stale, ignore_errors=True)
        bundle.begin(folder, config)
        (folder / LATEST.parent).mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be written to ({error.strerror}); choose another --output."
        ) from None


def _describe(corpus: Corpus, reporter: Reporter) -> None:
    test = "no" if corpus.test is None else f"{len(corpus.test):,}"
    reporter.message(
        f"{corpus.name}: {len(corpus.train):,} training, {len(corpus.validation):,} validation, "
        f"{test} test texts; labels: {', '.join(corpus.label_names)}"
    )
    for notice in corpus.notices:
        reporter.message(f"note: {notice}")


def _tokenizer(
    corpus: Corpus, config: RunConfig, folder: Path, *, resume: bool, reporter: Reporter
) -> Tokenizer:
    path = folder / bundle.TOKENIZER
    if resume and path.is_file():
        return Tokenizer.load(path)
    with reporter.wait("preparing the tokenizer"):
        tokenizer = Tokenizer.train(
            corpus.train.texts,
            config.tokenizer,
            seed=config.training.seed,
            progress=reporter.message,
        )
    tokenizer.save(path)
    return tokenizer


def _prepare(
    split: Split, corpus: Corpus, tokenizer: Tokenizer, config: RunConfig, reporter: Reporter
) -> LabelledBatches:
    """A split's texts as ids in batches, and its labels as targets."""
    with reporter.step("tokens", total=len(split)) as advance:
        ids = tokenizer.encode_batch(split.texts, on_progress=advance)
    plan = BatchPlan(
        ids,
        batch_tokens=config.training.batch_tokens,
        batch_texts=config.training.batch_texts,
        max_length=config.training.max_length,
    )
    targets = _targets(split.labels, corpus.label_names)
    weights = np.ones(len(split), np.float32)
    if config.training.class_weights:
        weights = class_weights(
            targets, labels=corpus.label_names, multi_label=config.data.multi_label
        )
    return LabelledBatches(plan, targets, weights)


def _targets(labels: Sequence[tuple[str, ...]], names: Sequence[str]) -> np.ndarray:
    """`[N, C]`, 1 where a text carries a label."""
    place = {name: i for i, name in enumerate(names)}
    targets = np.zeros([len(labels), len(names)], np.float32)
    for row, carried in enumerate(labels):
        for name in carried:
            if name not in place:
                raise DataError(f"expected the labels {', '.join(names)}, got {name!r}.")
            targets[row, place[name]] = 1.0
    return targets


def _describe_batches(plan: BatchPlan, reporter: Reporter) -> None:
    mean = plan.total_tokens / len(plan.texts)
    reporter.message(
        f"{plan.total_tokens:,} tokens, {mean:.0f} a text, at most {int(plan.lengths.max()):,}; "
        f"{len(plan.buckets)} lengths of batch, {plan.padding_share():.1%} padding"
    )
    if plan.cut_tokens:
        share = plan.cut_tokens / plan.total_tokens
        reporter.message(f"note: --max-length cuts off {share:.1%} of the training tokens.")


def _digest(*data: LabelledBatches) -> str:
    digest = hashlib.sha256()
    for part in data:
        digest.update(part.targets.tobytes())
        for ids in part.plan.texts:
            digest.update(len(ids).to_bytes(8, "little"))
            digest.update(np.asarray(ids, np.int32).tobytes())
    return digest.hexdigest()
