"""A cell of the user's is found by its name and its module."""

import sys
from pathlib import Path

import keras
import pytest

from textrnn.config.model import EncoderConfig
from textrnn.errors import ConfigError
from textrnn.inference.own_cell import import_cell, with_names
from textrnn.layers.cells import GRUCell, LSTMCell
from textrnn.models.cell_names import cell_class, own_cells

MODULE = """
import keras
import textrnn

@keras.saving.register_keras_serializable(package="{package}")
class Mine(textrnn.SimpleRNNCell):
    pass
"""


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A folder in which Python finds modules; what they register is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before, objects = set(sys.modules), dict(keras.saving.get_custom_objects())
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    keras.saving.get_custom_objects().clear()
    keras.saving.get_custom_objects().update(objects)


def write_module(path: Path, *, package: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MODULE.format(package=package))


def encoder(cell: str, imports: str | None = None) -> EncoderConfig:
    return EncoderConfig(cell=cell, imports=imports)


def test_the_modules_are_imported_and_the_cell_is_found(modules):
    write_module(modules / "first.py", package="one")
    write_module(modules / "inner" / "second.py", package="two")
    import_cell(encoder("two>Mine", "first, inner.second"), run=modules / "run")
    assert cell_class("two>Mine").__module__ == "inner.second"
    assert {"one>Mine", "two>Mine"} <= set(own_cells())


@pytest.mark.parametrize("cell", ["lstm", "none"])
def test_a_built_in_cell_needs_no_module(cell):
    import_cell(encoder(cell, "no_such_module"))


def test_a_known_cell_is_not_imported_again(modules):
    write_module(modules / "first.py", package="one")
    import_cell(encoder("one>Mine", "first"))
    import_cell(encoder("one>Mine", "no_such_module"), run=modules)


def test_a_module_that_is_not_found_is_an_error_that_says_what_to_do():
    with pytest.raises(ConfigError, match=r"`imports` names the module gone, .* set PYTHONPATH"):
        import_cell(encoder("mine>Gone", "gone"))
    with pytest.raises(ConfigError, match=r"the module gone\.inner, .* set PYTHONPATH"):
        import_cell(encoder("mine>Gone", "gone.inner"), run=Path("run"))


def test_a_module_that_registers_another_cell_is_an_error_that_lists_what_there_is(modules):
    write_module(modules / "first.py", package="one")
    with pytest.raises(ConfigError, match=r"simple, gru, .*one>Mine.*, got 'one>Typo'"):
        import_cell(encoder("one>Typo", "first"))


@pytest.mark.parametrize("module", ["mine", "run.mine", "run.inner.mine"])
def test_a_module_in_the_run_folder_is_never_imported(modules, monkeypatch, module):
    run = modules / "run"
    for path in (run / "mine.py", run / "inner" / "mine.py"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("raise SystemExit('executed')")
    monkeypatch.syspath_prepend(str(run))
    with pytest.raises(ConfigError, match="must name modules outside of the run folder, got"):
        import_cell(encoder("mine>Mine", module), run=run)


def test_a_run_cannot_import_the_standard_library():
    with pytest.raises(ConfigError, match="must name modules that define cells, got this"):
        import_cell(encoder("mine>Mine", "this"), run=Path("run"))
    assert "this" not in sys.modules


@pytest.mark.parametrize("imports", ["my_cells.py", "./my_cells", "a, b-c"])
def test_only_names_of_modules_are_valid(imports):
    with pytest.raises(ConfigError, match="`imports` must be names of modules, such as my_cells"):
        encoder("lstm", imports)


@keras.saving.register_keras_serializable(package="test_own_cell")
class Registered(GRUCell):
    pass


def test_a_class_is_named_with_its_module():
    assert with_names({"cell": Registered, "units": 3}) == {
        "cell": "test_own_cell>Registered",
        "imports": Registered.__module__,
        "units": 3,
    }
    assert with_names({"cell": Registered, "imports": "mine"})["imports"] == "mine"
    assert with_names({"cell": LSTMCell}) == {"cell": "lstm"}
    assert with_names({"cell": "gru", "units": 3}) == {"cell": "gru", "units": 3}


def test_a_class_of_a_script_has_no_module(monkeypatch):
    monkeypatch.setattr(Registered, "__module__", "__main__")
    assert with_names({"cell": Registered}) == {"cell": "test_own_cell>Registered"}
