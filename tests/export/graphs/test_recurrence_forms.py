"""The choice of a recurrence form, and each form against the plain recurrence."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import INPUTS, assert_close, built_cell

from textrnn.errors import ConfigError
from textrnn.export.graphs.recurrence_forms import LOOP_STEPS, STEPS, choose_form, run_form
from textrnn.layers.recurrence.unroll import unroll


@pytest.mark.parametrize("length", [1, 2 * LOOP_STEPS + 3])
@pytest.mark.parametrize("form", ["fused", "parallel", "loop", "unrolled", STEPS])
def test_every_form_gives_the_outputs_of_the_plain_recurrence(
    form: str, length: int, rng: np.random.Generator
) -> None:
    cell = built_cell("mingru" if form == "parallel" else "lstm", dtype="float32")
    inputs = tf.constant(rng.normal(size=[length, 1, INPUTS]), tf.float32)
    start = tuple(tf.zeros([1, size]) for size in cell.state_size)
    wanted, _ = unroll(cell.step, cell.project(inputs), states=start)
    assert_close(tf.function(run_form, autograph=False)(cell, inputs, form=form), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("cell", "chosen", "one_graph"),
    [
        ("simple", "loop", "unrolled"),
        ("gru", "loop", "unrolled"),
        ("lstm", "fused", "fused"),
        ("mingru", "parallel", "parallel"),
        ("minlstm", "parallel", "parallel"),
    ],
)
def test_auto_chooses_by_the_cell(cell: str, chosen: str, one_graph: str) -> None:
    assert choose_form(built_cell(cell)) == chosen
    assert choose_form(built_cell(cell), one_subgraph=True) == one_graph


@pytest.mark.parametrize(
    ("cell", "form", "settings"),
    [
        ("gru", "fused", {}),
        ("lstm", "parallel", {}),
        ("lstm", "while", {}),
        ("mingru", "loop", {"one_subgraph": True}),
    ],
)
def test_a_form_that_does_not_suit_is_refused(cell: str, form: str, settings: Any) -> None:
    with pytest.raises(ConfigError):
        choose_form(built_cell(cell), form, **settings)


def test_a_subclass_of_the_lstm_is_not_fused() -> None:
    cell = type("OtherLSTM", (type(built_cell("lstm")),), {})(3)
    assert isinstance(cell, keras.layers.Layer)
    assert choose_form(cell) == "loop"
