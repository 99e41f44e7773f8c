"""ONNX gives the model's own probabilities."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from cases import assert_close
from tiny import LABELS, WORD, each_pair_once, random_classifier

from textrnn.models.label_space import LabelSpace

onnxruntime = pytest.importorskip("onnxruntime", reason="needs textrnn[onnx]")
pytest.importorskip("tf2onnx", reason="needs textrnn[onnx]")
from textrnn.export.workers.onnx_conversion import OPSET, onnx_of  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

SINGLE = LabelSpace(LABELS, multi_label=False)
MULTI = LabelSpace(LABELS, multi_label=True)


def batches(rng: np.random.Generator) -> list[np.ndarray]:
    """Ids padded at the right: a token, rows of all lengths, a row without one."""
    mixed = rng.integers(1, WORD + 1, (3, 9)).astype(np.int32)
    mixed[np.arange(9) >= np.array([9, 4, 0])[:, np.newaxis]] = 0
    return [np.array([[5]], np.int32), mixed, rng.integers(1, 9, (2, 40)).astype(np.int32)]


def check(model: Any, rng: np.random.Generator) -> None:
    session = onnxruntime.InferenceSession(onnx_of(model, label_space=SINGLE))
    for ids in batches(rng):
        (scores,) = session.run(["scores"], {"ids": ids})
        assert_close(scores, tf.nn.softmax(model(ids)), atol=1e-5)


@each_pair_once
def test_every_cell_and_head(cell: str, head: str, rng: np.random.Generator) -> None:
    check(random_classifier(cell, head, bidirectional=head in {"last", "attention"}), rng)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "shape",
    [
        {"window": 3, "bidirectional": True},
        pytest.param(
            {"layers": 2, "pyramid": True, "bidirectional": True}, marks=pytest.mark.thorough
        ),
        pytest.param(
            {"layers": 2, "layer_norm": True, "residual": True, "bidirectional": False},
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_every_shape_of_a_stack(shape: dict[str, Any], rng: np.random.Generator) -> None:
    check(random_classifier("mingru", "last", **shape), rng)


@pytest.mark.thorough
def test_a_bag_of_embeddings_and_ids_that_are_none(rng: np.random.Generator) -> None:
    model = random_classifier("none", "mean")
    check(model, rng)
    session = onnxruntime.InferenceSession(onnx_of(model, label_space=MULTI))
    (scores,) = session.run(["scores"], {"ids": np.array([[3, WORD + 1, -7]], np.int32)})
    assert_close(scores, tf.sigmoid(model(np.array([[3, 1, 1]]))), atol=1e-5)


@pytest.mark.thorough
def test_the_operations_are_the_standards_own() -> None:
    onnx = pytest.importorskip("onnx")
    made = onnx.load_from_string(onnx_of(random_classifier("lstm", "max"), label_space=SINGLE))
    assert {node.domain for node in made.graph.node} <= {"", "ai.onnx"}
    assert {o.version for o in made.opset_import if not o.domain} == {OPSET}


@pytest.mark.thorough
def test_the_collection_of_garbage_is_as_before() -> None:
    thresholds = gc.get_threshold()
    gc.unfreeze()
    onnx_of(random_classifier("none", "mean"), label_space=SINGLE)
    assert gc.get_threshold() == thresholds
    assert gc.get_freeze_count() == 0
