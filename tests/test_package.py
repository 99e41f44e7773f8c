import importlib.metadata
import importlib.resources
import inspect
import itertools
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

import textrnn
from textrnn.layers.cells import CELLS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def distribution() -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution("textrnn")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("textrnn is not installed")


def test_the_command_is_installed(distribution):
    (script,) = (e for e in distribution.entry_points if e.group == "console_scripts")
    assert (script.name, script.value) == ("textrnn", "textrnn.cli.main:main")
    assert callable(script.load())


def test_only_one_name_is_installed(distribution):
    assert distribution.read_text("top_level.txt").split() == ["textrnn"]


def test_the_version_is_that_of_the_distribution(distribution):
    assert textrnn.__version__ == distribution.version


def test_what_is_needed_is_stated(distribution):
    needed = {re.split(r"[^\w-]", requirement)[0] for requirement in distribution.requires}
    assert {"tensorflow", "keras", "sentencepiece", "numpy", "h5py", "click"} <= needed


def test_what_some_commands_need_is_an_extra(distribution):
    always = {
        re.split(r"[^\w-]", requirement)[0].lower()
        for requirement in distribution.requires
        if "extra ==" not in requirement
    }
    for extra, package in (
        ("export", "tensorflow-text"),
        ("export", "tensorflow-serving-api"),
        ("export", "ai-edge-litert"),
        ("tune", "optuna"),
        ("serve", "starlette"),
    ):
        assert package not in always
        assert any(
            requirement.startswith(package) and re.search(f"extra == .{extra}.", requirement)
            for requirement in distribution.requires
        )


@pytest.fixture
def released(monkeypatch) -> dict[str, Any]:
    """The arguments that setup.py gives to setuptools for a release."""
    setuptools = pytest.importorskip("setuptools", reason="needs setuptools")
    values: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", values.update)
    monkeypatch.setenv("TEXTRNN_REPOSITORY", "https://example.org/textrnn")
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(ROOT / "setup.py"))
    return values


def test_the_links_of_a_release_lead_to_its_files(released):
    targets = re.findall(r"\]\(([^)]+)\)", released["long_description"])
    begin = "https://example.org/textrnn/"
    assert len(targets) > 40
    for target in targets:
        assert target.startswith(("https://", "#"))
        if target.startswith(begin):
            kind, version, path = target.removeprefix(begin).split("/", 2)
            assert version == f"v{textrnn.__version__}"
            assert kind == ("raw" if path.endswith(".png") else "blob")
            assert (ROOT / path.partition("#")[0]).exists()


def test_the_licence_of_every_package_that_is_needed_is_listed(released):
    listed = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8").lower()
    extras = {n: e for n, e in released["extras_require"].items() if n not in ("test", "dev")}
    for requirement in (*released["install_requires"], *itertools.chain(*extras.values())):
        name = re.split(r"[^\w-]", requirement)[0].lower()
        assert re.search(rf"\b{name}\b", listed), f"docs/licences.md does not name {name}"


def test_the_types_are_shipped():
    assert (importlib.resources.files("textrnn") / "py.typed").is_file()


@pytest.mark.parametrize("name", textrnn.__all__)
def test_a_public_name_is_there_and_explained(name):
    thing = getattr(textrnn, name)
    assert thing.__name__.removeprefix("textrnn.") == name
    assert inspect.getdoc(thing)
    assert thing.__doc__, "inherited from its base"
    assert getattr(thing, "__module__", thing.__name__).startswith("textrnn.")


def test_public_names_are_listed():
    assert dir(textrnn) == sorted([*textrnn.__all__, "__version__"])
    assert set(textrnn.__all__) == {*textrnn._HOMES, "export"}


def test_every_built_in_cell_is_public():
    assert {cell.__name__ for cell in CELLS.values()} <= set(textrnn.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'textrnn' has no attribute 'Cell'"):
        _ = textrnn.Cell


def test_the_parts_that_live_elsewhere_are_packages_of_ours():
    for name in ("textrnn.training", "textrnn.export", "textrnn.runtime"):
        assert importlib.import_module(name).__name__ == name
