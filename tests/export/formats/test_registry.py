"""The list of all formats."""

from __future__ import annotations

import importlib.util

from textrnn.config.choices import EXPORT_KINDS
from textrnn.export.formats import FORMATS


def test_the_command_line_offers_every_format() -> None:
    assert tuple(FORMATS) == EXPORT_KINDS


def test_every_probe_is_a_module() -> None:
    for export_format in FORMATS.values():
        assert importlib.util.find_spec(export_format.probe) is not None
