"""The server as a process: signals, new versions, several workers, and clients of others."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from letter_model import write_run
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.process

TESTS = Path(__file__).parents[2]
BODY = {"instances": ["bb"]}


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def wait_until(condition) -> None:
    """Waits until the function returns something true, and fails after a minute."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited for a minute"
        time.sleep(0.02)


@dataclass
class Server:
    process: subprocess.Popen
    port: int
    log: Path

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def predict(self, session=requests):
        return session.post(self.url("/v1/models/model:predict"), json=BODY, timeout=60)

    def is_ready(self) -> bool:
        try:
            return requests.get(self.url("/readyz"), timeout=60).status_code == 200
        except requests.ConnectionError:
            return False

    def metric(self, name):
        lines = requests.get(self.url("/metrics"), timeout=60).text.splitlines()
        values = (float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))
        return sum(values)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture
def start(tmp_path):
    """Starts a server of the model in the folder `model`, and waits until it is ready."""
    with contextlib.ExitStack() as stack:

        def begin(*, seconds=0.0, workers=1, drain_seconds=0.0):
            write_run(tmp_path / "model" / "1", seconds=seconds)
            port, log = free_port(), tmp_path / "log"
            command = [str(TESTS / "letter_server.py"), port, workers, drain_seconds]
            process = subprocess.Popen(
                [sys.executable, *map(str, command), str(tmp_path / "model")],
                env={**os.environ, "PYTHONPATH": str(TESTS)},
                stderr=stack.enter_context(log.open("w")),
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            server = Server(process, port, log)
            wait_until(lambda: process.poll() is not None or server.is_ready())
            assert process.poll() is None, log.read_text()
            return server

        yield begin


def asked_all_the_time(server, until, *, clients=4):
    """The status and labels of requests that clients send one after the other."""

    def ask():
        seen = []
        with requests.Session() as session:
            while not until.is_set():
                response = server.predict(session)
                labels = response.json()["predictions"][0]["labels"]
                seen.append((response.status_code, "".join(labels)))
        return seen

    return [ThreadPoolExecutor(1).submit(ask) for _ in range(clients)]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_new_version_is_served_without_a_lost_request(start, tmp_path, workers):
    server, done = start(workers=workers), threading.Event()
    clients = asked_all_the_time(server, done)
    wait_until(lambda: server.metric('textrnn_requests_total{call="predict"') >= 20)
    write_run(tmp_path / "model" / "2", labels="bxyz")
    with requests.Session() as session:
        wait_until(
            lambda: all(
                server.predict(session).json()["predictions"][0]["labels"] != ["a", "b", "c"]
                for _ in range(20)
            )
        )
    done.set()
    seen = [row for client in clients for row in client.result()]
    assert {status for status, _ in seen} == {200}
    assert {labels for _, labels in seen} == {"abc", "bxyz"}


@pytest.mark.parametrize("workers", [1, 2])
def test_accepted_requests_are_answered_after_sigterm(start, workers):
    server = start(seconds=2.0, workers=workers)
    with ThreadPoolExecutor(8) as clients:
        asked = [clients.submit(server.predict) for _ in range(8)]
        # The request for the metrics is the ninth.
        wait_until(lambda: server.metric("textrnn_active_requests") == 9)
        assert server.stop() == 0
        assert [request.result().status_code for request in asked] == [200] * 8
    assert "stopped" in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stopping_server_refuses_connections(start, workers):
    server = start(seconds=3.0, workers=workers)
    with ThreadPoolExecutor(1) as clients:
        asked = clients.submit(server.predict)
        wait_until(lambda: server.metric("textrnn_active_requests") == 2)
        server.process.send_signal(signal.SIGTERM)

        def is_refused() -> bool:
            try:
                socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
            except ConnectionRefusedError:
                return True
            return False

        wait_until(is_refused)
        assert not asked.done()
        assert asked.result().status_code == 200
    assert server.process.wait(60) == 0


def test_a_draining_server_is_not_ready_and_still_answers(start):
    server = start(drain_seconds=1.0)
    with requests.Session() as session:
        assert server.predict(session).headers.get("connection") is None
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not server.is_ready())
        response = server.predict(session)
        assert (response.status_code, response.headers["connection"]) == (200, "close")
    assert server.process.wait(60) == 0


def test_a_second_signal_gives_up_the_requests(start):
    server = start(seconds=3.0)
    with ThreadPoolExecutor(1) as clients:
        asked = clients.submit(server.predict)
        wait_until(lambda: server.metric("textrnn_active_requests") == 2)
        server.process.send_signal(signal.SIGINT)
        wait_until(lambda: not server.is_ready())
        server.process.send_signal(signal.SIGINT)
        with contextlib.suppress(requests.ConnectionError):
            assert asked.result().status_code == 500
    assert server.process.wait(60) == 0


