"""From a corpus to what training reads: token ids in batches, with targets and weights."""

from __future__ import annotations

import hashlib

import numpy as np
import tensorflow as tf

from textrnn.classifier import TextClassifier
from textrnn.config import RunConfig
from textrnn.data import Corpus, Split
from textrnn.data.batching import BatchPlan
from textrnn.data.corpus import targets
from textrnn.recurrence import batch_parts, choose_kernel
from textrnn.tokenizer import Tokenizer
from textrnn.training.labelled import LabelledBatches
from textrnn.training.optimization import class_weights
from textrnn.training.progress import Reporter

__all__ = ["describe", "describe_batches", "describe_kernels", "digest", "prepare", "targets"]


def prepare(
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
    carried = targets(split.labels, corpus.label_names)
    weights = np.ones(len(split), np.float32)
    if config.training.class_weights:
        weights = class_weights(
            carried, labels=corpus.label_names, multi_label=config.data.multi_label
        )
    return LabelledBatches(plan, carried, weights)


def describe(corpus: Corpus, reporter: Reporter) -> None:
    """Says what data there is."""
    test = "no" if corpus.test is None else f"{len(corpus.test):,}"
    reporter.message(
        f"{corpus.name}: {len(corpus.train):,} training, {len(corpus.validation):,} validation, "
        f"{test} test texts; labels: {', '.join(corpus.label_names)}"
    )
    for notice in corpus.notices:
        reporter.message(f"note: {notice}")


def describe_batches(plan: BatchPlan, reporter: Reporter) -> None:
    """Says how long the texts are, and what it costs to pad and to cut them."""
    mean = plan.total_tokens / len(plan.texts)
    reporter.message(
        f"{plan.total_tokens:,} tokens, {mean:.0f} a text, at most {int(plan.lengths.max()):,}; "
        f"{len(plan.buckets)} lengths of batch, {plan.padding_share():.1%} padding"
    )
    if plan.cut_tokens:
        share = plan.cut_tokens / plan.total_tokens
        reporter.message(f"note: --max-length cuts off {share:.1%} of the training tokens.")


def digest(*data: LabelledBatches) -> str:
    """Of all token ids and labels."""
    found = hashlib.sha256()
    for part in data:
        found.update(part.targets.tobytes())
        for ids in part.plan.texts:
            found.update(len(ids).to_bytes(8, "little"))
            found.update(np.asarray(ids, np.int32).tobytes())
    return found.hexdigest()


def describe_kernels(model: TextClassifier, config: RunConfig) -> str:
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
