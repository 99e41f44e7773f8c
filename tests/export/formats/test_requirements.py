"""The packages that a format needs."""

from __future__ import annotations

from textrnn.export.formats.requirements import Requirement


def test_a_missing_package_is_named_with_what_to_install() -> None:
    requirement = Requirement(("numpy", "no_such_package"), "textrnn[onnx]")
    obstacle = "needs numpy, no-such-package: pip install 'textrnn[onnx]'"
    assert requirement.obstacle() == obstacle


def test_packages_that_are_there_are_no_obstacle() -> None:
    assert Requirement(("numpy", "keras"), "textrnn").obstacle() is None
