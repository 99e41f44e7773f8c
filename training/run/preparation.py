"""Encodes a corpus into batches of token ids, with targets and weights."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.data import Corpus, Split, load_unlabelled
from textrnn.data.batching import BatchPlan
from textrnn.data.column_store import LabelColumn
from textrnn.errors import DataError
from textrnn.messages.wording import counted
from textrnn.models.label_space import LabelSpace
from textrnn.progress import Reporter
from textrnn.runtime.blocks import blocks
from textrnn.text.tokenizer import Tokenizer
from textrnn.text.vocabulary_size import most_pieces
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.batches.token_rows import TokenRows
from textrnn.training.batches.unlabelled_batches import UnlabelledBatches
from textrnn.training.update.losses import class_weights

__all__ = [
    "RunContext",
    "add_unlabelled",
    "digest",
    "encode_split",
    "encode_unlabelled",
    "train_tokenizer",
    "unlabelled_texts",
]

_BLOCK = 4096
"""Number of unlabelled texts that are encoded at a time."""


@dataclass(frozen=True)
class RunContext:
    """The values that every step of the preparation reads.

    Attributes:
        config: All settings.
        corpus: The labelled texts.
        tokenizer: The tokenizer of the run.
        reporter: Receives messages and progress.
    """

    config: ClassifierRunConfig
    corpus: Corpus
    tokenizer: Tokenizer
    reporter: Reporter

    @property
    def label_space(self) -> LabelSpace:
        """The labels, and whether a text has one of them or several."""
        return LabelSpace(self.corpus.label_names, multi_label=self.config.task.multi_label)

    def plan(self, ids: Sequence[np.ndarray]) -> BatchPlan:
        """Returns the batches of encoded texts."""
        return BatchPlan.of(ids, self.config.batches)


def _tokenizer_texts(corpus: Corpus, config: ClassifierRunConfig) -> Sequence[str]:
    """Returns the training texts, then unlabelled texts up to the limit of the tokenizer."""
    chars = corpus.train.characters
    if chars >= config.tokenizer.sample_chars:
        return corpus.train.texts
    texts = list(corpus.train.texts)
    for text in load_unlabelled(config):
        if chars >= config.tokenizer.sample_chars:
            break
        texts.append(text)
        chars += len(text)
    return texts


def train_tokenizer(
    corpus: Corpus, config: ClassifierRunConfig, *, reporter: Reporter
) -> Tokenizer:
    """Returns a tokenizer of the training texts, or reads it from the cache."""
    labels = LabelColumn.of(corpus.train.labels)
    count = np.bincount(labels.codes) @ [len(names) for names in labels.distinct]
    with reporter.wait("preparing the tokenizer"):
        return Tokenizer.train(
            _tokenizer_texts(corpus, config),
            config.tokenizer,
            most_pieces=most_pieces(int(count), classes=len(corpus.label_names)),
            seed=config.runtime.seed,
            progress=reporter.message,
        )


def encode_split(split: Split, *, context: RunContext) -> LabelledBatches:
    """Returns the texts of a split as batches of ids, and its labels as targets."""
    with context.reporter.step("tokens", total=len(split)) as advance:
        ids = TokenRows.encode(split.texts, tokenizer=context.tokenizer, on_progress=advance)
    label_space = context.label_space
    labels = LabelColumn.of(split.labels)
    targets = label_space.compact_targets(labels.distinct, codes=labels.codes)
    weights = np.ones(len(split), np.float32)
    if context.config.regularization.class_weights:
        weights = class_weights(targets, label_space=label_space)
    return LabelledBatches(context.plan(ids), targets, weights)


def add_unlabelled(data: LabelledBatches, *, context: RunContext) -> LabelledBatches:
    """Returns the data with the unlabelled texts of the settings, or unchanged without them.

    Raises:
        DataError: The texts cannot be read, or all of them are empty.
    """
    config = context.config
    if not (config.data.unlabelled or config.data.unlabelled_file):
        return data
    plan = context.plan(encode_unlabelled(context))
    return dataclasses.replace(data, unlabelled=UnlabelledBatches(plan, config.runtime.seed))


def encode_unlabelled(context: RunContext) -> list[np.ndarray]:
    """Returns the token ids of each unlabelled text of the settings; empty without them.

    Raises:
        DataError: The texts cannot be read, or all of them are empty.
    """
    config, reporter = context.config, context.reporter
    if not (config.data.unlabelled or config.data.unlabelled_file):
        return []
    with reporter.wait("reading the unlabelled texts"):
        ids = [text_ids for _, text_ids in unlabelled_texts(context)]
    if not ids:
        where = config.data.unlabelled_file or config.data.dataset
        raise DataError(f"{where}: expected texts without labels, got none; check the file.")
    tokens = sum(map(len, ids))
    reporter.message(f"{counted(len(ids), 'text')} without labels, {counted(tokens, 'token')}")
    return ids


def unlabelled_texts(context: RunContext) -> Iterator[tuple[str, np.ndarray]]:
    """Reads the unlabelled texts of the settings that have a token, each with its token ids."""
    for block in blocks(load_unlabelled(context.config), _BLOCK):
        encoded = context.tokenizer.encode_batch(block)
        yield from (pair for pair in zip(block, encoded, strict=True) if len(pair[1]))


def digest(*data: LabelledBatches) -> str:
    """Returns a digest of all token ids and targets."""
    digest_of_all = hashlib.sha256()
    for batches in data:
        digest_of_all.update(batches.targets.tobytes())
        unlabelled = [] if batches.unlabelled is None else [batches.unlabelled.plan]
        for plan in (batches.plan, *unlabelled):
            for part in TokenRows.of(plan.texts).content():
                digest_of_all.update(part)
    return digest_of_all.hexdigest()
