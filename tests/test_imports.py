"""The rules of the house that can be read off the source files."""

import ast
import functools
import graphlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = {"textrnn": "textrnn"} | {
    folder: f"textrnn.{folder}" for folder in ("training", "export", "runtime")
}
# The folders that each folder, or module at the root, may import; all but the runtime, which is a
# distribution of its own, may import `errors` and the runtime.
MAY_IMPORT = {
    "runtime": "",
    "errors": "",
    "registration": "",
    "keras_internals": "",
    "host": "",
    "progress": "",
    "config": "",
    "text": "host config progress",
    "data": "host config messages progress",
    "layers": "host",
    "messages": "text progress",
    "pictures": "messages",
    "models": "config text layers",
    "inference": "host config text data models messages progress",
    "evaluation": "config text data models inference messages progress",
    "analysis": "host config text data layers messages progress pictures models inference "
    "evaluation",
    "export": "host config text layers messages progress models inference evaluation",
    "cluster": "host messages",
    "training": "keras_internals host config text data layers messages progress pictures models "
    "inference evaluation analysis cluster",
    "sklearn": "config data inference training",
    "cli": "host config text data layers messages progress inference evaluation analysis export "
    "cluster training",
    "__main__": "cli",
}
# Within a folder, a part imports only parts that stand before it.
WITHIN = {
    "layers": "cells recurrence inputs window rnn bidirectional stack pooling embedding ngrams",
    "analysis": "data_check dynamics attribution statistics drift comparison compare planted "
    "redundancy report",
    "training": "batches devices update loop run search",
    "export": "options sample manifest reference graphs workers verification formats description "
    "language_model run",
    "cli": "console flags reporting help option_group options run_argument engine likelihoods "
    "interrupt run_choice fold_lines next_commands training startup answering_run stdin_pieces "
    "text_options "
    "texts answers answer_columns output_options uncertain_options answer_table evaluation_table "
    "explanations uncertain_rows run_data cluster_option placement_options cluster_parts "
    "cluster_answers cluster_training commands main",
}


def source_files() -> dict[str, Path]:
    """Maps the name of each module, as it is installed, to its file."""
    files = {}
    for folder, package in SOURCES.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = (package, *path.relative_to(ROOT / folder).with_suffix("").parts)
            files[".".join(part for part in parts if part != "__init__")] = path
    return files


FILES = source_files()


@functools.cache
def tree_of(module: str) -> ast.Module:
    """The syntax tree of a module, parsed in that process alone whose tests ask for it."""
    return ast.parse(FILES[module].read_text("utf-8"))


def trees() -> Iterator[tuple[str, ast.Module]]:
    """The name and the syntax tree of each module."""
    return ((module, tree_of(module)) for module in FILES)


