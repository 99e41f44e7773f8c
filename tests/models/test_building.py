"""The layers that a model's settings name."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from textrnn.config.model import ModelConfig
from textrnn.errors import ConfigError
from textrnn.layers.cells import CELLS, GRUCell, SimpleRNNCell
from textrnn.models.building import make_cells, make_stack


@pytest.mark.parametrize("name", CELLS)
def test_there_is_one_cell_per_layer(name: str) -> None:
    config = ModelConfig(cell=name, units=5, layers=2)
    cells = make_cells(config, recurrent_dropout=0.25, dtype="float64")
    assert [type(cell) for cell in cells] == [CELLS[name]] * 2
    assert [cell.name for cell in cells] == ["cell_0", "cell_1"]
    assert {(c.units, c.recurrent_dropout, c.compute_dtype) for c in cells} == {
        (5, 0.25, "float64")
    }


def test_gates_start_at_the_time_scales_of_the_settings() -> None:
    (cell,) = make_cells(ModelConfig(cell="gru", layers=1, chrono_steps=9))
    assert cell.chrono_steps == 9
    with pytest.raises(ConfigError, match="`chrono_steps` needs a cell with gates"):
        make_cells(ModelConfig(cell="simple", chrono_steps=9))


@keras.saving.register_keras_serializable(package="test_building")
class Plain(SimpleRNNCell):
    pass


@keras.saving.register_keras_serializable(package="test_building")
class Chrono(GRUCell):
    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)


@keras.saving.register_keras_serializable(package="test_building")
class Closed(SimpleRNNCell):
    def __init__(self, units: int, *, name: str, dtype: Any) -> None:
        super().__init__(units, name=name, dtype=dtype)


def test_a_cell_of_the_user_s_may_take_the_time_scales() -> None:
    (cell,) = make_cells(ModelConfig(cell="test_building>Chrono", layers=1, chrono_steps=9))
    assert cell.chrono_steps == 9
    with pytest.raises(ConfigError, match=r"`chrono_steps` needs a cell .* Plain does not; leave"):
        make_cells(ModelConfig(cell="test_building>Plain", chrono_steps=9))


def test_a_cell_that_does_not_take_the_settings_of_every_cell_is_named() -> None:
    with pytest.raises(ConfigError, match=r"`__init__` of Closed must .*'recurrent_dropout'\.$"):
        make_cells(ModelConfig(cell="test_building>Closed"))


def test_a_stack_has_the_shape_and_the_computation_of_the_settings() -> None:
    config = ModelConfig(
        cell="gru", units=4, layers=2, window=2, residual=True, kernel="unroll", recompute=8
    )
    stack = make_stack(config, dropout=0.5, layer_norm=True, name="stack")
    assert (stack.name, len(stack.cells), stack.state_units) == ("stack", 2, 4)
    assert (stack.window, stack.residual, stack.layer_norm, stack.dropout) == (2, True, True, 0.5)
    computation = stack.computation
    assert (computation.kernel, computation.recompute) == ("unroll", 8)
    assert computation.batch_parts == 1
