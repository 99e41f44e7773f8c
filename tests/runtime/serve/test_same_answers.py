"""The server on the light runtime answers a request as the SavedModel does."""

import base64

import numpy as np
import pytest
import tensorflow as tf
from light_models import HARD_TEXTS, random_pair
from starlette.testclient import TestClient

from textrnn.export.graphs.serving_module import ServingModule
from textrnn.runtime import load
from textrnn.runtime.decision_rule import DecisionRule
from textrnn.runtime.serve import ModelSource
from textrnn.runtime.serve.app import create_app

TEXTS = [text.encode() for text in HARD_TEXTS if "\ud800" not in text] + [b"a \xff\xfe b"]


@pytest.mark.parametrize(
    ("multi_label", "rule"),
    [
        (False, DecisionRule()),
        (False, DecisionRule(abstain_below=0.5)),
        (True, DecisionRule(thresholds=(0.6, 0.4))),
        (True, DecisionRule(abstain_below=0.7)),
    ],
)
def test_a_request_gets_the_answer_of_the_saved_model(multi_label, rule, tmp_path):
    pair = random_pair(tmp_path / "run", rule=rule, multi_label=multi_label)
    expected = ServingModule(pair.classifier).answer(tf.constant(TEXTS))
    body = {"inputs": [{"b64": base64.b64encode(text).decode()} for text in TEXTS]}
    with TestClient(create_app([ModelSource("run", tmp_path / "run")], load)) as client:
        outputs = client.post("/v1/models/run:predict", json=body).json()["outputs"]
        described = client.get("/v1/models/run/metadata").json()
    assert list(outputs) == list(expected)
    assert outputs["label"] == [label.decode() for label in expected["label"].numpy()]
    assert outputs["decided"] == expected["decided"].numpy().tolist()
    assert outputs["labels"] == [[n.decode() for n in row] for row in expected["labels"].numpy()]
    for name in ("score", "scores"):
        np.testing.assert_allclose(outputs[name], expected[name].numpy(), atol=1e-5)
    signature = described["metadata"]["signature_def"]["signature_def"]["serving_default"]
    for name, tensor in expected.items():
        assert signature["outputs"][name]["dtype"] == f"DT_{tensor.dtype.name.upper().rstrip('32')}"
        assert len(signature["outputs"][name]["tensor_shape"]["dim"]) == tensor.ndim
