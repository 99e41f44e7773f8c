"""An update as a function of tensors, against the update that assigns variables."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from textrnn.training.update.pure_update import PureUpdate

ACCELERATOR = Path(__file__).parents[3] / "benchmarks" / "accelerator"


def load(name: str) -> Any:
    """A module of the benchmarks."""
    spec = importlib.util.spec_from_file_location(name, ACCELERATOR / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


programs = load("programs")
TINY = programs.Shape(batch=4, length=32, units=4, vocabulary=20)
CASES = [
    *(("mingru", source) for source in programs.SOURCES),
    *((cell, "plain") for cell in ("simple", "gru", "lstm", "minlstm")),
    ("mingru", "pretraining"),
    ("lstm", "pretraining"),
]


def outputs_of(program: Any) -> list[np.ndarray]:
    """The result and the new values, by TensorFlow without XLA."""
    pure, count = program.pure, len(program.arguments)

    @tf.function(autograph=False)
    def run(*tensors: tf.Tensor) -> list[tf.Tensor]:
        result, new = pure(tensors[:count], values=tensors[count:])
        return [result, *new]

    values = [tf.convert_to_tensor(variable.value) for variable in pure.variables]
    return [np.asarray(value) for value in run(*program.arguments, *values)]


def assert_equal(
    actual: list[Any], expected: list[Any], *, tolerance: float, floor: float = 1e-3
) -> None:
    for a, e in zip(actual, expected, strict=True):
        a, e = np.asarray(a, np.float64), np.asarray(e, np.float64)
        assert a.shape == e.shape
        scale = max(float(np.abs(e).max(initial=0.0)), floor)
        assert np.abs(a - e).max(initial=0.0) <= tolerance * scale


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("cell", "source"),
    [("mingru", "plain"), pytest.param("lstm", "vat", marks=pytest.mark.slow)],
)
def test_the_new_values_are_those_that_the_update_assigns(cell: str, source: str) -> None:
    program = programs.make_program(cell, source, TINY)
    before = [variable.numpy() for variable in program.pure.variables]
    result, *new = outputs_of(program)
    after_pure = [variable.numpy() for variable in program.pure.variables]
    assert_equal(after_pure, before, tolerance=0.0)
    assigned = tf.function(program.pure._update, autograph=False)(*program.arguments)
    assert_equal([result], [assigned], tolerance=1e-6)
    assert_equal(new, [v.numpy() for v in program.pure.variables], tolerance=1e-5)


def test_an_update_is_lowered_for_a_device_that_is_not_there() -> None:
    total = keras.Variable(1.0)
    pure = PureUpdate(lambda change: total.assign_add(change), [total])
    module = pure.stablehlo([tf.constant(2.0)], platform="GPU")
    assert b"StableHLO" in module or module.startswith(b"ML")
    assert float(total.value) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "source"), CASES)
def test_the_program_for_a_gpu_gives_the_same_numbers_under_jax(
    cell: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # XLA makes other normal numbers of the same seed; the directions of `vat` are these instead.
    monkeypatch.setattr(keras.random, "normal", programs.fixed_directions)
    jax = pytest.importorskip("jax", reason="jax is not installed")
    jax.config.update("jax_enable_x64", True)
    run_jax = load("run_jax")
    program = programs.make_program(cell, source, TINY)
    module = program.pure.stablehlo(program.arguments, platform="GPU")
    values = [np.asarray(variable.value) for variable in program.pure.variables]
    arguments = [np.asarray(value) for value in program.arguments]
    actual = run_jax.jax_function(module)(*arguments, *values)
    tolerance = run_jax.TOLERANCES[program.precision]
    floor = run_jax.FLOORS[program.precision]
    assert_equal(list(actual), outputs_of(program), tolerance=tolerance, floor=floor)
