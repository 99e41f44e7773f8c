"""The SavedModel that the converter reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from cases import assert_close
from tiny import random_classifier

from textrnn.export.graphs.tflite_source import save_source, traced


def test_the_weights_of_all_models_are_saved(tmp_path: Path) -> None:
    models = [random_classifier("none", "mean"), random_classifier("gru", "mean")]
    ids = np.array([[2, 3, 4]], np.int32)

    def logits(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {str(place): model(ids) for place, model in enumerate(models)}

    signature = traced(logits, tf.TensorSpec([1, 3], tf.int32, name="ids"))
    save_source(tmp_path, {"logits": signature}, models=models)
    loaded = tf.saved_model.load(str(tmp_path)).signatures["logits"](ids=tf.constant(ids))
    for place, model in enumerate(models):
        assert_close(loaded[str(place)], model(ids), atol=1e-6)
