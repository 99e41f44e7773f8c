"""Fixtures of the analysis."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def linear_cells() -> ModuleType:
    """Cells whose memory is known beforehand."""
    path = Path(__file__).with_name("linear_cells.py")
    spec = importlib.util.spec_from_file_location("linear_cells", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
