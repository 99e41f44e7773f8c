"""How many random examples a property test draws: all in the gate, a quarter in plain pytest."""

from __future__ import annotations

import os

from hypothesis import settings

ALL = os.environ.get("TEXTRNN_TEST_EXAMPLES") == "all"
"""Whether every example is drawn; `.ci/run` sets the variable."""


def examples(count: int) -> settings:
    """The settings of a property test that draws `count` examples in the gate."""
    return settings(max_examples=count if ALL else max(count // 4, 10), deadline=None)
