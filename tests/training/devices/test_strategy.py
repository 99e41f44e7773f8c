import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny import classifier, labelled_texts, write_csv

from textrnn.cluster.training_worker import LOST_ANOTHER
from textrnn.config.choices import CELLS
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.errors import ConfigError
from textrnn.models.label_space import LabelSpace
from textrnn.training.devices.strategy import TRY_AGAIN, Distribution, IncompleteCluster
from textrnn.training.update.gradient_sources.choice import choose_source
from textrnn.training.update.language_model_loss import LanguageModelLoss
from textrnn.training.update.losses import BatchLoss
from textrnn.training.update.optimizer import make_optimizer
from textrnn.training.update.step import Step

HERE = Path(__file__).resolve().parents[2]
PLAIN = {
    "epochs": 2,
    "model": {"head": "mean"},
    "clip_norm": 0.1,
    "ema": 0.9,
    "weight_decay": 0.01,
}
NOISY = {"epochs": 1, "model": {"dropout": 0.5, "word_dropout": 0.3}, "accumulate": 3, "ema": 0.9}
MOVED = {**PLAIN, "adversarial": 0.3, "entropy": 0.1}
VIRTUAL = {**NOISY, "accumulate": 1, "vat": 0.3, "unlabelled": True}
LANGUAGE = {**PLAIN, "epochs": 1, "model": {"cell": "mingru", "units": 4}, "language_weight": 0.5}
TRAININGS = [PLAIN, {**PLAIN, "accumulate": 3}, NOISY, MOVED, VIRTUAL, LANGUAGE]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for socket_ in sockets:
        socket_.bind(("127.0.0.1", 0))
    ports = [socket_.getsockname()[1] for socket_ in sockets]
    for socket_ in sockets:
        socket_.close()
    return ports


def cluster(ports: list[int], index: int) -> dict[str, str]:
    """The environment of one worker."""
    workers = [f"127.0.0.1:{port}" for port in ports]
    task = {"type": "worker", "index": index}
    config = {"cluster": {"worker": workers}, "task": task}
    return {"TF_CONFIG": json.dumps(config)}


def start(command: list[str], log: Path, **environment: str) -> subprocess.Popen:
    variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", **environment}
    with log.open("a") as file:
        return subprocess.Popen(
            [sys.executable, *command], stdout=file, stderr=subprocess.STDOUT, env=variables
        )


def wait(processes: list[subprocess.Popen], log: Path) -> None:
    try:
        for process in processes:
            assert process.wait(timeout=240) == 0, log.read_text()
    finally:
        for process in processes:  # One that waits for another one that failed.
            process.kill()
            process.wait()


# The same update


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> dict[str, dict[str, np.ndarray]]:
    """The results of trainings by one device, by two devices, and by two workers."""
    folder, by_strategy = tmp_path_factory.mktemp("strategies"), {}
    ports = free_ports(2)
    environments = {
        "single": {},
        "mirrored": {},
        "multiworker.0": cluster(ports, 0),
        "multiworker.1": cluster(ports, 1),
    }
    settings = json.dumps(TRAININGS)
    log = folder / "log.txt"
    for names in (["single", "mirrored"], ["multiworker.0", "multiworker.1"]):
        processes = []
        for name in names:
            output = str(folder / f"{name}.npz")
            command = [str(HERE / "replicas.py"), name.split(".")[0], output, settings]
            processes.append(start(command, log, **environments[name]))
        wait(processes, log)
        for name in names:
            with np.load(folder / f"{name}.npz") as arrays:
                by_strategy[name] = dict(arrays)
    return by_strategy


