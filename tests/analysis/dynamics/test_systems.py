import gc
import weakref
from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf
from tiny import not_none, random_classifier

from textrnn.analysis.dynamics.systems import (
    fresh_model,
    gate_values,
    graph,
    recurrences,
    trajectory,
)
from textrnn.errors import ConfigError
from textrnn.layers.cells import NonlinearRNNCell

pytestmark = pytest.mark.usefixtures("eagerly")

IDS = np.array([[2, 3, 4, 5], [6, 7, 0, 0]], np.int32)


@pytest.mark.parametrize("window", [1, 2])
def test_the_states_are_those_of_the_model_in_the_order_of_reading(cell_name, window):
    model = random_classifier(cell_name, "mean", layers=2, window=window)
    states = model.embedding(tf.constant(IDS))
    mask = tf.constant(IDS != 0)
    layer_recurrences = recurrences(model, IDS)
    assert [(recurrence.layer, recurrence.direction) for recurrence in layer_recurrences] == [
        (1, "forward"),
        (1, "backward"),
        (2, "forward"),
        (2, "backward"),
    ]
    for layer, rnn in enumerate(not_none(model.stack).rnns):
        states = rnn(states, mask=mask)
        for place, recurrence in enumerate(layer_recurrences[2 * layer : 2 * layer + 2]):
            assert recurrence.tokens_per_step == 1
            np.testing.assert_array_equal(recurrence.lengths, [4, 2])
            path = trajectory(recurrence.cell, recurrence.gates).numpy()
            np.testing.assert_array_equal(path[0], 0)
            for row, length in enumerate((4, 2)):
                own_states = states[row, :length, 3 * place : 3 * place + 3].numpy()
                read = own_states[::-1] if place else own_states
                np.testing.assert_allclose(path[1 : length + 1, row, :3], read, atol=1e-5)


def test_a_pyramid_has_half_the_steps_in_the_second_layer():
    model = random_classifier("mingru", "mean", layers=2, pyramid=True, bidirectional=False)
    first, second = recurrences(model, IDS)
    assert (first.tokens_per_step, second.tokens_per_step) == (1, 2)
    np.testing.assert_array_equal(second.lengths, [2, 1])


def test_a_bag_of_embeddings_has_no_recurrence():
    with pytest.raises(ConfigError, match="has no state; train a model whose `cell` is not none"):
        recurrences(random_classifier("none", "mean"), IDS)


def test_gates_are_those_of_each_step():
    model = random_classifier("gru", "mean", bidirectional=False)
    (recurrence,) = recurrences(model, IDS)
    gates = gate_values(recurrence.cell, recurrence.gates)
    states = trajectory(recurrence.cell, recurrence.gates)
    assert set(gates) == {"update", "reset"}
    kernel, (_, bias) = recurrence.cell.recurrent_kernel.numpy(), recurrence.cell.bias.numpy()
    for t in range(4):
        pre = recurrence.gates[t, :, :3] + states[t].numpy() @ kernel[:, :3] + bias[:3]
        np.testing.assert_allclose(gates["update"][t], tf.sigmoid(pre), atol=1e-5)


def test_the_gates_of_a_cell_whose_gradient_is_derived_are_not_known():
    class Own(NonlinearRNNCell):
        gate_places: ClassVar = {"update": 0}

        def combine(self, gates, recurrent, states):
            return (tf.tanh(gates + recurrent),), (gates, recurrent)

    cell = Own(3)
    cell.build((None, 2))
    assert gate_values(cell, cell.project(tf.zeros([4, 1, 2]))) == {}


def test_a_fresh_model_has_the_same_shape_and_other_weights():
    model = random_classifier("mingru", "attention")
    fresh, again = fresh_model(model, seed=3), fresh_model(model, seed=3)
    assert [w.shape for w in fresh.weights] == [w.shape for w in model.weights]
    assert not np.allclose(fresh.weights[0], model.weights[0])
    np.testing.assert_array_equal(fresh.weights[0], again.weights[0])
    assert fresh_model(model, chrono_steps=50).config.chrono_steps == 50


def test_a_graph_is_traced_once_and_dies_with_its_model():
    tf.config.run_functions_eagerly(False)
    model = random_classifier("gru", "mean", bidirectional=False)
    traced = []

    @graph
    def twice(model, ids):
        traced.append(ids.shape)
        return 2 * model.logits(ids)

    expected = 2 * model(IDS).numpy()
    for ids in (IDS, IDS, IDS):
        np.testing.assert_allclose(twice(model, tf.constant(ids)), expected, atol=1e-5)
    assert traced == [(2, 4)]
    watched = weakref.ref(model)
    del model
    gc.collect()
    assert watched() is None
