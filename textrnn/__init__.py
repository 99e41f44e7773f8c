"""textrnn: recurrent text classifiers that are small, fast and explainable.

The public names are loaded when they are first used, so `import textrnn` does not import
TensorFlow. `keras.saving.load_model` reads models with these layers as soon as both packages are
imported, in either order; see `textrnn.registration`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from textrnn.registration import register_with_keras

if TYPE_CHECKING:
    from textrnn.analysis.attribution.explain import explain
    from textrnn.analysis.compare import compare
    from textrnn.analysis.report.report import report
    from textrnn.config.classifier import ClassifierRunConfig
    from textrnn.config.language_model import LanguageModelRunConfig
    from textrnn.errors import ConfigError, DataError, ModelError, TextRNNError
    from textrnn.evaluation.evaluate import evaluate
    from textrnn.inference.classifier import TrainedClassifier
    from textrnn.inference.ensemble import Ensemble
    from textrnn.inference.language_model import TrainedLanguageModel
    from textrnn.inference.predictions import Predictions
    from textrnn.inference.run_folder import load, load_language_model
    from textrnn.layers.bidirectional import Bidirectional
    from textrnn.layers.cells import (
        GRUCell,
        LinearRNNCell,
        LSTMCell,
        MinGRUCell,
        MinLSTMCell,
        NonlinearRNNCell,
        RNNCell,
        SimpleRNNCell,
    )
    from textrnn.layers.ngrams import NGramLogits
    from textrnn.layers.pooling import AttentionPooling, LastState, MaxPooling, MeanPooling
    from textrnn.layers.rnn import RNN
    from textrnn.layers.stack import RNNStack
    from textrnn.models.classifier import TextClassifier
    from textrnn.models.language_model import LanguageModel
    from textrnn.runtime.decision_rule import DecisionRule
    from textrnn.runtime.likelihood import Likelihood
    from textrnn.runtime.prediction import Prediction
    from textrnn.runtime.streaming import Stream
    from textrnn.text.tokenizer import Tokenizer
    from textrnn.training.run.classifier import train
    from textrnn.training.run.decide import decide
    from textrnn.training.run.fit import fit
    from textrnn.training.run.language_model import pretrain

__all__ = [
    "RNN",
    "AttentionPooling",
    "Bidirectional",
    "ClassifierRunConfig",
    "ConfigError",
    "DataError",
    "DecisionRule",
    "Ensemble",
    "GRUCell",
    "LSTMCell",
    "LanguageModel",
    "LanguageModelRunConfig",
    "LastState",
    "Likelihood",
    "LinearRNNCell",
    "MaxPooling",
    "MeanPooling",
    "MinGRUCell",
    "MinLSTMCell",
    "ModelError",
    "NGramLogits",
    "NonlinearRNNCell",
    "Prediction",
    "Predictions",
    "RNNCell",
    "RNNStack",
    "SimpleRNNCell",
    "Stream",
    "TextClassifier",
    "TextRNNError",
    "Tokenizer",
    "TrainedClassifier",
    "TrainedLanguageModel",
    "compare",
    "decide",
    "evaluate",
    "explain",
    "export",
    "fit",
    "load",
    "load_language_model",
    "pretrain",
    "report",
    "train",
]

_HOMES = {
    "RNN": "layers.rnn",
    "AttentionPooling": "layers.pooling",
    "Bidirectional": "layers.bidirectional",
    "ClassifierRunConfig": "config.classifier",
    "ConfigError": "errors",
    "DataError": "errors",
    "DecisionRule": "runtime.decision_rule",
    "Ensemble": "inference.ensemble",
    "GRUCell": "layers.cells",
    "LSTMCell": "layers.cells",
    "LanguageModel": "models.language_model",
    "LanguageModelRunConfig": "config.language_model",
    "LastState": "layers.pooling",
    "Likelihood": "runtime.likelihood",
    "LinearRNNCell": "layers.cells",
    "MaxPooling": "layers.pooling",
    "MeanPooling": "layers.pooling",
    "MinGRUCell": "layers.cells",
    "MinLSTMCell": "layers.cells",
    "ModelError": "errors",
    "NGramLogits": "layers.ngrams",
    "NonlinearRNNCell": "layers.cells",
    "Prediction": "runtime.prediction",
    "Predictions": "inference.predictions",
    "RNNCell": "layers.cells",
    "RNNStack": "layers.stack",
    "SimpleRNNCell": "layers.cells",
    "Stream": "runtime.streaming",
    "TextClassifier": "models.classifier",
    "TextRNNError": "errors",
    "Tokenizer": "text.tokenizer",
    "TrainedClassifier": "inference.classifier",
    "TrainedLanguageModel": "inference.language_model",
    "compare": "analysis.compare",
    "decide": "training.run.decide",
    "evaluate": "evaluation.evaluate",
    "explain": "analysis.attribution.explain",
    "fit": "training.run.fit",
    "load": "inference.run_folder",
    "load_language_model": "inference.run_folder",
    "pretrain": "training.run.language_model",
    "report": "analysis.report.report",
    "train": "training.run.classifier",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # It imports much.

        return version("textrnn")
    if name in ("export", "runtime", "sklearn"):  # Packages, and a module.
        return importlib.import_module(f"textrnn.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'textrnn' has no attribute {name!r}")
    return getattr(importlib.import_module(f"textrnn.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


register_with_keras()
