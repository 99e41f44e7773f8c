"""Fixtures of all tests. Keras is imported by those that need it, for it takes seconds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from textrnn.config.choices import CELLS

# The tests compile many tiny programs and run each of them once: to compile them takes longer.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
# As the command line sets it where there are two cores; the workers of the tests share them.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


def pytest_collection_finish() -> None:
    """Runs graphs as they were traced; to optimise them takes longer than to run them once."""
    tensorflow = sys.modules.get("tensorflow")  # Left alone where no test needs it.
    if tensorflow is not None:
        tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(params=[name for name in CELLS if name != "none"])
def cell_name(request: pytest.FixtureRequest) -> str:
    """Every recurrent cell in turn."""
    return request.param


@pytest.fixture
def seeded() -> None:
    """Makes a test's random weights the same at each run."""
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture
def set_dtype_policy() -> Iterator[Callable[[str], None]]:
    """Sets Keras' global dtype policy for one test."""
    import keras

    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Runs graph functions without a graph, whose tracing takes longer than such small sums.

    Each kind of training is traced in at least one test; where what is shown does not depend on
    the graph, as in a resumed training, the others ask for this.
    """
    from tiny import without_graphs

    with without_graphs():
        yield
