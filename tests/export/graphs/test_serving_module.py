"""The signatures of the SavedModel; `tests/export/formats/test_saved_model.py` serves them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from tiny import finished_run

from textrnn.runtime.decision_rule import DecisionRule

pytest.importorskip("tensorflow_text")
from textrnn.export.graphs.serving_module import ServingModule


@pytest.mark.thorough
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
    assert outputs["decided"].numpy().tolist() == [[False, True], [True, False]]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    "rule",
    [
        DecisionRule(weights=(1e9, 1.0)),
        DecisionRule(costs=((0.0, 0.0), (9.0, 9.0))),
        DecisionRule(abstain_below=0.999999),
    ],
)
def test_the_graph_answers_what_the_run_answers(
    tmp_path_factory: pytest.TempPathFactory, rule: DecisionRule
) -> None:
    classifier = dataclasses.replace(finished_run(tmp_path_factory).classifier, rule=rule)
    texts = ["a x b", "y", ""]
    answer = ServingModule(classifier).answer(tf.constant(texts))
    predictions = classifier.predict(texts)
    labels = [label.decode() for label in answer["label"].numpy()]
    assert labels == ["" if p.abstained else p.label for p in predictions]
    np.testing.assert_allclose(answer["score"], [p.score for p in predictions], atol=1e-5)
    decided = [[name in p.labels for name in classifier.labels] for p in predictions]
    assert answer["decided"].numpy().tolist() == decided
