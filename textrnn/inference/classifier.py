"""A trained classifier: predictions for texts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import tensorflow as tf

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.training import BATCH_TOKENS
from textrnn.data.batching import Batch, BatchPlan
from textrnn.errors import ConfigError, ModelError
from textrnn.inference.predictions import Predictions
from textrnn.inference.reader import Reader, model_digest
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.runtime.blocks import blocks
from textrnn.runtime.decision_rule import DecisionRule
from textrnn.runtime.early_answer import read_until_certain
from textrnn.runtime.model import BLOCK_TEXTS
from textrnn.runtime.prediction import Prediction
from textrnn.runtime.streaming import Stream, Streams
from textrnn.runtime.text.checks import as_text, as_texts
from textrnn.text.tokenizer import Tokenizer

__all__ = ["LONG_TOKENS", "Prediction", "PrefixCurve", "Scorer", "TrainedClassifier"]

LONG_TOKENS = 8192
"""The length above which a text is read in pieces, in constant memory, if the model allows it."""


@dataclass(frozen=True)
class PrefixCurve:
    """The probabilities of the labels after each token of a text.

    Attributes:
        pieces: The T tokens; U+2581 stands for a space.
        scores: `[T, C]`, the probability of each label after each token.
        labels: The label names.
    """

    pieces: tuple[str, ...]
    scores: np.ndarray
    labels: tuple[str, ...]


class Scorer:
    """Computes a classifier's probabilities, with one graph for all batches.

    Args:
        model: The classifier.
        label_space: The labels.
    """

    def __init__(self, model: TextClassifier, *, label_space: LabelSpace) -> None:
        self.label_space = label_space

        @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)], autograph=False)
        def scores(ids: tf.Tensor) -> tf.Tensor:
            return label_space.activation(tf.cast(model(ids, training=False), tf.float32))

        self._scores = scores
        self._classes = model.classes

    def __call__(
        self, plan: BatchPlan, *, on_batch: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """Returns the probabilities `[N, C]` of the plan's texts, in their order.

        Args:
            plan: The texts.
            on_batch: Receives the number of texts of each batch that is done.
        """
        result = np.zeros([len(plan.texts), self._classes], np.float32)
        for batch in plan.batches():
            real = batch.rows >= 0
            result[batch.rows[real]] = self.score(plan, batch)[real]
            if on_batch is not None:
                on_batch(int(real.sum()))
        return result

    def score(self, plan: BatchPlan, batch: Batch) -> np.ndarray:
        """Returns the probabilities `[B, C]` of one batch."""
        return np.asarray(self._scores(plan.ids(batch)))


@dataclass
class TrainedClassifier:
    """A trained model with its tokenizer and its labels.

    Example:
        classifier = textrnn.load("runs/bbc_news")
        (prediction,) = classifier.predict(["The match ended in a draw."])
        prediction.label, prediction.score

    Attributes:
        model: The Keras model, which maps ids to logits.
        tokenizer: Maps texts to ids.
        labels: The label names, in the order of the logits.
        config: The settings of the training.
        metrics: The figures that were measured after training.
        data: What the model learned from; see `textrnn.data.provenance` and
            `textrnn.analysis.drift.profile`.
        rule: What is answered, given the probabilities.
        read_tokens: How many tokens the classifier was given so far.
        cut_tokens: How many of these tokens `max_length` cut off.
        folder: The run folder that has the classifier; None if there is none.
    """

    model: TextClassifier
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    config: ClassifierRunConfig
    metrics: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    rule: DecisionRule = field(default_factory=DecisionRule)
    read_tokens: int = 0
    cut_tokens: int = 0
    folder: Path | None = None

    def __post_init__(self) -> None:
        self._cached_reader: Reader | None = None
        self._scorer = Scorer(self.model, label_space=self.label_space)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a TrainedClassifier is not pickled; write it by save(folder), and read it by "
            "textrnn.load(folder)."
        )

    @property
    def label_space(self) -> LabelSpace:
        """The labels, whether a text may carry any number of them, and the rule that decides."""
        return LabelSpace(self.labels, multi_label=self.config.task.multi_label, rule=self.rule)

    @property
    def label_separator(self) -> str:
        """The separator of several labels in the data of the run."""
        return self.config.task.label_separator

    @property
    def temperature(self) -> float:
        """The temperature that calibrates the probabilities: the logits are divided by it.

        It is part of the weights. It is 1 for a run of an earlier version, which is not calibrated.
        """
        calibration = self.metrics.get("calibration", {})
        return float(calibration["temperature"]) if "texts" in calibration else 1.0

    def abstaining(self, below: float | None) -> TrainedClassifier:
        """Returns the same classifier with another limit for answers.

        Example:
            careful = textrnn.load("runs/bbc_news").abstaining(0.8)
            (prediction,) = careful.predict(["hm"])
            prediction.labels, prediction.abstained

        Args:
            below: The probability below which an answer is withheld; None: the limit stays.

        Raises:
            ConfigError: The number is not in 0 .. 1.
        """
        if below is None:
            return self
        if not 0.0 <= below < 1.0:
            raise ConfigError(f"`abstain_below` must be at least 0 and less than 1, got {below}.")
        return replace(self, rule=replace(self.rule, abstain_below=below))

    def probabilities(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """Returns the probability `[N, C]` of each label for each text.

        Args:
            texts: The texts.
            on_batch: Receives the number of texts of each batch that is done.

        Raises:
            TypeError: `texts` is no list of strings.
        """
        ids = self.tokenizer.encode_batch(as_texts(texts, call="probabilities"))
        return self.score_ids(ids, on_batch=on_batch)

    def score_ids(
        self, texts: Sequence[np.ndarray], *, on_batch: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """Returns the probability `[N, C]` of each label for each text of token ids.

        A model that reads forwards only reads every text to its end, whatever its `max_length`, and
        a text of more than `LONG_TOKENS` in constant memory. Other models cut texts at
        `max_length`; `cut_tokens` counts the tokens that are cut off.

        Args:
            texts: The token ids `[T]` of each text.
            on_batch: Receives the number of texts of each batch that is done.
        """
        scores = np.zeros([len(texts), len(self.labels)], np.float32)
        forwards = not (self.config.model.bidirectional or self.config.model.pyramid)
        is_long = np.array([forwards and len(text) > LONG_TOKENS for text in texts], bool)
        self.read_tokens += sum(map(len, texts))
        short = [text for text, long in zip(texts, is_long, strict=True) if not long]
        if short:
            plan = BatchPlan(
                short,
                batch_tokens=min(self.config.batches.most_tokens, BATCH_TOKENS),
                max_length=0 if forwards else self.config.batches.max_length,
            )
            self.cut_tokens += plan.cut_tokens
            scores[~is_long] = self._scorer(plan, on_batch=on_batch)
        for place in map(int, np.flatnonzero(is_long)):
            reader = self._reader()
            scores[place], _ = reader.read(reader.start(1), [texts[place]])
            if on_batch is not None:
                on_batch(1)
        return scores

    def predict(self, texts: Iterable[str]) -> Predictions[Prediction]:
        """Returns the predictions for some texts, in their order: a list that displays as a table.

        Raises:
            TypeError: `texts` is no list of strings.
        """
        texts = as_texts(texts, call="predict")
        return Predictions(map(self._name, self.probabilities(texts)), texts)

    def save(self, run: str | Path) -> None:
        """Copies the run folder of this classifier.

        Args:
            run: The new run folder. It must not exist, or be empty.

        Raises:
            ConfigError: The folder contains files.
            ModelError: The classifier has no run folder.
        """
        target = Path(run)
        if self.folder is None:
            raise ModelError(
                "expected a classifier with a run folder, got one without; save one that "
                "`fit`, `train` or `load` returned."
            )
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ConfigError(f"{target} exists and is not empty; choose another folder.")
        shutil.copytree(
            self.folder, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".lock")
        )

    def predict_stream(self, texts: Iterable[str]) -> Iterator[tuple[str, Prediction]]:
        """Yields each text with its prediction, in order; the memory is constant."""
        for block in blocks(texts, BLOCK_TEXTS):
            yield from zip(block, self.predict(block), strict=True)

    def stream(self, state: bytes | None = None) -> Stream:
        """Returns a stream that reads a text piece by piece, with a prediction after each piece.

        Args:
            state: The `Stream.state` of a text to continue with; None: a new text.

        Raises:
            ConfigError: The model needs the whole text at once: it is bidirectional or a pyramid.
            ModelError: The bytes are no state, or the state of another model.
        """
        stream = Stream(self.streams())
        if state is not None:
            stream.restore(state)
        return stream

    def streams(self) -> Streams:
        """Returns streams that read any number of texts together, which may join and leave.

        Raises:
            ConfigError: The model needs the whole text at once.
        """
        return Streams(
            self._reader(),
            self.tokenizer,
            lambda scores, _: self._name(scores),
            digest=model_digest(self.model),
        )

    def prefix_curve(self, text: str) -> PrefixCurve:
        """Returns the probabilities after each token of a text.

        Raises:
            ConfigError: The model needs the whole text at once.
        """
        ids = self.tokenizer.encode(as_text(text, call="prefix_curve"))
        reader = self._reader()
        scores = np.zeros([0, len(self.labels)], np.float32)
        if ids:
            scores, _ = reader.read_each(reader.start(1), ids)
        pieces = tuple(self.tokenizer.id_to_piece(id) for id in ids)
        return PrefixCurve(pieces, scores, self.labels)

    def predict_early(
        self, text: str, *, confident: float, tokens: int = 32
    ) -> tuple[Prediction, int, int]:
        """Reads a text only until its label is certain.

        Args:
            text: The text.
            confident: The probability at which the label of the running prediction counts as
                certain, below 1.
            tokens: For how many consecutive tokens the same label must be certain.

        Returns:
            The prediction where reading ended, the number of tokens read, and that of all tokens.

        Raises:
            ConfigError: The model needs the whole text at once, or a value is out of bounds.
        """
        ids = self.tokenizer.encode(as_text(text, call="predict_early"))
        scores, read = read_until_certain(
            self._reader(), ids, self.label_space, confident=confident, tokens=tokens
        )
        return self._name(scores), read, len(ids)

    def _reader(self) -> Reader:
        if self._cached_reader is None:
            self._cached_reader = Reader(self.model, label_space=self.label_space)
        return self._cached_reader

    def _name(self, scores: np.ndarray) -> Prediction:
        return Prediction.of(scores, self.label_space)
