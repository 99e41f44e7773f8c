"""The signatures of the SavedModel; `tests/export/formats/test_saved_model.py` serves them."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tiny import finished_run

pytest.importorskip("tensorflow_text")
from textrnn.export.graphs.serving_module import ServingModule


def test_a_bidirectional_model_classifies_and_does_not_stream(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    classifier = finished_run(tmp_path_factory).classifier
    signatures = ServingModule(classifier).signatures()
    assert set(signatures) == {"serving_default", "ids", "tokenize"}
    texts = ["a x b", "y"]
    outputs = signatures["serving_default"](text=tf.constant(texts))
    np.testing.assert_allclose(outputs["scores"], classifier.probabilities(texts), atol=1e-5)
    assert outputs["labels"].shape == (2, 2)
