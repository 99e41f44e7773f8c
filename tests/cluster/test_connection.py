"""The address of a cluster, and what is said where there is none."""

import socket
import subprocess
import sys

import pytest

from textrnn.cli.main import _COMMANDS
from textrnn.cluster.connection import check_address, connected
from textrnn.errors import ConfigError


@pytest.mark.parametrize("address", ["auto", "local", "ray://127.0.0.1:10001"])
def test_addresses(address):
    assert check_address(address) == address


@pytest.mark.parametrize("address", ["", "here", "127.0.0.1:6379", "ray://host", "http://a:1"])
def test_other_addresses_are_refused(address):
    with pytest.raises(ConfigError, match="must be auto, local or ray://HOST:PORT, got"):
        check_address(address)


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'textrnn\[ray\]'"), connected("local"):
        pass


@pytest.mark.process
def test_a_cluster_that_is_not_there_is_an_error(monkeypatch):
    pytest.importorskip("ray", reason="needs textrnn[ray]")
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", place)
    # A process of its own, because this one may be connected to a cluster of other tests.
    code = "import sys\nfrom textrnn.cluster.connection import connected\n"
    code += "with connected(sys.argv[1]):\n    pass"
    for address in ("auto", f"ray://{place}"):
        command = [sys.executable, "-c", code, address]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert "ConfigError: expected a Ray cluster at" in done.stderr
        assert "start one by `ray start --head`" in done.stderr


@pytest.mark.process
def test_no_command_imports_ray_by_itself():
    names = ", ".join(f"textrnn.cli.commands.{name}" for name in _COMMANDS)
    names += ", textrnn.cluster.units, textrnn.cluster.serving, textrnn.cluster.training"
    code = f"import sys, {names}, textrnn.cli.cluster_answers\nassert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.process
def test_trainings_without_a_cluster_need_no_ray(tmp_path):
    code = """
import sys
sys.modules["ray"] = None
from pathlib import Path
from textrnn.config.classifier import ClassifierRunConfig
from textrnn.training.search.child import Training
from textrnn.training.search.placement import Placement
home = Path(sys.argv[1])
with Placement(worker_cores=1, workers=2).runner(ClassifierRunConfig()) as runner:
    runner.start("a", Training(home / "none.yaml", home / "run", home / "log"))
    assert runner.next()[1].code == 1
assert "tensorflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert "none.yaml: expected a file of settings" in (tmp_path / "log").read_text()
