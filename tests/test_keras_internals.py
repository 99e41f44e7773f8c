"""Private names of Keras and TensorFlow stand in one file."""

import ast
import importlib
from collections.abc import Iterator

import keras
import numpy as np
import pytest
from test_imports import FILES, imports, tree_of, trees

from textrnn.keras_internals import ExtensibleAdam

HOME = "textrnn.keras_internals"
PRIVATE_MODULES = ("keras.src", "tensorflow.python", "tensorflow.compiler", "tensorflow.core")
READ = {
    "_get_variable_index",
    "_model_variables_moving_average",
    "_momentums",
    "_use_weight_decay",
    "_value",
    "_velocities",
}
REPLACED = {
    "_backend_update_step",
    "_var_key",
    "_all_reduce_sum_gradients",
    "_apply_weight_decay",
    "_update_model_variables_moving_average",
}
OF_NAMED_TUPLES = {"_asdict", "_fields", "_make", "_replace"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def defined_names(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives to functions, classes, variables and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def foreign_names(module: str) -> set[str]:
    """The private attributes that a module reads, and does not define."""
    attributes = {
        node.attr
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Attribute) and is_private(node.attr)
    }
    strings = {
        node.args[1].value
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"getattr", "setattr", "hasattr"}
        and isinstance(node.args[1], ast.Constant)
        and isinstance(node.args[1].value, str)
        and is_private(node.args[1].value)
    }
    return (attributes | strings) - set(defined_names(tree_of(module))) - OF_NAMED_TUPLES


def replaced_names(module: str) -> set[str]:
    """The private names of Keras and TensorFlow that the classes of a module define anew."""
    classes = [node.name for node in ast.walk(tree_of(module)) if isinstance(node, ast.ClassDef)]
    if "keras" not in set(imports(module)) and HOME not in set(imports(module)):
        return set()
    things = vars(importlib.import_module(module))
    return {
        name
        for cls in (things[name] for name in classes if isinstance(things.get(name), type))
        for base in cls.__mro__[1:]
        if base.__module__.split(".")[0] in {"keras", "tensorflow"}
        for name in vars(cls)
        if is_private(name) and name in vars(base)
    }


@pytest.mark.thorough
def test_only_one_file_reads_private_names() -> None:
    offenders = [
        f"{module}: {name}"
        for module in FILES
        if module != HOME
        for name in sorted(foreign_names(module))
        if name != "_exit"  # Of os, documented.
    ]
    assert not offenders, "\n".join(offenders)


def test_only_one_file_replaces_private_names() -> None:
    offenders = [
        f"{module}: {name}"
        for module in FILES
        if module != HOME
        for name in sorted(replaced_names(module))
    ]
    assert not offenders, "\n".join(offenders)


def test_no_file_imports_private_modules() -> None:
    offenders = [
        f"{module} imports {name}"
        for module in FILES
        for name in imports(module)
        if name.startswith(PRIVATE_MODULES)
    ]
    offenders += [
        f"{module}: {ast.unparse(node)}"
        for module, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node).startswith(("keras.src", "tf.python", "tf.keras", "tf.compiler"))
    ]
    assert not offenders, "\n".join(offenders)


def test_the_private_names_are_these() -> None:
    assert foreign_names(HOME) == READ
    assert replaced_names(HOME) == REPLACED


@pytest.mark.parametrize("name", sorted(READ | REPLACED))
def test_keras_still_has_the_name(name: str) -> None:
    variable = keras.Variable(np.zeros(2, "float32"), name="weight")
    optimizer = keras.optimizers.Adam(use_ema=True)
    optimizer.build([variable])
    assert hasattr(variable if name == "_value" else optimizer, name)


def test_the_public_names_read_what_adam_keeps() -> None:
    first, second = (keras.Variable(np.zeros(size, "float32"), name="weight") for size in (2, 3))
    optimizer = ExtensibleAdam(use_ema=True, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_list=[second])
    optimizer.build([first, second])
    assert [optimizer.place_of(variable) for variable in (first, second)] == [0, 1]
    assert [slot.shape for slot in optimizer.slots_of(second)] == [(3,), (3,)]
    assert (optimizer.decays(first), optimizer.decays(second)) == (True, False)
    assert [average.shape for average in optimizer.averages] == [(2,), (3,)]


def test_without_changes_it_is_the_adam_of_keras() -> None:
    weights = []
    for kind in (keras.optimizers.Adam, ExtensibleAdam):
        variable = keras.Variable(np.ones(2, "float32"), name="weight")
        optimizer = kind(0.1, weight_decay=0.1, use_ema=True)
        for _ in range(3):
            optimizer.apply([np.array([1.0, -2.0], "float32")], [variable])
        optimizer.finalize_variable_values([variable])
        weights.append(np.asarray(variable))
    first, second = weights
    np.testing.assert_array_equal(first, second)
