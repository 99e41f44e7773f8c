import json

import numpy as np
import pytest
import tensorflow as tf
from cases import INPUTS, built_cell, randomise
from tiny import not_none, random_classifier

from textrnn.analysis.dynamics import credit
from textrnn.analysis.dynamics.credit import credit_assignment, horizon, state_curve, state_norms
from textrnn.analysis.dynamics.sampled_batches import padded
from textrnn.analysis.dynamics.systems import (
    Recurrence,
    recurrences,
    state_step,
    trajectory,
)
from textrnn.config.choices import CELLS, HEADS
from textrnn.errors import ConfigError

pytestmark = pytest.mark.usefixtures("eagerly")

TEXTS = [np.array(text) for text in ([2, 3, 4, 5, 6], [7, 8, 9, 2], [3, 3, 4, 8, 9])]
HALVED, HUNDREDTH = np.log(2) / -np.log(0.9), np.log(100) / -np.log(0.9)


# Known answers


def test_the_horizon_of_a_decay():
    curve = 3 * 0.9 ** np.arange(60)
    assert horizon(curve, 0.5) == pytest.approx(HALVED)
    assert horizon(curve, 0.01) == pytest.approx(HUNDREDTH)
    assert horizon(curve[:7], 0.5) is None
    assert horizon(np.array([2.0, 1.0, 4.0]), 0.5) == 1
    assert horizon(np.array([2.0, 0.0]), 0.5) == 1
    assert horizon(np.zeros(3), 0.5) is None


def test_a_linear_cell_with_decay_has_its_horizon(linear_cells):
    recurrence = linear_cells.driven(linear_cells.Decay(2))
    norms = state_norms(recurrence, steps=40)
    np.testing.assert_allclose(norms, np.tile(0.9 ** np.arange(41)[:, np.newaxis], 2), rtol=1e-4)
    curve = state_curve(recurrence, norms)
    assert curve.half == pytest.approx(HALVED, rel=1e-4)
    assert curve.hundredth is None
    assert curve.method == "exact"


def test_a_rotation_forgets_nothing(linear_cells):
    norms = state_norms(linear_cells.driven(linear_cells.Rotation(2)), steps=40)
    np.testing.assert_allclose(norms, 1, atol=1e-4)


def test_the_gradient_of_a_bag_is_the_same_everywhere():
    model = random_classifier("none", "mean")
    result = credit_assignment(model, TEXTS, steps=4)
    assert result.states == ()
    assert result.half is None
    kernel = model.classify.kernel.numpy()
    expected = []
    for text in TEXTS:
        best = int(np.argmax(model(text[np.newaxis])[0]))
        expected.append(np.linalg.norm(kernel[:, best]) / len(text))
    np.testing.assert_allclose(result.gradient, np.mean(expected), rtol=1e-5)


# Against the whole Jacobian


def jacobian(recurrence, row, k):
    """`d s_T / d s_{T-k}` `[S, S]` of one text, by differences."""
    length = int(recurrence.lengths[row])
    step = state_step(recurrence.cell)
    state = trajectory(recurrence.cell, recurrence.gates)[length - k, row].numpy()
    nudges = 1e-5 * np.concatenate([np.eye(len(state)), -np.eye(len(state))])
    after = tf.constant(state + nudges)
    for t in range(length - k, length):
        gates = tf.repeat(recurrence.gates[t, row : row + 1], len(nudges), axis=0)
        after = step(gates, after)
    up, down = np.split(after.numpy(), 2)
    return (up - down) / 2e-5


@pytest.fixture
def recurrence(cell_name, rng):
    """A cell of float64 over two texts of five and three steps."""
    cell = built_cell(cell_name)
    randomise(cell, rng)
    gates = cell.project(tf.constant(rng.normal(size=(5, 2, INPUTS))))
    return Recurrence(1, "forward", cell, gates, tf.constant([5, 3]))


def test_the_norm_is_that_of_the_whole_jacobian(recurrence):
    norms = state_norms(recurrence, steps=3)
    assert norms.shape == (4, 2)
    for row in range(2):
        for k in range(4):
            whole = jacobian(recurrence, row, k)
            expected = np.linalg.norm(whole) / np.sqrt(len(whole))
            assert norms[k, row] == pytest.approx(expected, rel=1e-6)


def test_random_probes_come_near_to_it(monkeypatch):
    (lstm_recurrence,) = recurrences(
        random_classifier("lstm", "last", bidirectional=False), padded(TEXTS)
    )
    exact = state_norms(lstm_recurrence, steps=3)
    monkeypatch.setattr(credit, "EXACT_SIZE", 0)
    rough = state_norms(lstm_recurrence, steps=3, probes=2000)
    np.testing.assert_allclose(rough, exact, rtol=0.1)
    assert not np.array_equal(rough, exact)
    assert state_curve(lstm_recurrence, rough).method == "random probes"


def test_the_gradient_is_counted_from_each_text_s_end():
    model = random_classifier("gru", "attention", bidirectional=False)
    result = credit_assignment(model, TEXTS, steps=4)
    expected = []
    for text in TEXTS:
        ids = tf.constant(text[np.newaxis], tf.int32)
        vectors = model.embedding(ids)
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            logit = tf.reduce_max(model.logits_of(vectors, ids != 0))
        expected.append(np.linalg.norm(tape.gradient(logit, vectors)[0], axis=-1)[::-1][:4])
    np.testing.assert_allclose(result.gradient, np.mean(expected, axis=0), rtol=1e-4)


# All models


@pytest.mark.thorough
def test_a_graph_gives_the_same():
    model = random_classifier("gru", "attention")
    eager = credit_assignment(model, TEXTS)
    tf.config.run_functions_eagerly(False)
    graph = credit_assignment(model, TEXTS)
    np.testing.assert_allclose(graph.gradient, eager.gradient, rtol=1e-4)
    for first, second in zip(graph.states, eager.states, strict=True):
        np.testing.assert_allclose(first.norm, second.norm, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_has_its_curves(cell):
    bidirectional = cell in ("gru", "minlstm")
    head = HEADS[CELLS.index(cell) % len(HEADS)]
    model = random_classifier(cell, head, layers=2, bidirectional=bidirectional)
    done: list[int] = []
    result = credit_assignment(model, TEXTS, on_batch=done.append)
    assert (result.texts, sum(done)) == (2, 2), "those that have the median's length"
    assert result.gradient.shape == (5,)
    assert len(result.states) == (0 if cell == "none" else 4 if bidirectional else 2)
    for curve in result.states:
        assert curve.norm.shape == (6,)
        assert curve.norm[0] == pytest.approx(1)
    assert json.loads(json.dumps(result.to_dict()))["texts"] == 2


def test_a_pyramid_is_counted_in_tokens():
    model = random_classifier("mingru", "mean", layers=2, pyramid=True)
    for layer in not_none(model.stack).rnns:  # Nothing but a decay of 1/2.
        for cell in (layer.forward_layer.cell, layer.backward_layer.cell):
            for weight in cell.weights:
                weight.assign(tf.zeros_like(weight))
    result = credit_assignment(model, TEXTS, steps=4)
    assert [curve.tokens_per_step for curve in result.states] == [1, 1, 2, 2]
    assert [curve.half for curve in result.states] == pytest.approx([1, 1, 2, 2])


def test_without_a_token_there_is_nothing_to_assign():
    with pytest.raises(ConfigError, match="expected a text of at least 1 token,"):
        credit_assignment(random_classifier("gru", "last"), [np.zeros(0, np.int32)])
