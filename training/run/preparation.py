"""From a corpus to what training reads: token ids in batches, with targets and weights."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Corpus, Split, load_unlabelled
from textrnn.data.batching import BatchPlan
from textrnn.errors import ConfigError, DataError
from textrnn.inference import run_folder
from textrnn.layers.recurrence import batch_parts, choose_kernel
from textrnn.messages.wording import counted, listed
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.progress import Reporter
from textrnn.text.tokenizer import Tokenizer
from textrnn.text.word_vectors import pretrained_embeddings
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.batches.unlabelled_batches import UnlabelledBatches
from textrnn.training.run.transfer import transfer
from textrnn.training.update.language_model_loss import LanguageModelLoss
from textrnn.training.update.losses import class_weights

__all__ = [
    "build_model",
    "describe",
    "describe_batches",
    "describe_kernels",
    "digest",
    "language_model_loss",
    "prepare",
    "start_from_language_model",
    "start_from_vectors",
    "tokenizer_texts",
    "with_unlabelled",
]

_BLOCK = 4096
"""Unlabelled texts that are encoded at a time."""


def tokenizer_texts(corpus: Corpus, config: ClassifierRunConfig) -> Sequence[str]:
    """What the tokenizer learns from: the training texts, then unlabelled ones up to its limit."""
    texts = list(corpus.train.texts)
    chars = sum(map(len, texts))
    for text in load_unlabelled(config):
        if chars >= config.tokenizer.sample_chars:
            break
        texts.append(text)
        chars += len(text)
    return texts


def prepare(
    split: Split,
    corpus: Corpus,
    tokenizer: Tokenizer,
    config: ClassifierRunConfig,
    reporter: Reporter,
) -> LabelledBatches:
    """A split's texts as ids in batches, and its labels as targets."""
    with reporter.step("tokens", total=len(split)) as advance:
        ids = tokenizer.encode_batch(split.texts, on_progress=advance)
    plan = BatchPlan(
        ids,
        batch_tokens=config.batches.batch_tokens,
        batch_texts=config.batches.batch_texts,
        max_length=config.batches.max_length,
    )
    space = LabelSpace(corpus.label_names, multi_label=config.task.multi_label)
    carried = space.targets(split.labels)
    weights = np.ones(len(split), np.float32)
    if config.regularization.class_weights:
        weights = class_weights(carried, label_space=space)
    return LabelledBatches(plan, carried, weights)


def with_unlabelled(
    data: LabelledBatches, tokenizer: Tokenizer, config: ClassifierRunConfig, reporter: Reporter
) -> LabelledBatches:
    """The data with the texts without labels that the settings name, if they name any.

    Raises:
        DataError: They cannot be read, or there is none.
    """
    if not (config.data.unlabelled or config.data.unlabelled_file):
        return data
    texts, ids = load_unlabelled(config), list[np.ndarray]()
    with reporter.wait("reading the unlabelled texts"):
        while block := list(itertools.islice(texts, _BLOCK)):
            ids += [text for text in tokenizer.encode_batch(block) if len(text)]
    if not ids:
        where = config.data.unlabelled_file or config.data.dataset
        raise DataError(f"{where}: expected texts without labels, got none; check the file.")
    plan = BatchPlan(
        ids,
        batch_tokens=config.batches.batch_tokens,
        batch_texts=config.batches.batch_texts,
        max_length=config.batches.max_length,
    )
    reporter.message(
        f"{counted(len(ids), 'text')} without labels, {counted(plan.total_tokens, 'token')}"
    )
    more = UnlabelledBatches(plan, config.runtime.seed)
    return dataclasses.replace(data, unlabelled=more)


def start_from_vectors(
    model: TextClassifier,
    data: LabelledBatches,
    tokenizer: Tokenizer,
    config: ClassifierRunConfig,
    reporter: Reporter,
) -> None:
    """Gives the embedding the word vectors that the settings name, if they do.

    Raises:
        DataError: They cannot be read, or have no word of the training texts.
        ConfigError: The tokenizer's pieces are not those of words.
    """
    source = config.start.vectors
    if source is None:
        return
    embeddings = model.embedding.embeddings
    with reporter.wait(f"reading {source}"):
        more = [] if data.unlabelled is None else data.unlabelled.plan.texts
        texts = itertools.chain(data.plan.texts, more)
        start = pretrained_embeddings(source, tokenizer, texts=texts, table=embeddings.numpy())
    embeddings.assign(start.values)
    units = config.model.embedding_units
    how = ""
    if start.vector_size != units:
        how = f", brought to {units}" if start.vector_size > units else ""
        how = how or f", beside {units - start.vector_size}"
        how += " of --embedding-units"
    reporter.message(
        f"vectors of {start.vector_size} numbers{how} for {start.coverage:.1%} of the words of the "
        f"training texts; {start.initialized:,} of {tokenizer.vocab_size:,} pieces start from them"
    )


