"""Classifiers and language models with random weights, in TensorFlow and in the light runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tiny import LABELS, MODEL, TRAINING
from tiny_tokenizers import TEXTS, tokenizer_of

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.config.language_model import LanguageModelRunConfig
from textrnn.inference import run_folder
from textrnn.inference.classifier import TrainedClassifier
from textrnn.inference.language_model import TrainedLanguageModel
from textrnn.layers.ngrams import NO_KEY
from textrnn.models.classifier import TextClassifier
from textrnn.models.language_model import LanguageModel
from textrnn.runtime import RuntimeLanguageModel, RuntimeModel, load, load_language_model
from textrnn.runtime.decision_rule import DecisionRule

HARD_TEXTS = [
    "",
    " \t\r\n ",
    "a",
    "<br />",
    "Größe, ça, ŁÓDŹ, ИСКРА, Ελλάδα, 東京, 한국어, עברית",
    "\U0001f600\U0001f469\u200d\U0001f680 \u2764\ufe0f!!!",
    "我们很喜欢这本书。",
    "\x00 a \x07 b \x7f \ud800",
    *TEXTS,
]
"""Texts of many kinds."""


class Pair(NamedTuple):
    """A classifier in TensorFlow, and the same one in the light runtime."""

    classifier: TrainedClassifier
    model: RuntimeModel


class LanguagePair(NamedTuple):
    """A language model in TensorFlow, and the same one in the light runtime."""

    trained: TrainedLanguageModel
    model: RuntimeLanguageModel


def random_language_pair(
    folder: Path, *, piece_type: str = "unigram", unusual: float | None = 9.0, **settings: Any
) -> LanguagePair:
    """Saves a language model with random weights, and loads it in both ways.

    Args:
        folder: The run folder.
        piece_type: The type of the tokenizer.
        unusual: The bits per token above which a text is unusual.
        **settings: The settings of the run.
    """
    tokenizer = tokenizer_of(piece_type)
    values = {"units": 3, "layers": 1, "embedding_units": 4, "window": 1, **settings}
    config = LanguageModelRunConfig.of(
        piece_type=piece_type, vocab_size=tokenizer.vocab_size, **values
    )
    rng = np.random.default_rng(1)
    model = LanguageModel(tokenizer.vocab_size, config=config.model)
    model.build((None, None))
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.7, size=weight.shape))
    metrics = {} if unusual is None else {"held_out": {"unusual_bits_per_token": unusual}}
    run_folder.save_language_model(TrainedLanguageModel(model, tokenizer, config, metrics), folder)
    return LanguagePair(run_folder.load_language_model(folder), load_language_model(folder))


def random_pair(
    folder: Path,
    *,
    rule: DecisionRule | None = None,
    piece_type: str = "unigram",
    ngrams: bool = True,
    **settings: Any,
) -> Pair:
    """Saves a classifier with random weights, and loads it in both ways."""
    tokenizer = tokenizer_of(piece_type)
    values = {**MODEL, **TRAINING, "vocab_size": tokenizer.vocab_size, **settings}
    config = ClassifierRunConfig.of(piece_type=piece_type, **values)
    rng = np.random.default_rng(1)
    keys = _keys(rng, tokenizer.vocab_size) if ngrams else None
    model = TextClassifier(
        tokenizer.vocab_size,
        len(LABELS),
        config=config.model,
        ngram_counts=None if keys is None else [len(keys)],
    )
    model.build((None, None))
    for weight in model.weights:
        if not weight.path.startswith("ngrams"):
            weight.assign(rng.normal(scale=0.5, size=weight.shape))
    if keys is not None and model.ngrams is not None:
        weights = [
            rng.integers(-127, 128, [rows, len(LABELS)])
            for rows in (tokenizer.vocab_size, len(keys))
        ]
        for of_order in weights:
            of_order[0] = 0
        bias = rng.normal(size=len(LABELS))
        model.ngrams.set_weights([*weights, keys, np.array([0.01, 0.02]), bias])
    metrics = {} if keys is None else {"ngrams": {"counts": [len(keys)]}}
    classifier = TrainedClassifier(
        model, tokenizer, LABELS, config, metrics=metrics, rule=rule or DecisionRule()
    )
    run_folder.save(classifier, folder)
    return Pair(run_folder.load(folder), load(folder))


def _keys(rng: np.random.Generator, tokens: int) -> np.ndarray:
    """Keys of a third of all pairs of tokens."""
    pairs = np.arange(tokens + 1, tokens * tokens)
    pairs = pairs[(pairs % tokens > 0) & (rng.random(len(pairs)) < 0.3)]
    return np.array([NO_KEY, *pairs], np.int32)
