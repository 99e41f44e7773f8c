"""The server under Ray Serve."""

import http.client
import json
import socket
import threading
from pathlib import Path

import pytest
from light_models import random_pair

from textrnn.cluster.serving import Replicas, deploy, serve_config, serving
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


def config_of(run: Path, port: int, *, replicas: int = 1):
    source = ModelSource("m", run)
    return serve_config([source], {"port": port}, Replicas(replicas, replicas))


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


@pytest.mark.slow
def test_replicas_answer_and_are_replaced_without_a_lost_request(tmp_path):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    runs = [tmp_path / "first", tmp_path / "second"]
    random_pair(runs[0], cell="gru", bidirectional=True)
    random_pair(runs[1], cell="mingru", bidirectional=True)
    expected = [load(run).probabilities(TEXTS).tolist() for run in runs]
    port, ended = free_port(), threading.Event()
    answers: list[list[list[float]]] = []
    failures: list[BaseException] = []

    def ask():
        while not ended.is_set():
            try:
                answers.append(scores(port))
            except BaseException as error:
                failures.append(error)

    with serving(config_of(runs[0], port, replicas=2), cluster="local"):
        assert scores(port) == [pytest.approx(row, abs=1e-5) for row in expected[0]]
        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        deploy(config_of(runs[1], port, replicas=2))
        last = scores(port)
        ended.set()
        for asker in askers:
            asker.join()
    assert last == [pytest.approx(row, abs=1e-5) for row in expected[1]]
    assert failures == []
    of_first = [a for a in answers if a[0] == pytest.approx(expected[0][0], abs=1e-5)]
    of_second = [a for a in answers if a[0] == pytest.approx(expected[1][0], abs=1e-5)]
    assert of_first
    assert len(of_first) + len(of_second) == len(answers)
