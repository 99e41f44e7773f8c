"""Messages that describe the data, the batches and the kernel of a training."""

from __future__ import annotations

import tensorflow as tf

from textrnn.analysis.data_check.brief import brief_check
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Corpus
from textrnn.data.batching import BatchPlan
from textrnn.layers.recurrence import batch_parts, choose_kernel, compiled
from textrnn.messages.wording import counted, listed
from textrnn.models.classifier import TextClassifier
from textrnn.progress import Reporter

__all__ = ["describe_batches", "describe_corpus", "kernel_message"]


def describe_corpus(corpus: Corpus, reporter: Reporter) -> None:
    """Reports the number of texts in each split, the labels, the notices and a short check."""
    test = "no" if corpus.test is None else f"{len(corpus.test):,}"
    reporter.message(
        f"{corpus.name}: {len(corpus.train):,} training, {len(corpus.validation):,} validation, "
        f"{test} test texts; labels: {listed(corpus.label_names)}"
    )
    for notice in (*corpus.notices, *brief_check(corpus)):
        reporter.message(f"note: {notice}")


def describe_batches(plan: BatchPlan, reporter: Reporter) -> None:
    """Reports the lengths of the texts, the share of padding and the share that is cut off."""
    mean = plan.total_tokens / len(plan.texts)
    reporter.message(
        f"{counted(plan.total_tokens, 'token')}, {mean:.0f} a text, at most "
        f"{int(plan.lengths.max()):,}; {counted(len(plan.buckets), 'length')} of batch, "
        f"{plan.padding_share():.1%} padding"
    )
    if plan.cut_tokens:
        share = plan.cut_tokens / plan.total_tokens
        reporter.message(f"note: `max_length` cuts off {share:.1%} of the training tokens.")


def kernel_message(model: TextClassifier, config: ClassifierRunConfig) -> str:
    """Returns which kernel computes the recurrence, and the reason for the choice."""
    if model.stack is None:
        return "no recurrence: a bag of embeddings"
    dropout = config.model.recurrent_dropout > 0
    # The number of parts differs between graphs and eager mode.
    with compiled(config.runtime.jit == "on"), tf.Graph().as_default():
        name, reason = choose_kernel(model.stack.cells[0], config.model.kernel, dropout=dropout)
        parts = batch_parts(directions=1)
    return (
        f"kernel {name} ({reason}); each batch in {counted(parts, 'part')}"
        f"{' side by side' if parts > 1 else ''}; {config.runtime.precision}"
    )
