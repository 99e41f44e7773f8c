"""The decision to compile the update, and the compilation before the training."""

from __future__ import annotations

import functools
import math
from typing import Any

import keras
import numpy as np
import pytest

from textrnn.config.training import RuntimeConfig
from textrnn.data.batching import BatchPlan
from textrnn.progress import Silent
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.devices.strategy import Distribution
from textrnn.training.loop import compilation
from textrnn.training.loop.compilation import (
    UpdateCompiler,
    UpdateTime,
    compare,
    time_update,
    unchanged,
    warm_up,
)


class CountingStep:
    """Adds 1 to a variable, and remembers the shapes of its batches."""

    control_flags = 1
    rows_multiple = 1

    def __init__(self, weight: keras.Variable, *, jit: bool) -> None:
        self.weight, self.jit = weight, jit
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, batch, control_flags, *, seed):
        self.weight.assign(self.weight + 1.0)
        self.shapes.append(tuple(np.shape(batch[0])))
        return np.array([0.0, 0.0, 0.0, self.jit])


@pytest.fixture
def weight() -> keras.Variable:
    return keras.Variable(5.0)


@pytest.fixture
def compiler(weight):
    lengths = [3, 4, 20, 30, 40]
    plan = BatchPlan([np.full(length, 2) for length in lengths], batch_tokens=64)
    data = LabelledBatches(plan, np.eye(2, dtype=np.float32)[[0] * 5], np.ones(5, np.float32))
    make_step: Any = functools.partial(CountingStep, weight)
    return UpdateCompiler(
        make_step,
        data,
        variables=[weight],
        distribution=Distribution.choose("single"),
    )


def choose(compiler, *, updates=math.inf, **settings):
    config = RuntimeConfig(**settings)
    plain = compiler.make_step(jit=False)
    return compiler.choose(plain, config, updates=updates, reporter=Silent())


def test_each_shape_is_compiled_before_the_training(compiler, weight):
    step = choose(compiler, jit="on")
    assert step.jit
    plan = compiler.data.plan
    assert sorted(step.shapes) == sorted({(len(b.rows), b.length) for b in plan.batches()})
    assert len(step.shapes) > 1
    assert float(weight) == 5.0


@pytest.mark.parametrize("jit", ["off", "auto"])
def test_a_cpu_compiles_nothing_by_itself(compiler, jit):
    step = choose(compiler, jit=jit)
    assert not step.jit
    assert not step.shapes


def test_auto_measures_on_a_gpu(compiler, weight, monkeypatch):
    monkeypatch.setattr(compilation, "has_accelerator", lambda: True)
    times = {True: UpdateTime(2.0, 0.01), False: UpdateTime(1.0, 0.02)}
    monkeypatch.setattr(
        compilation,
        "time_update",
        lambda update, *, variables: times[bool(update(0)[3])],
    )
    assert choose(compiler, updates=10_000).jit
    assert not choose(compiler, updates=10).jit
    assert not choose(compiler, updates=10_000, deterministic=True).jit


def test_the_decision_says_what_was_measured():
    choice = compare(UpdateTime(1.0, 0.02), UpdateTime(2.0, 0.03), shapes=3, updates=math.inf)
    assert choice.jit is False
    assert choice.reason == (
        "20.0 ms an update without it, 30.0 ms with it, 2.0 s to compile each of 3 shapes"
    )


def test_a_measurement_changes_no_variable(weight):
    step = CountingStep(weight, jit=False)
    batch = [np.zeros([2, 3])]
    measured = time_update(lambda n: step(batch, [0.0], seed=[n]), variables=[weight])
    assert measured.first > 0
    assert len(step.shapes) == 1 + compilation.TIMED_UPDATES
    assert float(weight) == 5.0


def test_variables_get_their_values_back_after_an_error(weight):
    def fail():
        with unchanged([weight]):
            weight.assign(7.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert float(weight) == 5.0


def test_the_progress_counts_the_shapes(weight):
    advances = []

    class Recorder(Silent):
        def step(self, name, *, total):
            advances.append((name, total))
            return super().step(name, total=total)

    step: Any = CountingStep(weight, jit=True)
    warm_up(step, [[np.zeros([1, 2])]] * 3, variables=[weight], reporter=Recorder())
    assert advances == [("compiling", 3)]
