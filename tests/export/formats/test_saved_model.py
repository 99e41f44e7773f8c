"""The SavedModel over gRPC, by the stubs and messages of TF Serving."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from exported import forward_run

import textrnn

grpc = pytest.importorskip("grpc")
pytest.importorskip("tensorflow_text")
apis = pytest.importorskip("tensorflow_serving.apis")
from prediction_service import serving  # noqa: E402
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2  # noqa: E402

from textrnn.export.formats.saved_model import save_model, write_warm_up  # noqa: E402

NAME = "letters"
TEXTS = ["a x b", "y", "", "\U0001f600 X", "c d e f"]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return textrnn.load(forward_run(tmp_path_factory))


@pytest.fixture(scope="module")
def base(classifier: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the model's versions: an empty one, and a newer one with the model."""
    base = tmp_path_factory.mktemp("models") / NAME
    (base / "1").mkdir(parents=True)
    save_model(classifier, base / "2")
    write_warm_up(base / "2", TEXTS, name=NAME)
    return base


@pytest.fixture(scope="module")
def stub(base: Path) -> Iterator[Any]:
    with serving(NAME, base) as stub:
        yield stub


def request(signature: str = "serving_default", **inputs: Any) -> Any:
    message = predict_pb2.PredictRequest()
    message.model_spec.name = NAME
    message.model_spec.signature_name = signature
    for name, value in inputs.items():
        message.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return message


def outputs(response: Any) -> dict[str, np.ndarray]:
    return {name: tf.make_ndarray(tensor) for name, tensor in response.outputs.items()}


@pytest.mark.thorough
def test_strings_in_labels_out(stub: Any, classifier: Any) -> None:
    response = outputs(stub.Predict(request(text=[text.encode() for text in TEXTS])))
    wanted = classifier.predict(TEXTS)
    assert [label.decode() for label in response["label"]] == [p.label for p in wanted]
    np.testing.assert_allclose(response["score"], [p.score for p in wanted], atol=1e-5)
    scores = [[p.scores[label] for label in classifier.labels] for p in wanted]
    np.testing.assert_allclose(response["scores"], scores, atol=1e-5)
    assert response["labels"].tolist() == [[b"neg", b"pos"]] * len(TEXTS)


def test_bytes_that_are_no_utf_8(stub: Any, classifier: Any) -> None:
    raw = b"a \xff\xfe x \xe2\x82"
    (wanted,) = classifier.predict([raw.decode("utf-8", errors="replace")])
    response = outputs(stub.Predict(request(text=[raw])))
    np.testing.assert_allclose(response["score"], [wanted.score], atol=1e-5)


def test_ids_in_scores_out(stub: Any, classifier: Any) -> None:
    tokens = outputs(stub.Predict(request("tokenize", text=[t.encode() for t in TEXTS])))["ids"]
    for row, text in zip(tokens, TEXTS, strict=True):
        assert row[row > 0].tolist() == classifier.tokenizer.encode(text)
    response = outputs(stub.Predict(request("ids", ids=tokens)))["scores"]
    np.testing.assert_allclose(response, classifier.probabilities(TEXTS), atol=1e-5)


def test_a_text_sent_piece_by_piece(stub: Any, classifier: Any) -> None:
    tokens = outputs(stub.Predict(request("tokenize", text=[t.encode() for t in TEXTS])))["ids"]
    states = outputs(stub.Predict(request("init", batch_size=len(TEXTS))))
    for piece in np.split(tokens, [2, 3], axis=1):
        states = outputs(stub.Predict(request("step", ids=piece, **states)))
        scores = states.pop("scores")
    np.testing.assert_allclose(scores, classifier.probabilities(TEXTS), atol=1e-5)


def test_the_warm_up_file_holds_requests_that_are_answered(stub: Any, base: Path) -> None:
    path = base / "2" / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record)
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    ]
    assert len(logs) == len(TEXTS)
    for log in logs:
        assert outputs(stub.Predict(log.predict_log.request))["label"].shape == (1,)


def test_only_what_is_asked_for_comes_back(stub: Any) -> None:
    message = request(text=[b"a x"])
    message.output_filter.append("label")
    assert set(outputs(stub.Predict(message))) == {"label"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda m: setattr(m.model_spec, "name", "other"), "NOT_FOUND"),
        (lambda m: setattr(m.model_spec, "signature_name", "other"), "INVALID_ARGUMENT"),
        (lambda m: m.inputs["other"].CopyFrom(m.inputs["text"]), "INVALID_ARGUMENT"),
    ],
)
def test_what_there_is_not_is_refused(stub: Any, change: Any, code: str) -> None:
    message = request(text=[b"a x"])
    change(message)
    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(message)
    assert caught.value.code() is grpc.StatusCode[code]
