"""The server under Ray Serve."""

import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from light_models import random_pair
from websockets.sync.client import connect

from textrnn.cluster.connection import connected
from textrnn.cluster.serving import APPLICATION, Replicas, deploy, serve_config, serving
from textrnn.errors import ConfigError
from textrnn.runtime import load
from textrnn.runtime.serve import ModelSource

TEXTS = ["a fine film", "dull", "we like it"]


@pytest.mark.parametrize(("text", "expected"), [("3", (3, 3)), ("1:8", (1, 8))])
def test_the_number_of_replicas(text, expected):
    replicas = Replicas.parse(text)
    assert (replicas.least, replicas.most) == expected


@pytest.mark.parametrize("text", ["", "0", "-1", "2:1", "a:b", "1:2:3"])
def test_other_numbers_are_refused(text):
    with pytest.raises(ConfigError, match="must be a number, or LEAST:MOST"):
        Replicas.parse(text)


def test_the_configuration_has_what_the_user_chose(tmp_path):
    values = {"port": 9000, "batch_texts": 16, "threads": 2, "cors_origins": ("https://a.org",)}
    config = serve_config([ModelSource("m", tmp_path / "run")], values, Replicas(1, 4))
    assert config["http_options"] == {"host": "127.0.0.1", "port": 9000}
    (described,) = config["applications"]
    assert described["args"] == {
        "runs": {"m": str(tmp_path / "run")},
        "settings": {"batch_texts": 16, "threads": 2, "cors_origins": ["https://a.org"]},
    }
    (options,) = described["deployments"]
    assert options["max_ongoing_requests"] == 32
    assert options["autoscaling_config"]["max_replicas"] == 4
    assert options["ray_actor_options"] == {"num_cpus": 2}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def config_of(run: Path, port: int, replicas: Replicas, **settings: Any) -> dict[str, Any]:
    return serve_config([ModelSource("m", run)], {"port": port, **settings}, replicas)


@contextmanager
def asked(port: int, *, threads: int) -> Iterator[list[Any]]:
    """Asks all the time; gives the scores, and the errors of requests that failed."""
    ended = threading.Event()
    results: list[Any] = []

    def ask() -> None:
        while not ended.is_set():
            try:
                results.append(scores(port))
            except BaseException as error:
                results.append(error)

    askers = [threading.Thread(target=ask) for _ in range(threads)]
    for asker in askers:
        asker.start()
    try:
        yield results
    finally:
        ended.set()
        for asker in askers:
            asker.join()


def scores(port: int) -> list[list[float]]:
    """The scores of the texts, by the server."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        body = json.dumps({"instances": TEXTS})
        connection.request("POST", "/v1/models/m:predict", body)
        response = connection.getresponse()
        content = response.read()
        assert response.status == 200, content
        return [answer["scores"] for answer in json.loads(content)["predictions"]]
    finally:
        connection.close()


def close_to(scores: list[list[float]], expected: list[list[float]]) -> bool:
    return scores == [pytest.approx(row, abs=1e-5) for row in expected]


@pytest.mark.slow
def test_replicas_answer_and_are_replaced_without_a_lost_request(tmp_path):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    runs = [tmp_path / "first", tmp_path / "second"]
    random_pair(runs[0], cell="gru", bidirectional=True)
    random_pair(runs[1], cell="mingru", bidirectional=False)
    first, second = (load(run).probabilities(TEXTS).tolist() for run in runs)
    port, two = free_port(), Replicas(2, 2)
    with serving(config_of(runs[0], port, two), cluster="local"):
        assert close_to(scores(port), first)
        with asked(port, threads=4) as answers:
            deploy(config_of(runs[1], port, two))
            last = scores(port)
        with (
            pytest.raises(ConfigError, match="Ray Serve runs on the cluster and does not listen"),
            serving(config_of(runs[1], free_port(), two), cluster="local"),
        ):
            pass
        with connect(f"ws://127.0.0.1:{port}/v1/models/m/stream") as socket:
            socket.send(json.dumps({"type": "feed", "text": TEXTS[0]}))
            socket.recv()
            socket.send(json.dumps({"type": "finish"}))
            streamed = json.loads(socket.recv())
    with pytest.raises(OSError, match="refused"):
        scores(port)
    assert close_to(last, second)
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    of_first = [answer for answer in answers if close_to(answer, first)]
    of_second = [answer for answer in answers if close_to(answer, second)]
    assert of_first
    assert len(of_first) + len(of_second) == len(answers)
    assert list(streamed["scores"].values()) == pytest.approx(second[0], abs=1e-5)


@pytest.mark.slow
def test_replicas_without_room_are_told_and_end_with_an_interrupt(tmp_path):
    ray = pytest.importorskip("ray", reason="needs textrnn[ray]")
    random_pair(tmp_path / "run", cell="gru", bidirectional=True)
    many = Replicas(99, 99)

    def stop(text: str) -> None:
        said.append(text)
        threading.Timer(15.0, signal.raise_signal, [signal.SIGINT]).start()

    said: list[str] = []
    config = config_of(tmp_path / "run", free_port(), many)
    with connected("local"):
        with pytest.raises(KeyboardInterrupt), serving(config, cluster="local", say=stop):
            pass
        from ray import serve

        assert not serve.status().applications
        assert ray.available_resources()["CPU"] == ray.cluster_resources()["CPU"]
    (line,) = said
    assert line.startswith("99 replicas need 99 cores, the cluster has ")


@pytest.mark.slow
def test_the_load_decides_how_many_replicas_there_are(tmp_path):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    random_pair(tmp_path / "run", cell="gru", bidirectional=True)
    port = free_port()
    config = config_of(tmp_path / "run", port, Replicas(1, 2), batch_texts=1)
    with serving(config, cluster="local"):
        assert running() == 1
        with asked(port, threads=8) as answers:
            for _ in range(600):
                if running() == 2:
                    break
                time.sleep(0.2)
            assert running() == 2
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []


def running() -> int:
    """The number of replicas that answer."""
    from ray import serve

    (deployment,) = serve.status().applications[APPLICATION].deployments.values()
    return int(deployment.replica_states.get("RUNNING", 0))
