"""`textrnn.export` is a package, and the function of the command's name."""

import pytest

import textrnn
import textrnn.export.run
from textrnn.errors import ConfigError, ModelError


def test_the_package_can_be_called(tmp_path):
    with pytest.raises(ModelError, match="expected a run folder, found none"):
        textrnn.export(tmp_path / "none")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": ["onnx"]}, "unknown option format of an export; did you mean form"),
        ({"kinds": ["onnx"]}, "unknown option kinds of an export; known: formats, lengths, "),
        ({"formats": ["onnx", "exe"]}, "`formats` must be of saved_model, .*, got 'exe'"),
    ],
)
def test_options_are_keyword_arguments_that_are_checked_first(tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message):
        textrnn.export(tmp_path / "none", **settings)  # type: ignore[operator]


def test_its_modules_are_imported_as_ever():
    assert textrnn.export.run.export.__module__ == "textrnn.export.run"
