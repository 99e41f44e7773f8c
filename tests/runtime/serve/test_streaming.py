import pytest
from letter_model import LetterModel
from starlette.websockets import WebSocketDisconnect

PATH = "/v1/models/letters/stream"


def closed(socket):
    """The error that the server sends, and the code that it closes with."""
    error = socket.receive_json()
    assert error["type"] == "error"
    with pytest.raises(WebSocketDisconnect) as raised:
        socket.receive_json()
    assert error["error"].startswith(raised.value.reason)
    assert raised.value.reason
    return error, raised.value.code


@pytest.mark.parametrize("path", [PATH, "/v1/models/letters/versions/1/stream"])
def test_each_piece_is_answered(client, path):
    with client.websocket_connect(path) as socket:
        labels = []
        for piece in ("b", "aa", "cc", "c"):
            socket.send_json({"type": "feed", "text": piece})
            labels.append(socket.receive_json()["label"])
        assert labels == ["b", "a", "a", "c"]
        socket.send_json({"type": "finish"})
        answer = socket.receive_json()
        assert (answer["type"], answer["final"], answer["label"]) == ("answer", True, "c")
        assert list(answer["scores"]) == ["a", "b", "c"]


@pytest.mark.parametrize("end", ["finish", "restart"])
def test_another_text_begins_after_the_end_of_one(client, end):
    with client.websocket_connect(PATH) as socket:
        socket.send_json({"type": "feed", "text": "aa"})
        socket.receive_json()
        socket.send_json({"type": end})
        if end == "finish":
            socket.receive_json()
        socket.send_json({"type": "feed", "text": "b"})
        assert socket.receive_json()["label"] == "b"


def test_a_message_may_be_sent_as_bytes(client):
    with client.websocket_connect(PATH) as socket:
        socket.send_bytes(b'{"type": "feed", "text": "b"}')
        assert socket.receive_json()["label"] == "b"


@pytest.mark.parametrize(
    "message", ["", "{", "[]", "{}", '{"type": "other"}', '{"type": "feed"}', '{"type": ["feed"]}']
)
def test_a_message_that_is_not_understood_closes_the_connection(client, message):
    with client.websocket_connect(PATH) as socket:
        socket.send_text(message)
        error, code = closed(socket)
        assert (error["status"], code) == (400, 4400)


@pytest.mark.parametrize(
    "path", ["/v1/models/other/stream", "/v1/models/letters/versions/2/stream"]
)
def test_a_model_that_is_not_served_is_an_error(client, path):
    with client.websocket_connect(path) as socket:
        error, code = closed(socket)
        assert (error["status"], code) == (404, 4404)


def test_a_model_that_does_not_read_forwards_says_so(served):
    with served(LetterModel(streams=False)).websocket_connect(PATH) as socket:
        error, code = closed(socket)
        assert "reads forwards" in error["error"]
        assert code == 4400


def test_a_fault_of_the_model_is_not_told(client, caplog):
    with client.websocket_connect(PATH) as socket:
        socket.send_json({"type": "feed", "text": "fault"})
        error, code = closed(socket)
        assert (error["status"], code) == (500, 4500)
        assert "fault" not in error["error"]
    assert "ZeroDivisionError" in caplog.text


def test_a_message_that_is_too_long_is_refused(served):
    with served(max_message_bytes=50).websocket_connect(PATH) as socket:
        socket.send_json({"type": "feed", "text": "é" * 30})
        assert closed(socket)[1] == 4413


def test_a_silent_client_is_disconnected(served):
    with served(stream_idle_seconds=0.01).websocket_connect(PATH) as socket:
        assert closed(socket)[1] == 4408


def test_streams_beyond_the_limit_are_refused_until_one_ends(served):
    client = served(max_streams=1)
    with client.websocket_connect(PATH) as first:
        first.send_json({"type": "feed", "text": "a"})
        first.receive_json()
        with client.websocket_connect(PATH) as second:
            assert closed(second)[1] == 4429
    with client.websocket_connect(PATH) as third:
        third.send_json({"type": "feed", "text": "a"})
        assert third.receive_json()["label"] == "a"


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://testserver", True),
        ("https://allowed.example", True),
        ("https://other.example", False),
        ("null", False),
    ],
)
def test_pages_of_other_origins_are_refused(served, origin, is_allowed):
    client = served(cors_origins=("https://allowed.example",))
    with client.websocket_connect(PATH, headers={"Origin": origin}) as socket:
        if not is_allowed:
            assert closed(socket)[1] == 4403
            return
        socket.send_json({"type": "feed", "text": "a"})
        assert socket.receive_json()["label"] == "a"