def imports(module: str) -> Iterator[str]:
    """The modules that a module imports anywhere in it, for type checking only or late too."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _imported_from(module, node)
            names = [f"{base}.{alias.name}" for alias in node.names]
            yield from (name if name in FILES else base for name in names)


def _imported_from(module: str, node: ast.ImportFrom) -> str:
    """The module that names are imported from; that of a relative import in its full form."""
    if not module.startswith("textrnn.runtime"):
        assert node.level == 0, f"{module}: write out a relative import"
        return str(node.module)
    # The runtime is installed under two names, so that it may not name itself.
    if node.level == 0:
        assert not str(node.module).startswith("textrnn"), f"{module}: import relatively"
        return str(node.module)
    package = FILES[module].name == "__init__.py"
    parents = module.split(".")[: None if package and node.level == 1 else package - node.level]
    return ".".join([*parents, *([node.module] if node.module else [])])


def own_imports() -> Iterator[tuple[str, list[str], list[str]]]:
    """Each import of one module of ours by another: the import, and both names in their parts."""
    for module in FILES:
        for imported in imports(module):
            # The face of the package imports late.
            if module != "textrnn" and imported.startswith("textrnn."):
                ours, theirs = (name.split(".")[1:] for name in (module, imported))
                yield f"{module} imports {imported}", ours, theirs


def test_the_files_are_found():
    assert {"textrnn", "textrnn.data.batching", "textrnn.training.loop.trainer"} <= set(FILES)
    assert {"textrnn.export", "textrnn.export.formats.onnx"} <= set(FILES)
    imported = set(imports("textrnn.training.run.classifier"))
    assert {"textrnn.inference.run_folder", "textrnn.inference.classifier"} <= imported


def test_each_folder_has_its_place():
    assert {module.split(".")[1] for module in FILES if "." in module} == set(MAY_IMPORT)
    rows = {folder: set(allowed.split()) for folder, allowed in MAY_IMPORT.items()}
    assert set(graphlib.TopologicalSorter(rows).static_order()) == set(rows)
    for folder, within in WITHIN.items():
        names = [module.split(".")[1:] for module in FILES]
        assert {n[1] for n in names if n[:1] == [folder] and n[1:]} == set(within.split())


def allowed_for(folder: str) -> set[str]:
    everywhere = set() if folder == "runtime" else {"errors", "runtime"}
    return {folder, *everywhere, *MAY_IMPORT[folder].split()}


def test_folders_import_only_what_they_may():
    offenders = [
        statement
        for statement, (folder, *_), (imported_folder, *_) in own_imports()
        if imported_folder not in allowed_for(folder)
    ]
    assert not offenders, "\n".join(offenders)


def test_imports_within_a_folder_go_one_way():
    offenders = []
    for statement, module, imported in own_imports():
        if module[0] == imported[0] and module[0] in WITHIN and len(module) > 1:
            order = WITHIN[module[0]].split()
            assert len(imported) > 1, f"{statement}: name the module"
            if order.index(imported[1]) > order.index(module[1]):
                offenders.append(statement)
    assert not offenders, "\n".join(offenders)


def test_training_and_export_never_import_each_other():
    offenders = [
        statement
        for statement, (folder, *_), (imported_folder, *_) in own_imports()
        if {folder, imported_folder} == {"training", "export"}
    ]
    assert not offenders, "\n".join(offenders)


def test_no_import_goes_in_a_circle():
    graph = {module: {i for i in imports(module) if i in FILES} for module in FILES}
    order = graphlib.TopologicalSorter(graph | {"textrnn": set()}).static_order()
    assert set(order) == set(FILES)


def test_the_given_folders_are_imported_by_their_installed_names():
    offenders = [
        f"{module} imports {imported}"
        for module in FILES
        for imported in imports(module)
        if imported.split(".")[0] in {"training", "export", "runtime"}
    ]
    assert not offenders, "\n".join(offenders)


def test_only_the_command_line_prints_and_exits():
    forbidden = {"print", "exit", "quit", "input", "SystemExit", "sys.exit", "os._exit"}
    offenders = []
    for module, tree in trees():
        if module.startswith(("textrnn.cli", "textrnn.runtime.cli", "textrnn.runtime.__main__")):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in forbidden:
                offenders.append(f"{module}:{node.lineno} {ast.unparse(node)}")
    assert not offenders, "\n".join(offenders)


def test_nothing_is_unpickled_or_evaluated():
    offenders = []
    safe = {"allow_pickle": "False", "safe_mode": "True"}
    for module, tree in trees():
        banned = {"pickle", "marshal", "shelve", "joblib", "dill"} & set(imports(module))
        offenders += [f"{module} imports {name}" for name in banned]
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in {"eval", "exec"}:
                offenders.append(f"{module}:{node.lineno} {node.id}")
            if (
                isinstance(node, ast.keyword)
                and node.arg in safe
                and ast.unparse(node.value) != safe[node.arg]
            ):
                offenders.append(f"{module}:{node.lineno} {ast.unparse(node)}")
    assert not offenders, "\n".join(offenders)


def test_no_assert_guards_anything():
    offenders = [
        f"{module}:{node.lineno}"
        for module, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    ]
    assert not offenders, "\n".join(offenders)


def test_a_file_is_one_concept():
    offenders = []
    for module, path in FILES.items():
        if len(path.read_text("utf-8").splitlines()) > 400:
            offenders.append(f"{module} has over 400 lines")
        if path.stem in {"utils", "util", "helpers", "helper", "common", "misc"}:
            offenders.append(f"{module} names no concept")
        if not ast.get_docstring(tree_of(module)):
            offenders.append(f"{module} has no docstring")
    assert not offenders, "\n".join(offenders)
