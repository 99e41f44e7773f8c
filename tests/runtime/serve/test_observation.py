import json
import logging

import pytest
from letter_model import LetterModel

from textrnn.runtime.serve.observation import REQUEST_LOG

PREDICT = "/v1/models/letters:predict"


def metrics(client):
    """The samples of /metrics by their names and labels."""
    lines = client.get("/metrics").text.splitlines()
    samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def test_requests_answers_and_batches_are_counted(client):
    client.post(PREDICT, json={"instances": ["a", "b", "bb"]})
    client.post(PREDICT, json={})
    client.post("/v1/models/other:predict", json={})
    found = metrics(client)
    assert found['textrnn_requests_total{call="predict",model="letters",status="200"}'] == 1
    assert found['textrnn_requests_total{call="predict",model="letters",status="400"}'] == 1
    assert found['textrnn_requests_total{call="predict",model="",status="404"}'] == 1
    assert found['textrnn_request_seconds_count{call="predict",model="letters"}'] == 2
    assert found['textrnn_answers_total{label="b",model="letters"}'] == 2
    assert found['textrnn_batch_texts_sum{model="letters"}'] == 3
    assert found['textrnn_model_version{model="letters"}'] == 1
    assert found['textrnn_waiting_texts{model="letters"}'] == 0


def test_withheld_answers_are_counted_without_a_label(served):
    client = served(LetterModel(abstain_below=0.9))
    client.post(PREDICT, json={"instances": ["a"]})
    assert metrics(client)['textrnn_answers_total{label="",model="letters"}'] == 1


def test_streams_are_counted_while_they_are_open(client):
    with client.websocket_connect("/v1/models/letters/stream") as socket:
        socket.send_json({"type": "feed", "text": "a"})
        socket.receive_json()
        assert metrics(client)["textrnn_streams"] == 1
    found = metrics(client)
    assert found["textrnn_streams"] == 0
    assert found['textrnn_requests_total{call="stream",model="letters",status="200"}'] == 1


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.INFO, REQUEST_LOG)
    return lambda: [
        json.loads(record.getMessage()) for record in caplog.records if record.name == REQUEST_LOG
    ]


@pytest.mark.parametrize(
    ("settings", "content"),
    [({"log_requests": True}, None), ({"log_texts": True}, ["a\n", "b"])],
)
def test_requests_are_logged_if_wanted_and_texts_only_if_wanted(served, logged, settings, content):
    served(**settings).post(f"{PREDICT}?key=x", json={"instances": ["a\n", "b"]})
    (line,) = logged()
    assert (line["method"], line["path"], line["status"]) == ("POST", PREDICT, 200)
    assert (line["texts"], line.get("content")) == (2, content)


def test_nothing_is_logged_otherwise(client, logged, caplog):
    client.post(PREDICT, json={"instances": ["secret"]})
    client.post(PREDICT, json={"instances": ["secret", 3]})
    assert logged() == []
    assert "secret" not in caplog.text


def test_a_fault_of_the_model_is_logged_and_not_told(client, caplog):
    response = client.post(PREDICT, json={"instances": ["a fault"]})
    assert response.status_code == 500
    assert response.json() == {"error": "the server failed; its log has the reason."}
    assert "ZeroDivisionError" in caplog.text


def test_a_stopping_server_is_not_ready_but_still_answers(client):
    client.app.state.serving.is_stopping = True
    for path in ("/readyz", "/v2/health/ready", "/v2/models/letters/ready"):
        assert client.get(path).status_code == 503
    assert client.get("/healthz").status_code == 200
    response = client.post(PREDICT, json={"instances": ["a"]})
    assert (response.status_code, response.headers["connection"]) == (200, "close")
