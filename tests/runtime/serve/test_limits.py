import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from letter_model import LetterModel

PREDICT = "/v1/models/letters:predict"


@pytest.mark.parametrize(
    ("settings", "body"),
    [
        ({"max_body_bytes": 40}, {"instances": ["a" * 40]}),
        ({"max_texts": 2}, {"instances": ["a", "b", "c"]}),
        ({"max_characters": 3}, {"instances": ["a", "abca"]}),
    ],
)
def test_a_request_that_is_too_large_is_refused(served, settings, body):
    client = served(**settings)
    response = client.post(PREDICT, json=body)
    assert (response.status_code, list(response.json())) == (413, ["error"])
    assert client.post(PREDICT, json={"instances": ["a"]}).status_code == 200


def test_a_body_without_a_length_is_limited_too(served):
    response = served(max_body_bytes=40).post(PREDICT, content=iter([b" " * 30, b" " * 30]))
    assert response.status_code == 413


def test_a_compressed_body_is_refused(client):
    response = client.post(PREDICT, content=b"x", headers={"Content-Encoding": "gzip"})
    assert response.status_code == 415


@pytest.mark.parametrize("path", [PREDICT, "/v1/models/letters:explain"])
def test_a_request_that_takes_too_long_is_ended(served, path):
    model = LetterModel(gate=threading.Event())
    response = served(model, request_seconds=0.05).post(path, json={"instances": ["a"]})
    model.gate.set()
    assert response.status_code == 504
    assert "expected an answer within 0.05 s" in response.json()["error"]


def test_a_body_that_does_not_arrive_is_not_waited_for(served):
    app, sent = served(request_seconds=0.05).app, []

    async def main():
        parts = [{"type": "http.request", "body": b"{", "more_body": True}]

        async def receive():
            if not parts:
                await asyncio.Event().wait()
            return parts.pop()

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": PREDICT, "headers": []}
        await app(scope, receive, send)

    asyncio.run(main())
    assert sent[0]["status"] == 408
    assert b"expected the body within 0.05 s" in sent[1]["body"]


@pytest.mark.parametrize("settings", [{"max_requests": 1}, {"queue_texts": 1, "max_texts": 1}])
def test_requests_beyond_the_limit_are_refused_while_the_state_is_still_told(served, settings):
    model = LetterModel(gate=threading.Event())
    client = served(model, batch_texts=1, **settings)
    with ThreadPoolExecutor(8) as clients:
        ask = [clients.submit(client.post, PREDICT, json={"instances": ["a"]}) for _ in range(8)]
        while not any(request.done() for request in ask):
            pass
        refused = next(request.result() for request in ask if request.done())
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
        model.gate.set()
        responses = [request.result() for request in ask]
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert {response.status_code for response in responses} == {200, 429}
    assert client.post(PREDICT, json={"instances": ["a"]}).status_code == 200
