import pytest
from starlette.websockets import WebSocketDisconnect

from textrnn.runtime.errors import ConfigError
from textrnn.runtime.serve.authentication import ApiKeys

FIRST, SECOND = "first-key-of-the-two", "second-key-of-the-two"
PREDICT = "/v1/models/letters:predict"
BODY = {"instances": ["a"]}


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "keys"
    path.write_text(f"# of the shop\n{FIRST}\n\n  {SECOND}\n", encoding="utf-8")
    return path


@pytest.fixture
def client(served, key_file):
    return served(api_key_file=str(key_file))


@pytest.mark.parametrize("key", [FIRST, SECOND])
@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_each_key_is_accepted_in_either_header(client, key, header):
    value = f"Bearer {key}" if header == "Authorization" else key
    assert client.post(PREDICT, json=BODY, headers={header: value}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {FIRST}x"},
        {"Authorization": f"Basic {FIRST}"},
        {"X-API-Key": FIRST[:-1]},
        {"X-API-Key": b"\xff\xfe"},
    ],
)
def test_other_keys_are_refused(client, headers):
    for response in (
        client.post(PREDICT, json=BODY, headers=headers),
        client.get("/metrics", headers=headers),
        client.get("/v1/models", headers=headers),
        client.get("/nothing", headers=headers),
    ):
        assert (response.status_code, list(response.json())) == (401, ["error"])
        assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v2/health/ready", "/docs", "/"])
def test_what_says_nothing_of_the_models_needs_no_key(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert "letters" not in response.text


def test_a_server_without_a_file_of_keys_needs_none(served):
    assert served().post(PREDICT, json=BODY).status_code == 200


def test_a_stream_takes_the_key_from_a_header_or_the_first_message(client):
    path, piece = "/v1/models/letters/stream", {"type": "feed", "text": "a"}
    with client.websocket_connect(path, headers={"X-API-Key": FIRST}) as socket:
        socket.send_json(piece)
        assert socket.receive_json()["label"] == "a"
    with client.websocket_connect(path) as socket:
        socket.send_json({"type": "authenticate", "key": SECOND})
        socket.send_json(piece)
        assert socket.receive_json()["label"] == "a"


@pytest.mark.parametrize(
    "first", [{"type": "feed", "text": "a"}, {"type": "authenticate", "key": "x"}]
)
def test_a_stream_without_a_key_is_closed(client, first):
    with client.websocket_connect("/v1/models/letters/stream") as socket:
        socket.send_json(first)
        assert socket.receive_json()["status"] == 401
        with pytest.raises(WebSocketDisconnect, check=lambda error: error.code == 4401):
            socket.receive_json()


@pytest.mark.parametrize("content", [b"", b"# none\n", b"short\n", b"\xff" * 20])
def test_a_file_without_usable_keys_is_an_error(tmp_path, content):
    path = tmp_path / "keys"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="expected"):
        ApiKeys.from_file(path)


def test_a_missing_file_of_keys_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="expected a file of API keys"):
        ApiKeys.from_file(tmp_path / "none")


def test_pages_of_other_origins_read_answers_only_if_they_may(served):
    origin = {"Origin": "https://page.example"}
    assert "access-control-allow-origin" not in served().get("/v2", headers=origin).headers
    client = served(cors_origins=("https://page.example",))
    for response in (
        client.get("/v2", headers=origin),
        client.get("/nothing", headers=origin),
        client.options(PREDICT, headers={**origin, "Access-Control-Request-Method": "POST"}),
    ):
        assert response.headers["access-control-allow-origin"] == "https://page.example"
    other = client.get("/v2", headers={"Origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers
