"""The kernels on a real GPU; run by `pytest -m gpu -n 0`."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from textrnn.layers import RNN, Bidirectional
from textrnn.layers.cells import CELLS
from textrnn.layers.recurrence import choose_kernel
from textrnn.layers.recurrence.devices import has_cudnn
from textrnn.layers.recurrence.kernel_check import check_kernels

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.skipif(not tf.config.list_physical_devices("GPU"), reason="there is no GPU"),
]


@pytest.fixture(autouse=True)
def _without_tf32():
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    yield
    tf.config.experimental.enable_tensor_float_32_execution(before)


@pytest.mark.parametrize("steps", [1, 64, 240])
def test_each_kernel_equals_the_definition(steps: int) -> None:
    checks = list(check_kernels(batch=8, steps=steps, units=32, jit=steps == 64))
    assert {check.cell for check in checks} == set(CELLS)
    assert max(check.difference for check in checks) < 1e-4


@pytest.mark.skipif(not has_cudnn(), reason="TensorFlow has no cuDNN")
@pytest.mark.parametrize("cell_name", ["simple", "gru", "lstm"])
def test_both_directions_in_one_call_equal_the_loop(cell_name: str) -> None:
    assert choose_kernel(CELLS[cell_name](4)).name == "cudnn"
    rng = np.random.default_rng(0)
    sequence = tf.constant(rng.normal(size=(5, 30, 8)), tf.float32)
    mask = tf.sequence_mask([30, 17, 1, 0, 29], 30)
    results = []
    weights = None
    for kernel in ("cudnn", "unroll"):
        layer = Bidirectional(RNN(CELLS[cell_name](16), kernel=kernel, return_sequences=True))
        layer.build(sequence.shape)
        if weights is None:
            weights = [rng.normal(scale=0.3, size=w.shape) for w in layer.get_weights()]
        layer.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(sequence)
            outputs = layer(sequence, mask=mask)
            total = tf.reduce_sum(tf.sin(3.0 * outputs))
        variables = [variable.value for variable in layer.trainable_variables]
        results.append([outputs, *tape.gradient(total, [sequence, *variables])])
    for actual, expected in zip(*results, strict=True):
        scale = float(tf.reduce_max(tf.abs(expected)))
        assert float(tf.reduce_max(tf.abs(actual - expected))) < 1e-4 * scale
