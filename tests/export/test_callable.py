"""`textrnn.export` is a package, and the function of the command's name."""

import pytest

import textrnn
import textrnn.export.run
from textrnn.errors import ModelError


def test_the_package_can_be_called(tmp_path):
    with pytest.raises(ModelError, match="expected a run folder, found none"):
        textrnn.export(tmp_path / "none")  # type: ignore[operator]


def test_its_modules_are_imported_as_ever():
    assert textrnn.export.run.export.__module__ == "textrnn.export.run"