def test_requests_beyond_the_limit_get_status_429(start):
    server = start(seconds=1.0)
    with ThreadPoolExecutor(40) as clients:
        responses = list(clients.map(lambda _: server.predict(), range(40)))
    statuses = [response.status_code for response in responses]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 20
    assert all(int(r.headers["Retry-After"]) for r in responses if r.status_code == 429)


def test_several_processes_are_replaced_and_their_metrics_added(start):
    server = start(workers=2)
    path = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    if not path.exists():
        pytest.skip("needs /proc")
    for _ in range(10):
        assert server.predict().status_code == 200
    name = 'textrnn_requests_total{call="predict",model="model",status="200"} 10.0'
    assert name in requests.get(server.url("/metrics"), timeout=60).text
    wait_until(lambda: server.log.read_text().count("serving version 1") == 2)
    victims = [pid for pid in path.read_text().split() if b"spawn_main" in _command(pid)]
    os.kill(int(victims[0]), signal.SIGKILL)
    wait_until(lambda: "another one starts" in server.log.read_text())
    assert server.predict().status_code == 200
    assert server.stop() == 0


def test_processes_whose_parent_was_killed_end(start):
    server = start(workers=2)
    server.process.kill()
    server.process.wait(60)
    wait_until(lambda: not server.is_ready())


def _command(pid: str) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_text_is_written_through_a_websocket(start):
    server = start()
    with connect(f"ws://127.0.0.1:{server.port}/v1/models/model/stream") as stream:
        for piece, label in (("b", "b"), ("aa", "a")):
            stream.send(json.dumps({"type": "feed", "text": piece}))
            assert json.loads(stream.recv())["label"] == label
        stream.send(json.dumps({"type": "feed", "text": "a" * 1500}))
        assert json.loads(stream.recv())["status"] == 413
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4413


def test_an_address_in_use_is_an_error(start, tmp_path):
    server = start()
    command = [str(TESTS / "letter_server.py"), str(server.port), "1", "0", str(tmp_path / "model")]
    done = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "expected a free address" in done.stderr


def test_workers_that_cannot_load_a_model_say_why_without_a_traceback(tmp_path):
    run = write_run(tmp_path / "model" / "1", labels="broken")
    done = subprocess.run(
        [sys.executable, str(TESTS / "letter_server.py"), "0", "2", "0", str(run.parent)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    first, second, *_ = [line for line in done.stderr.splitlines() if "SpawnProcess" not in line]
    assert "starting 2 processes" in first
    assert f"ERROR: {run}: expected letters, got none." in second
    assert "a server process could not start (exit code 0)" in done.stderr
    assert done.stderr.count("Traceback") == 1  # That of letter_server.py, which has no command.


def test_the_client_of_triton_is_answered(start):
    triton = pytest.importorskip("tritonclient.http")
    import numpy as np

    server = start()
    with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("model", "1")
        assert client.get_model_metadata("model")["versions"] == ["1"]
        for binary in (True, False):
            texts = triton.InferInput("text", [2], "BYTES")
            texts.set_data_from_numpy(np.array([b"bb", b"c"], object), binary_data=binary)
            wanted = [
                triton.InferRequestedOutput(name, binary_data=binary)
                for name in ("label", "scores", "decided")
            ]
            for outputs in (None, wanted):
                answer = client.infer("model", [texts], outputs=outputs, request_id="7")
                assert answer.get_response()["id"] == "7"
                label = [
                    str(name, "utf-8") if binary or outputs is None else name
                    for name in answer.as_numpy("label")
                ]
                assert label == ["b", "c"]
                np.testing.assert_allclose(answer.as_numpy("scores")[0], [0.2, 0.6, 0.2], rtol=1e-6)
                assert answer.as_numpy("decided").tolist() == [
                    [False, True, False],
                    [False, False, True],
                ]
        with pytest.raises(triton.InferenceServerException, match="Servable not found"):
            client.infer("other", [texts])


def test_the_answers_are_messages_of_tensorflow_serving(start):
    """The REST interface defines JSON for two messages; that of predict has none."""
    from google.protobuf import json_format
    from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

    server = start()
    text = requests.get(server.url("/v1/models/model"), timeout=60).text
    status = json_format.Parse(text, get_model_status_pb2.GetModelStatusResponse())
    (version,) = status.model_version_status
    available = get_model_status_pb2.ModelVersionStatus.State.AVAILABLE
    assert (version.version, version.state, version.status.error_code) == (1, available, 0)

    answer = requests.get(server.url("/v1/models/model/metadata"), timeout=60).json()
    signatures = json_format.ParseDict(
        answer["metadata"]["signature_def"], get_model_metadata_pb2.SignatureDefMap()
    )
    signature = signatures.signature_def["serving_default"]
    assert signature.method_name == "tensorflow/serving/predict"
    assert [dim.size for dim in signature.outputs["scores"].tensor_shape.dim] == [-1, 3]