def language_model_loss(
    model: TextClassifier, data: LabelledBatches, config: ClassifierRunConfig
) -> LanguageModelLoss | None:
    """Returns the language model's loss with initial weights; None if the settings lack it."""
    weight, seed = config.regularization.language_weight, config.runtime.seed
    if not weight:
        return None
    return LanguageModelLoss(model, weight=weight, texts=data.plan.texts, seed=seed)


def start_from_language_model(
    model: TextClassifier,
    config: ClassifierRunConfig,
    reporter: Reporter,
    *,
    language_model_loss: LanguageModelLoss | None = None,
) -> None:
    """Gives the model the weights of the language model that the settings name, if they do.

    Args:
        model: Built.
        config: The settings.
        reporter: Told of it.
        language_model_loss: Receives the weights of the language model's output layer.

    Raises:
        ConfigError: Its shape is another one.
        ModelError: There is none.
    """
    if config.start.init_from is None:
        return
    trained = run_folder.load_language_model(config.start.init_from)
    if config.tokenizer != trained.config.tokenizer:
        raise ConfigError(
            "the tokenizer's settings must be those of the language model; "
            "textrnn.training.run.transfer.adopt_shape takes them over."
        )
    transfer(trained, model)
    if language_model_loss is not None:
        language_model_loss.take_over(trained.model)
    shape = trained.config.model
    reporter.message(
        f"beginning with the language model {config.start.init_from}: {shape.layers} x "
        f"{shape.cell} of {counted(shape.units, 'unit')}"
    )


def describe(corpus: Corpus, reporter: Reporter) -> None:
    """Says what data there is."""
    test = "no" if corpus.test is None else f"{len(corpus.test):,}"
    reporter.message(
        f"{corpus.name}: {len(corpus.train):,} training, {len(corpus.validation):,} validation, "
        f"{test} test texts; labels: {listed(corpus.label_names)}"
    )
    for notice in corpus.notices:
        reporter.message(f"note: {notice}")


def describe_batches(plan: BatchPlan, reporter: Reporter) -> None:
    """Says how long the texts are, and what it costs to pad and to cut them."""
    mean = plan.total_tokens / len(plan.texts)
    reporter.message(
        f"{counted(plan.total_tokens, 'token')}, {mean:.0f} a text, at most "
        f"{int(plan.lengths.max()):,}; {counted(len(plan.buckets), 'length')} of batch, "
        f"{plan.padding_share():.1%} padding"
    )
    if plan.cut_tokens:
        share = plan.cut_tokens / plan.total_tokens
        reporter.message(f"note: --max-length cuts off {share:.1%} of the training tokens.")


def digest(*data: LabelledBatches) -> str:
    """Of all token ids and labels."""
    found = hashlib.sha256()
    for part in data:
        found.update(part.targets.tobytes())
        more = [] if part.unlabelled is None else part.unlabelled.plan.texts
        for ids in itertools.chain(part.plan.texts, more):
            found.update(len(ids).to_bytes(8, "little"))
            found.update(np.asarray(ids, np.int32).tobytes())
    return found.hexdigest()


def describe_kernels(model: TextClassifier, config: ClassifierRunConfig) -> str:
    """How the recurrence will be computed, and why."""
    if model.stack is None:
        return "no recurrence: a bag of embeddings"
    name, reason = choose_kernel(model.stack.cells[0], config.model.kernel)
    with tf.Graph().as_default():  # Where a recurrence runs, rather than eagerly.
        parts = batch_parts(directions=1)
    return (
        f"kernel {name} ({reason}); each batch in {counted(parts, 'part')}"
        f"{' side by side' if parts > 1 else ''}; {config.runtime.precision}"
    )


def build_model(
    tokenizer: Tokenizer, corpus: Corpus, config: ClassifierRunConfig, *, precision: str
) -> TextClassifier:
    """The classifier of a run, with fresh weights."""
    model = TextClassifier(
        tokenizer.vocab_size,
        len(corpus.label_names),
        config=config.model,
        dtype="float32" if precision == "float32" else f"mixed_{precision}",
        name="classifier",
    )
    model.build((None, None))
    return model
