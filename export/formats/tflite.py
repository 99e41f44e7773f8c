"""The TFLite files, of built-in operations alone: what is in each, ready to be converted.

    model.tflite            ids [1,T] -> scores [1,C]
    model_mediapipe.tflite  ids, mask, segment_ids [1,T+2] -> scores [1,C], as MediaPipe feeds them
    model_stream.tflite     classify: ids [1,T] -> scores [1,C]
                            init: -> state_0 ..
                            step: ids [1,K], state_0 .. -> scores [1,C], state_0 ..

Ids are padded with 0 at the right. A longer text is cut to its first T tokens, but for `step`,
which reads K tokens at a time for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from textrnn.export.graphs.forward import activate, count_tokens, forward, known_ids, plain_copy
from textrnn.export.graphs.streaming_state import named, nested
from textrnn.models.classifier import TextClassifier

__all__ = ["STREAM_TOKENS", "stage_mediapipe", "stage_model", "stage_stream"]

STREAM_TOKENS = 8
"""K, the tokens of one `step`."""


def stage_model(
    model: TextClassifier, folder: str | Path, *, length: int, form: str, multi_label: bool
) -> None:
    """Writes what becomes `model.tflite`.

    Args:
        model: The classifier, in float32.
        folder: Where the converter finds it.
        length: T.
        form: Of the recurrences; see `textrnn.export.graphs.recurrence_forms`.
        multi_label: Whether each label has a probability of its own.
    """
    ids = tf.TensorSpec([1, length], tf.int32, name="ids")

    def classify(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = forward(model, ids, count_tokens(ids), form=form)
        return {"scores": activate(logits, multi_label=multi_label)}

    _stage(model, folder, {"serving_default": _traced(classify, ids)})


def stage_mediapipe(
    model: TextClassifier, folder: str | Path, *, length: int, form: str, multi_label: bool
) -> None:
    """Writes what becomes `model_mediapipe.tflite`; arguments as for `stage_model`.

    The runtime puts one id before a text's tokens and one behind them, [CLS] and [SEP] of BERT,
    which the vocabulary does not have; `mask` counts them.
    """
    inputs = [
        tf.TensorSpec([1, length + 2], tf.int32, name=name)
        for name in ("ids", "mask", "segment_ids")
    ]

    def classify(ids: tf.Tensor, mask: tf.Tensor, segment_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        count = tf.maximum(tf.reduce_sum(mask, axis=1) - 2, 0)
        # An input that is not used would vanish from the file; it is zero throughout.
        tokens = ids[:, 1 : length + 1] + 0 * segment_ids[:, 1 : length + 1]
        logits = forward(model, tokens, count, form=form)
        return {"scores": activate(logits, multi_label=multi_label)}

    _stage(model, folder, {"serving_default": _traced(classify, *inputs)})


def stage_stream(
    model: TextClassifier, folder: str | Path, *, length: int, form: str, multi_label: bool
) -> None:
    """Writes what becomes `model_stream.tflite`; arguments as for `stage_model`.

    Raises:
        ConfigError: The model needs the whole text at once.
    """
    plain = plain_copy(model)

    def classify(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = forward(model, ids, count_tokens(ids), form=form)
        return {"scores": activate(logits, multi_label=multi_label)}

    def init() -> dict[str, tf.Tensor]:
        return named(plain.start(1))

    def step(ids: tf.Tensor, **states: tf.Tensor) -> dict[str, tf.Tensor]:
        memory = nested(states, plain.start(1))
        logits, memory = plain.advance_aligned(memory, known_ids(ids, model.vocab_size))
        return {"scores": activate(logits, multi_label=multi_label), **named(memory)}

    start = _traced(init)
    states = {
        name: tf.TensorSpec(state.shape, state.dtype, name=name)
        for name, state in start.structured_outputs.items()
    }
    functions = {
        "classify": _traced(classify, tf.TensorSpec([1, length], tf.int32, name="ids")),
        "init": start,
        "step": _traced(step, tf.TensorSpec([1, STREAM_TOKENS], tf.int32, name="ids"), **states),
    }
    _stage(model, folder, functions, plain)


def _traced(function: Callable[..., Any], *inputs: Any, **named_inputs: Any) -> Any:
    return tf.function(function, autograph=False).get_concrete_function(*inputs, **named_inputs)


def _stage(
    model: TextClassifier, folder: str | Path, functions: dict[str, Any], *models: TextClassifier
) -> None:
    module = tf.Module()
    # Tracked one by one: the weights of an untracked variable would be missing from the file.
    module.variables_of_models = [v.value for each in (model, *models) for v in each.variables]
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(folder), signatures=functions, options=options)
