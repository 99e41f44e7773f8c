"""The rules of the house that can be read off the source files."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {"textrnn": "textrnn", "training": "textrnn.training", "export": "textrnn.export"}
# A part imports only parts before it.
ORDER = (
    "registration",
    "errors",
    "wording",
    "threads",
    "settings",
    "data_config",
    "config",
    "pretrain_config",
    "atomic",
    "blocks",
    "text_checks",
    "cache",
    "normalization",
    "scripts",
    "vocabulary",
    "shown",
    "pictures",
    "cuts",
    "tokenizer",
    "vector_files",
    "vectors",
    "run_files",
    "data",
    "cells",
    "recurrence",
    "rnn",
    "bidirectional",
    "stack",
    "pooling",
    "embedding",
    "classifier",
    "language_model",
    "layers",
    "token_stream",
    "calibration",
    "class_figures",
    "confusion",
    "streaming",
    "inference",
    "likelihood",
    "bundle",
    "analysis",
    "training",
    "export",
    "cli",
    "__main__",
)


def source_files() -> dict[str, Path]:
    """Maps the name of each module, as it is installed, to its file."""
    files = {}
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = (package, *path.relative_to(ROOT / folder).with_suffix("").parts)
            files[".".join(part for part in parts if part != "__init__")] = path
    return files


FILES = source_files()
TREES = {module: ast.parse(path.read_text("utf-8")) for module, path in FILES.items()}
MODULES = pytest.mark.parametrize("module", FILES)


def imports(module: str) -> Iterator[str]:
    """The modules that a module imports anywhere in it, for type checking only or late too."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write out a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in FILES else str(node.module) for name in names)


def part(module: str) -> str:
    return module.split(".")[1]


def test_the_files_are_found():
    assert {"textrnn", "textrnn.data.batching", "textrnn.training.loop", "textrnn.export"} <= set(
        FILES
    )
    assert {"textrnn.bundle", "textrnn.inference"} <= set(imports("textrnn.training.run"))


@MODULES
def test_imports_go_one_way(module):
    if module == "textrnn":  # The face of the package; it imports late.
        return
    assert part(module) in ORDER, f"give {part(module)} its place in ORDER"
    place = ORDER.index(part(module))
    for imported in imports(module):
        if imported.startswith("textrnn."):
            assert ORDER.index(part(imported)) <= place, f"{module} imports {imported}"


def test_training_and_export_never_import_each_other():
    for one, other in [("training", "export"), ("export", "training")]:
        modules = [module for module in FILES if module.startswith(f"textrnn.{one}")]
        assert modules
        for module in modules:
            assert f"textrnn.{other}" not in {".".join(i.split(".")[:2]) for i in imports(module)}


def test_no_import_goes_in_a_circle():
    graph = {module: {i for i in imports(module) if i in FILES} for module in FILES}
    order = graphlib.TopologicalSorter(graph | {"textrnn": set()}).static_order()
    assert set(order) == set(FILES)


@MODULES
def test_the_given_folders_are_imported_by_their_installed_names(module):
    for imported in imports(module):
        assert imported.split(".")[0] not in {"training", "export"}


@MODULES
def test_only_the_command_line_prints_and_exits(module):
    if module.startswith("textrnn.cli"):
        return
    for node in ast.walk(TREES[module]):
        assert not (isinstance(node, ast.Name) and node.id in {"print", "exit", "quit", "input"})
        assert not (
            isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.exit", "os._exit"}
        )
        assert not (isinstance(node, ast.Name) and node.id == "SystemExit")


@MODULES
def test_nothing_is_unpickled_or_evaluated(module):
    assert not {"pickle", "marshal", "shelve", "joblib", "dill"} & set(imports(module))
    for node in ast.walk(TREES[module]):
        assert not (isinstance(node, ast.Name) and node.id in {"eval", "exec"})
        if isinstance(node, ast.keyword) and node.arg in {"allow_pickle", "safe_mode"}:
            assert (
                ast.unparse(node.value) == {"allow_pickle": "False", "safe_mode": "True"}[node.arg]
            )


@MODULES
def test_no_assert_guards_anything(module):
    assert not any(isinstance(node, ast.Assert) for node in ast.walk(TREES[module]))


@MODULES
def test_a_file_is_one_concept(module):
    path = FILES[module]
    assert len(path.read_text("utf-8").splitlines()) <= 400
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}
    assert ast.get_docstring(TREES[module])
