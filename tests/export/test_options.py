"""The options of an export."""

from __future__ import annotations

from typing import Any

import pytest

from textrnn.errors import ConfigError
from textrnn.export.options import ExportOptions


def test_the_defaults_make_everything() -> None:
    options = ExportOptions()
    assert "onnx" in options.formats
    assert "int4" in options.precisions
    assert "float32" not in options.precisions


@pytest.mark.parametrize("formats", ["onnx", ["onnx"], ("onnx",)])
def test_one_format_or_a_list_is_a_tuple(formats: Any) -> None:
    options = ExportOptions(formats=formats, lengths=[4, 8], precisions=[])  # type: ignore[arg-type]
    assert (options.formats, options.lengths, options.precisions) == (("onnx",), (4, 8), ())


@pytest.mark.parametrize(
    "settings",
    [
        {"formats": ("exe",)},
        {"precisions": ("float32",)},
        {"lengths": ()},
        {"lengths": (0,)},
        {"version": 0},
        {"name": "a/b"},
        {"name": ""},
    ],
)
def test_options_are_checked(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ExportOptions(**settings)
