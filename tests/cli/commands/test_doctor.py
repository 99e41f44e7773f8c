import importlib.metadata
import json

import pytest


@pytest.fixture
def facts(textrnn):
    return json.loads(textrnn("doctor", "--json", "--no-kernels").stdout)


def test_versions_devices_and_folders_are_named(facts, home):
    assert facts["textrnn"] == importlib.metadata.version("textrnn")
    assert facts["tokenizer cache"] == str(home.parent / "cache")
    assert "CPU" in facts["devices"]
    assert "operations at once" in facts["threads"]


def test_the_kernel_of_each_cell_has_its_reason(facts):
    assert facts["kernel of lstm"].startswith("chunked: explicit gradient")
    assert facts["kernel of mingru"].startswith("chunked: on a CPU")


def test_a_package_that_is_missing_is_no_error(textrnn, monkeypatch):
    def version(package: str) -> str:
        if package == "tf2onnx":
            raise importlib.metadata.PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert (
        json.loads(textrnn("doctor", "--json", "--no-kernels").stdout)["tf2onnx"] == "not installed"
    )


def test_the_table_has_the_same_facts(textrnn):
    assert importlib.metadata.version("keras") in textrnn("doctor", "--no-kernels").stdout


@pytest.mark.slow
def test_the_kernels_are_checked_on_this_machine(textrnn):
    checks = json.loads(textrnn("doctor", "--json").stdout)["kernels"]
    assert {check["kernel"] for check in checks} == {"chunked", "scan"}
    assert all(check["difference"] < 1e-4 for check in checks)
