"""A language model, a stand-in for the trainings of which only the call matters, and a cluster."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from filelock import FileLock
from tiny import shared_folder

from textrnn.cli.main import main


class Pretrained(NamedTuple):
    """A language model's run folder, and what `textrnn pretrain --json` printed."""

    folder: Path
    texts: Path
    stdout: str


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Pretrained:
    """A tiny language model; tests must leave its folder unchanged."""
    home = shared_folder(tmp_path_factory) / "pretrained"
    texts, printed = home / "plain.txt", home / "stdout.txt"
    with FileLock(f"{home}.lock"):
        if not printed.exists():
            home.mkdir()
            printed.write_text(_pretrain(home, texts), encoding="utf-8")
    return Pretrained(home / "runs" / "plain_lm", texts, printed.read_text(encoding="utf-8"))


def _pretrain(home: Path, texts: Path) -> str:
    """Trains a language model; returns what was printed."""
    texts.write_text("\n".join(["a b c d e f", "b c d e f a", "x y x y"] * 10), encoding="utf-8")
    sizes = ("--units", "3", "--embedding-units", "4", "--layers", "2", "--window", "1")
    batches = ("--vocab-size", "40", "--streams", "2", "--segment", "8", "--negatives", "8")
    lengths = ("--epochs", "2", "--held-out", "0.1")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("TEXTRNN_CACHE_DIR", str(home / "cache"))
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        result = CliRunner().invoke(
            main,
            ["pretrain", "--text-file", "plain.txt", *sizes, *batches, *lengths, "--json"],
            catch_exceptions=False,
        )
    assert result.exit_code == 0, result.output
    return result.stdout


class FakeTraining:
    """Stands for a function that trains: remembers its arguments, and acts as a test says."""

    def __init__(self) -> None:
        self.act: Callable[..., Any] = lambda **_: None
        self.config: Any = None
        self.folder: Path | None = None
        self.options: dict[str, Any] = {}

    def __call__(self, config: Any, folder: Path, **options: Any) -> Any:
        self.config, self.folder, self.options = config, folder, options
        return self.act(**options)


@pytest.fixture
def fake_train(monkeypatch: pytest.MonkeyPatch) -> FakeTraining:
    """Takes the place of the training of a classifier."""
    fake = FakeTraining()
    monkeypatch.setattr("textrnn.training.run.classifier.train", fake)
    return fake


@pytest.fixture
def fake_pretrain(monkeypatch: pytest.MonkeyPatch) -> FakeTraining:
    """Takes the place of the training of a language model."""
    fake = FakeTraining()
    monkeypatch.setattr("textrnn.training.run.language_model.pretrain", fake)
    return fake


@pytest.fixture(autouse=True)
def quick_graphs(request: pytest.FixtureRequest) -> None:
    """Traces nothing in the quick tests, as those of training and inference and the gate's do."""
    if not any(map(request.node.get_closest_marker, ("process", "thorough", "slow"))):
        request.getfixturevalue("eagerly")


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster that other processes have started, by `ray start`."""
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    gcs, client = (port.getsockname()[1] for port in ports)
    for port in ports:
        port.close()
    with tempfile.TemporaryDirectory(prefix="ray") as folder:  # Sockets have short names.
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
        command += ["--port", str(gcs), "--ray-client-server-port", str(client)]
        command += ["--num-cpus", "1", "--object-store-memory", "80000000"]
        command += ["--include-dashboard", "false", "--temp-dir", folder]
        quiet = subprocess.DEVNULL
        # The address alone does not tell whether a cluster asks for a token.
        monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
        process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
        try:
            _wait_for(client)
            yield f"ray://127.0.0.1:{client}"
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise TimeoutError(port)
