"""Fixtures of all tests. Keras is imported by those that need it, for it takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from textrnn.config.choices import CELLS


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
