import json
import logging
import os

import pytest
from letter_model import LetterModel
from starlette.websockets import WebSocketDisconnect

from textrnn.runtime.serve.observation import REQUEST_LOG

PREDICT = "/v1/models/letters:predict"
STREAM = "/v1/models/letters/stream"


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
    assert found["textrnn_stream_accepts_total"] == 1
    assert found['textrnn_stream_closes_total{code="1000",model="letters"}'] == 1
    assert found['textrnn_stream_seconds_count{model="letters"}'] == 1
    assert 0 < found['textrnn_stream_seconds_sum{model="letters"}'] < 60


@pytest.mark.parametrize(
    ("path", "message", "labels"),
    [
        (STREAM, {"type": "other"}, 'code="4400",model="letters"'),
        ("/v1/models/other/stream", {}, 'code="4404",model=""'),
    ],
)
def test_a_stream_that_the_server_closes_is_counted_by_its_code(client, path, message, labels):
    with client.websocket_connect(path) as socket:
        socket.send_json(message)
        assert socket.receive_json()["type"] == "error"
    assert metrics(client)[f"textrnn_stream_closes_total{{{labels}}}"] == 1


@pytest.mark.parametrize(("code", "label"), [(1001, "1001"), (3999, "other"), (4999, "other")])
def test_codes_that_clients_invent_make_no_metrics(client, code, label):
    with client.websocket_connect(STREAM) as socket:
        socket.close(code)
    name = f'textrnn_stream_closes_total{{code="{label}",model="letters"}}'
    assert metrics(client)[name] == 1


def test_a_websocket_of_another_path_is_a_request_that_is_refused(client):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/v1/models"):
        pass
    found = metrics(client)
    assert found['textrnn_requests_total{call="",model="",status="403"}'] == 1
    assert found["textrnn_stream_accepts_total"] == 0


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
    assert (line["event"], line["pid"]) == ("request", os.getpid())


def test_a_stream_is_logged_when_it_begins_and_when_it_ends(served, logged):
    with served(log_texts=True).websocket_connect(f"{STREAM}?key=x") as socket:
        socket.send_json({"type": "feed", "text": "secret"})
        socket.receive_json()
        (begin,) = logged()
        assert (begin["event"], begin["path"], begin["pid"]) == ("accept", STREAM, os.getpid())
        socket.close(1001)
    end = logged()[-1]
    assert (end["event"], end["code"], end["messages"]) == ("close", 1001, 1)
    assert end["ms"] > 0
    assert "secret" not in json.dumps(logged())


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
