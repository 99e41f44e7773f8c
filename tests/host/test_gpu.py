from pathlib import Path

import pytest
import tensorflow as tf

from textrnn.host import gpu


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a machine with the driver of an NVIDIA GPU of this one."""
    path = tmp_path / "version"
    path.write_text("NVRM version")
    monkeypatch.setattr(gpu, "DRIVER", path)
    monkeypatch.delenv(gpu.VISIBLE, raising=False)


def test_without_a_driver_there_is_nothing_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "DRIVER", tmp_path / "version")
    assert gpu.unseen_gpu_message() == ""


@pytest.mark.usefixtures("driver")
def test_a_gpu_that_tensorflow_does_not_see_is_told_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert "pip install 'tensorflow[and-cuda]'" in gpu.unseen_gpu_message()
    monkeypatch.setenv(gpu.VISIBLE, "-1")
    assert gpu.unseen_gpu_message() == "the GPU is hidden by CUDA_VISIBLE_DEVICES='-1'"


@pytest.mark.usefixtures("driver")
def test_a_gpu_that_tensorflow_sees_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0"])
    assert gpu.unseen_gpu_message() == ""


def test_memory_grows_until_tensorflow_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    grown: list[tuple[str, bool]] = []

    def grow(device: str, enable: bool) -> None:
        if grown:
            raise RuntimeError("the GPU has been initialized")
        grown.append((device, enable))

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0", "GPU:1"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", grow)
    gpu.grow_gpu_memory()
    assert grown == [("GPU:0", True)]