def part(result: dict[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
    """The result of one training, without the random generators."""
    start = f"{number}."
    arrays = {name.removeprefix(start): a for name, a in result.items() if name.startswith(start)}
    return {name: array for name, array in arrays.items() if name != "seeds"}


def assert_close(first, second, tolerance: float) -> None:
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_allclose(
            array, second[name], atol=tolerance, rtol=tolerance, err_msg=name
        )


@pytest.mark.process
@pytest.mark.parametrize("name", ["mirrored", "multiworker.0", "multiworker.1"])
@pytest.mark.parametrize(
    "number", [0, 1, 3, 5], ids=["plain", "in parts", "adversarial", "language"]
)
def test_replicas_make_the_updates_of_one(results, name, number):
    assert_close(part(results["single"], number), part(results[name], number), 1e-5)


@pytest.mark.process
def test_a_batch_in_parts_makes_the_update_of_the_whole(results):
    for result in results.values():
        assert_close(part(result, 0), part(result, 1), 1e-5)


@pytest.mark.process
def test_two_workers_are_two_devices_noise_and_all(results):
    for number in range(len(TRAININGS)):
        expected = part(results["mirrored"], number)
        assert_close(expected, part(results["multiworker.0"], number), 1e-6)
        assert_close(expected, part(results["multiworker.1"], number), 1e-6)


@pytest.mark.process
def test_each_replica_has_noise_of_its_own(results):
    first, second = results["mirrored"]["2.seeds"]
    assert first[0] != second[0]
    assert first[0] == results["single"]["2.seeds"][0][0]
    for worker, seed in enumerate((first, second)):
        assert results[f"multiworker.{worker}"]["2.seeds"][0].tolist() == seed.tolist()


# A worker that dies


class Cluster:
    """Two workers that train one run by the command line."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.ports = folder, free_ports(2)
        folder.mkdir()
        self.run = folder / "run"
        settings = {
            "train-file": data,
            "output": self.run,
            "vocab-size": 60,
            "units": 4,
            "embedding-units": 4,
            "batch-texts": 8,
            "epochs": 4,
            "checkpoint-minutes": 0,
        }
        self.command = ["-m", "textrnn", "train", "--resume-or-start"]
        for name, value in settings.items():
            self.command += [f"--{name}", str(value)]

    def start(self, index: int) -> subprocess.Popen:
        cache = str(self.folder.parent / "cache")
        environment = {**cluster(self.ports, index), "TEXTRNN_CACHE_DIR": cache}
        return start(self.command, self.folder / "log.txt", **environment)

    def finish(self, *workers: subprocess.Popen) -> str:
        """Waits for them; gives the digest of the weights."""
        wait(list(workers), self.folder / "log.txt")
        return json.loads((self.run / "digests.json").read_text())["sha256"]["model.weights.h5"]


@pytest.mark.slow
def test_a_worker_that_is_killed_and_comes_back_changes_nothing(tmp_path):
    data = write_csv(tmp_path / "letters.csv", labelled_texts(120))
    whole = Cluster(tmp_path / "whole", data)
    undisturbed = whole.finish(whole.start(0), whole.start(1))
    struck = Cluster(tmp_path / "struck", data)
    chief, second = struck.start(0), struck.start(1)
    try:
        deadline = time.monotonic() + 120
        # The twentieth of 14 updates an epoch: within the second.
        while not list(struck.run.glob("checkpoints/update-00000020.npz")):
            assert time.monotonic() < deadline, (struck.folder / "log.txt").read_text()
            time.sleep(0.01)
        second.send_signal(signal.SIGKILL)
        second.wait()
        second = struck.start(1)
        assert struck.finish(chief, second) == undisturbed
    finally:
        for worker in (chief, second):
            worker.kill()
            worker.wait()
    log = (struck.folder / "log.txt").read_text()
    assert "another worker was lost" in log
    assert "resuming after 1 epoch," in log


# Choosing


def test_one_device_is_the_default(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    ours = Distribution.choose()
    assert (ours.replicas, ours.is_chief, ours.several_machines) == (1, True, False)
    assert ours.broadcast(b"abc") == b"abc"


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}'],
)
def test_several_machines_need_a_cluster(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ConfigError, match=r"strategy multiworker needs the .* TF_CONFIG with at"):
        Distribution.choose("multiworker")


def test_workers_that_do_not_find_each_other_may_try_again(monkeypatch):
    task = {"type": "worker", "index": 0}
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": task}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))

    def fail() -> None:
        raise tf.errors.UnavailableError(None, None, "no answer\nfrom b")

    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", fail)
    with pytest.raises(IncompleteCluster, match=r"did not come together \(no answer\); ") as error:
        Distribution.choose("auto")
    assert error.value.exit_code == TRY_AGAIN == LOST_ANOTHER == 75


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"cluster": 3}', '{"cluster": {"worker": 3}}'])
def test_a_cluster_that_is_none_is_an_error(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ConfigError, match="TF_CONFIG must be JSON such as"):
        Distribution.choose("auto")


@pytest.mark.thorough
def test_without_a_tpu_it_says_so(monkeypatch):
    monkeypatch.delenv("TPU_NAME", raising=False)
    with pytest.raises(ConfigError, match=r"strategy tpu found no TPU \(.*\); run it on a TPU"):
        Distribution.choose("tpu")


# Static shapes


def one_update(
    *,
    static: bool,
    compiled: bool,
    training: dict[str, float] | None = None,
    language_weight: float = 0.0,
    **settings,
) -> list[np.ndarray]:
    """The weights after two updates."""
    model = classifier(**settings)
    language_model_loss = None
    if language_weight:
        texts = [np.array([2, 3, 3])]
        language_model_loss = LanguageModelLoss(model, weight=language_weight, texts=texts, seed=0)
    parts = 2 if model.stack is None else 1
    config = ClassifierRunConfig.of(
        learning_rate=0.05, accumulate=parts, ema=0.9, **(training or {})
    )
    unlabelled_rows = 4.0 if {"adversarial", "vat", "entropy"} & set(training or {}) else 0.0
    loss = BatchLoss.from_config(
        config,
        label_space=LabelSpace(("a", "b"), multi_label=False),
        mean_rows=4.0,
        unlabelled_rows=unlabelled_rows,
    )
    source = choose_source(model, config, loss=loss, language_model_loss=language_model_loss)
    optimizer = make_optimizer(config)
    optimizer.build(source.variables)
    step = Step(
        source,
        optimizer,
        loss=loss,
        config=config,
        distribution=Distribution(tf.distribute.get_strategy(), static=static),
        control_flags=1,
    )
    update = tf.function(step.update, jit_compile=compiled)
    rng = np.random.default_rng(0)
    for number in range(2):
        ids = rng.integers(1, 10, size=(4, 6)).astype(np.int32)
        ids[0, 5:] = ids[2, 3:] = 0
        targets = np.eye(2, dtype=np.float32)[rng.integers(0, 2, size=4)]
        weights = np.array([1, 1, 1, 0], np.float32)
        batch = [ids, targets, weights, *([ids[::-1]] if unlabelled_rows else [])]
        signals = update(*map(tf.constant, step.inputs(batch, [1.0], seed=[0, number])))
        assert np.isfinite(signals.numpy()).all()
    return [*model.get_weights(), *(variable.numpy() for variable in source.variables)]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "cell",
    [pytest.param(cell, marks=() if cell == "mingru" else pytest.mark.slow) for cell in CELLS],
)
def test_the_step_in_static_shapes_compiles_with_xla_and_is_the_same(cell):
    settings = {"cell": cell, "head": "attention", "window": 2 if cell == "mingru" else 1}
    expected = one_update(static=False, compiled=False, **settings)
    static_update = one_update(static=True, compiled=True, **settings)
    for first, second in zip(expected, static_update, strict=True):
        np.testing.assert_allclose(first, second, atol=2e-5)


@pytest.mark.thorough
def test_the_language_model_s_loss_compiles_with_xla_and_is_the_same():
    settings: dict[str, Any] = {"cell": "mingru", "units": 3, "language_weight": 0.5}
    expected = one_update(static=False, compiled=False, **settings)
    static_update = one_update(static=True, compiled=True, **settings)
    for first, second in zip(expected, static_update, strict=True):
        np.testing.assert_allclose(first, second, atol=2e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("training", [{"adversarial": 0.1, "entropy": 0.1}, {"vat": 0.1}], ids=str)
def test_the_adversarial_step_compiles_with_xla_and_is_the_same(training, monkeypatch):
    # XLA makes other normal numbers of the same seed; these are the same with and without it. Each
    # part of a batch draws its own, and a compiled batch has one part.
    monkeypatch.setattr(
        keras.random,
        "normal",
        lambda shape, seed: tf.reshape(
            tf.sin(tf.range(tf.cast(tf.reduce_prod(shape), tf.float32))), shape
        ),
    )
    module = "textrnn.training.update.gradient_sources.embedded_batch"
    monkeypatch.setattr(f"{module}.batch_parts", lambda directions: 1)
    settings = {"cell": "none", "head": "mean", "training": training}
    expected = one_update(static=False, compiled=False, **settings)
    static_update = one_update(static=True, compiled=True, **settings)
    for first, second in zip(expected, static_update, strict=True):
        np.testing.assert_allclose(first, second, atol=2e-5)
