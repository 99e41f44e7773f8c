"""The settings of a computation."""

from __future__ import annotations

from typing import Any

import pytest

from textrnn.errors import ConfigError
from textrnn.layers.recurrence import Computation


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"chunk_steps": 0}, "`chunk_steps` must be a positive integer, got 0"),
        ({"recompute": -1}, "`recompute` must be an integer of at least 0, got -1"),
        ({"batch_parts": True}, "`batch_parts` must be a positive integer, got True"),
    ],
)
def test_integers_out_of_bounds_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Computation(**settings)


def test_nothing_is_set_by_default() -> None:
    assert Computation() == Computation("auto", None, 0, None)
