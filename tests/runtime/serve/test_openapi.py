import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textrnn.runtime.serve.openapi import document

DOCUMENT = document()
OPERATIONS = [
    (method, path)
    for path, item in DOCUMENT["paths"].items()
    for method in ("get", "post")
    if method in item
]
POSTS = [path for method, path in OPERATIONS if method == "post"]


def filled(path, name="letters", version="1"):
    return path.replace("{name}", name).replace("{version}", version)


def example(path):
    """The body of a request that the description shows."""
    schema = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rsplit("/", 1)[-1]
    return DOCUMENT["components"]["schemas"][name]["examples"][0]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_call_that_is_described_is_answered(client, method, path):
    body = {"json": example(path)} if method == "post" else {}
    assert client.request(method, filled(path), **body).status_code == 200


def test_every_route_is_described(client):
    described = {
        path.replace("{version}", "V").replace("{name}", "N") for path in DOCUMENT["paths"]
    }
    routes = {
        route.path.replace("{version:name}", "V").replace("{name:name}", "N")
        for route in client.app.routes
        if not re.search("classify|regress|stream$", route.path)
    }
    assert routes - {"/", "/docs", "/openapi.json"} == described


def test_every_reference_has_its_schema():
    names = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(DOCUMENT)))
    assert names == set(DOCUMENT["components"]["schemas"])


def test_operations_have_different_names():
    names = [DOCUMENT["paths"][path][method]["operationId"] for method, path in OPERATIONS]
    assert len(set(names)) == len(names)


def test_the_description_is_served(client):
    assert client.get("/openapi.json").json() == DOCUMENT


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_pages_load_nothing(client, path):
    response = client.get(path)
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not re.search(r"<link|src=|url\(|@import", response.text)


def test_the_page_shows_every_call(client):
    page = client.get("/docs").text
    assert all(f"{method.upper()} {path}" in page for method, path in OPERATIONS)


def test_the_front_page_asks_this_server_only(client):
    policy = client.get("/").headers["content-security-policy"]
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def spoiled(draw, value):
    """A request in which some values are replaced, left out or added."""
    chance = draw(st.integers(0, 9))
    if chance == 0:
        return draw(JSON)
    if isinstance(value, dict):
        kept = {k: draw(spoiled(v)) for k, v in value.items() if draw(st.integers(0, 9)) > 0}
        return kept if chance > 1 else {**kept, draw(st.text(max_size=8)): draw(JSON)}
    if isinstance(value, list):
        items = [draw(spoiled(v)) for v in value]
        return items if chance > 1 else [*items, draw(JSON)]
    return value


HEADERS = st.dictionaries(
    st.sampled_from(
        ["Inference-Header-Content-Length", "Content-Encoding", "Content-Type", "Origin", "Accept"]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12),
    max_size=2,
)
NAMES = st.sampled_from(["letters"] * 4 + ["other", "%00", "%ff", "a:b", "..", "1" * 5000])


def check_answered(client, data):
    """Sends one malformed request and expects an answer in JSON that is no 5xx."""
    path = data.draw(st.sampled_from(POSTS))
    value = data.draw(spoiled(example(path)))
    body = json.dumps(value).encode()
    if data.draw(st.integers(0, 4)) == 0:
        place = data.draw(st.integers(0, len(body)))
        body = body[:place] + data.draw(st.binary(max_size=4)) + body[place + 1 :]
    response = client.request(
        data.draw(st.sampled_from(["POST"] * 8 + ["GET", "PUT", "DELETE"])),
        filled(path, data.draw(NAMES), data.draw(st.sampled_from(["1", "2", "x", "9" * 30]))),
        content=body,
        headers=data.draw(HEADERS),
        follow_redirects=False,
    )
    assert response.status_code < 500, (value, response.text)
    if response.status_code >= 400:
        assert list(response.json()) == ["error"]
        assert "Traceback" not in response.text


RELAXED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@settings(max_examples=100, deadline=None, suppress_health_check=RELAXED)
@given(data=st.data())
def test_malformed_requests_are_refused_and_never_a_fault(client, data):
    check_answered(client, data)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=RELAXED)
@given(data=st.data())
def test_ten_thousand_malformed_requests_are_no_fault(client, data):
    check_answered(client, data)


MESSAGES = st.sampled_from(
    [{"type": "feed", "text": "ab"}, {"type": "finish"}, {"type": "restart"}]
)


@settings(max_examples=100, deadline=None, suppress_health_check=RELAXED)
@given(data=st.data())
def test_malformed_messages_are_refused_and_never_a_fault(client, data):
    with client.websocket_connect("/v1/models/letters/stream") as socket:
        socket.send_json(data.draw(spoiled(data.draw(MESSAGES))))
        socket.send_json({"type": "unknown"})  # Its error is the last answer at the latest.
        while (answer := socket.receive_json())["type"] == "answer":
            pass
        assert answer["status"] < 500


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_other_methods_are_told_the_right_ones(client, method, path):
    response = client.request("DELETE", filled(path))
    assert response.status_code == 405
    allowed = {"GET", "HEAD"} if method == "get" else {"POST"}
    assert set(response.headers["allow"].split(", ")) == allowed


def test_the_page_of_all_calls_shows_code_as_code(client):
    page = client.get("/docs").text
    assert "`" not in page
    assert "<code>/v1/models/{name}/stream</code>" in page
