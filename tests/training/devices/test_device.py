from __future__ import annotations

import os

import pytest
import tensorflow as tf

from textrnn.config.training import RuntimeConfig
from textrnn.errors import ConfigError
from textrnn.training.devices import device
from textrnn.training.devices.device import (
    choose_distribution,
    choose_precision,
    device_message,
    make_deterministic,
)


def choose(kind: str, strategy: str = "single"):
    return choose_distribution(RuntimeConfig(device=kind), strategy=strategy)


@pytest.mark.parametrize("kind", ["auto", "cpu"])
def test_a_machine_without_a_gpu_trains_on_its_cpu(kind):
    distribution = choose(kind)
    assert distribution.replicas == 1
    assert device_message(distribution).startswith("device: CPU, ")


def test_a_gpu_that_is_asked_for_must_exist(monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: [])
    with pytest.raises(ConfigError, match="`device` is gpu, but TensorFlow sees no GPU"):
        choose("gpu")
    monkeypatch.setattr(device, "unseen_gpu_message", lambda: "a CUDA library is missing")
    with pytest.raises(ConfigError, match="but a CUDA library is missing; or set it to auto"):
        choose("gpu")


def test_a_gpu_that_is_not_seen_is_told_at_the_start(monkeypatch):
    monkeypatch.setattr(device, "unseen_gpu_message", lambda: "a CUDA library is missing")
    assert device_message(choose("auto")).endswith("; warning: a CUDA library is missing")


def test_the_cpu_cannot_be_chosen_once_a_gpu_is_started(monkeypatch):
    def refuse(devices, kind):
        raise RuntimeError("Visible devices cannot be modified")

    monkeypatch.setattr(tf.config, "set_visible_devices", refuse)
    assert choose("cpu").replicas == 1
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: ["GPU:0"])
    with pytest.raises(ConfigError, match="CUDA_VISIBLE_DEVICES=-1 before"):
        choose("cpu")


@pytest.mark.parametrize(
    ("kind", "strategy", "message"),
    [
        ("tpu", "mirrored", "`device` tpu needs `strategy` auto or tpu, got 'mirrored'"),
        ("cpu", "tpu", "`strategy` tpu needs `device` auto or tpu, got 'cpu'"),
        pytest.param("tpu", "auto", "found no TPU", marks=pytest.mark.thorough),
    ],
)
def test_a_device_that_does_not_suit_is_refused(kind, strategy, message):
    with pytest.raises(ConfigError, match=message):
        choose(kind, strategy)


def test_determinism_leaves_scatters_on_the_device_and_turns_tf32_off(monkeypatch):
    calls = []
    monkeypatch.setattr(
        tf.config.experimental, "enable_op_determinism", lambda: calls.append("deterministic")
    )
    monkeypatch.setattr(
        tf.config.experimental, "enable_tensor_float_32_execution", lambda on: calls.append(on)
    )
    monkeypatch.setenv("TF_DISABLE_SCATTER_OP_DETERMINISM", "")
    monkeypatch.delenv("TF_DISABLE_SCATTER_OP_DETERMINISM")
    make_deterministic()
    assert calls == ["deterministic", False]
    assert os.environ["TF_DISABLE_SCATTER_OP_DETERMINISM"] == "1"


def test_the_precision_that_is_left_open_is_that_of_the_device(monkeypatch):
    devices: dict[str, list[str]] = {"GPU": [], "TPU": []}
    capability = (9, 0)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: devices[kind])
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: devices[kind])
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details", lambda _: {"compute_capability": capability}
    )
    monkeypatch.setattr(device, "multiplies_bfloat16", lambda: False)
    assert choose_precision("auto") == "float32"
    monkeypatch.setattr(device, "multiplies_bfloat16", lambda: True)
    assert choose_precision("auto") == "bfloat16"
    devices["GPU"] = ["GPU:0"]
    assert choose_precision("auto") == "bfloat16"
    assert choose_precision("float32") == "float32"
    capability = (7, 5)
    assert choose_precision("auto") == "float32"
    devices["TPU"] = ["TPU:0"]
    assert choose_precision("auto") == "bfloat16"
