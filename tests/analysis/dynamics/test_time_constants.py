import json

import numpy as np
import pytest
import tensorflow as tf
from tiny import classifier, not_none, random_classifier

from textrnn.analysis.dynamics.systems import fresh_model
from textrnn.analysis.dynamics.time_constants import kept_shares, time_constants, time_scales
from textrnn.errors import ConfigError

pytestmark = pytest.mark.usefixtures("eagerly")

TEXTS = [np.array(text) for text in ([2, 3, 4, 5, 6], [7, 8, 9, 2])]
BIAS = np.array([-2.0, 0.0, 3.0], np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def with_biases(cell, **gates):
    """A forward model whose gates have these biases and see nothing."""
    model = classifier(cell=cell, head="last", bidirectional=False)
    only_cell = not_none(model.stack).cells[0]
    for weight in only_cell.weights:
        weight.assign(tf.zeros_like(weight))
    flat = only_cell.bias.numpy().reshape(-1, 3)
    for place, values in gates.items():
        flat[int(place[1:])] = values
    only_cell.bias.assign(flat.reshape(only_cell.bias.shape))
    return model


@pytest.mark.parametrize(
    ("cell", "gates", "source", "keep"),
    [
        ("mingru", {"_0": BIAS}, "decay", 1 - sigmoid(BIAS)),
        ("minlstm", {"_0": BIAS}, "decay", sigmoid(BIAS) / (sigmoid(BIAS) + 0.5)),
        ("lstm", {"_1": BIAS}, "forget", sigmoid(BIAS)),
        ("gru", {"_0": BIAS}, "update", sigmoid(BIAS)),
    ],
)
def test_the_time_constants_of_known_gates(cell, gates, source, keep):
    scales = time_scales(with_biases(cell, **gates), TEXTS)
    (layer,) = scales.layers
    assert (scales.texts, layer.layer, layer.direction, layer.source) == (2, 1, "forward", source)
    np.testing.assert_allclose(layer.keep, np.sort(keep), rtol=1e-5)
    np.testing.assert_allclose(layer.constants, np.sort(-1 / np.log(keep)), rtol=1e-4)
    assert layer.median == pytest.approx(np.median(-1 / np.log(keep)), rel=1e-4)
    assert layer.longest == pytest.approx(np.max(-1 / np.log(keep)), rel=1e-4)


def test_the_simple_cell_has_the_eigenvalues_of_its_matrix():
    model = with_biases("simple")
    turn = np.array([[0.3, -0.4], [0.4, 0.3]], np.float32)  # Of modulus 1/2, twice.
    model.stack.cells[0].recurrent_kernel.assign(
        np.block([[turn, np.zeros((2, 1))], [np.zeros((1, 2)), -np.ones((1, 1))]])
    )
    (layer,) = time_scales(model, TEXTS).layers
    assert layer.source == "eigenvalues"
    np.testing.assert_allclose(layer.keep, [0.5, 0.5, 1.0], rtol=1e-5)
    np.testing.assert_allclose(layer.constants, [1 / np.log(2)] * 2 + [np.inf], rtol=1e-5)
    assert json.loads(json.dumps(layer.to_dict(), allow_nan=False))["constants"][2] is None


def test_a_gate_is_averaged_over_real_tokens_only():
    model = random_classifier("mingru", "mean")
    together = time_scales(model, TEXTS)
    cell = not_none(model.stack).rnns[0].forward_layer.cell
    gates = [cell.project(model.embedding(tf.constant(text))) for text in TEXTS]
    decay = np.concatenate([cell.coefficients(gate)[0] for gate in gates])
    assert [layer.direction for layer in together.layers] == ["forward", "backward"]
    np.testing.assert_allclose(together.layers[0].keep, np.sort(decay.mean(axis=0)), rtol=1e-5)


def test_the_histogram_counts_every_unit():
    (layer,) = time_scales(with_biases("mingru", _0=[-50.0, 0.0, 50.0]), TEXTS).layers
    counts, edges = layer.histogram()
    assert counts.sum() == 3
    assert (counts[0], counts[-1]) == (1, 1)
    assert len(edges) == len(counts) + 1
    assert counts[np.searchsorted(edges, 1 / np.log(2)) - 1] == 1


def test_time_constants_of_all_shares():
    constants = time_constants(np.array([0.0, np.exp(-1), 1.0, 1.5]))
    np.testing.assert_allclose(constants, [0, 1, np.inf, np.inf])


def test_chrono_initialisation_lengthens_the_memory():
    model = classifier(cell="lstm", head="last", units=64, embedding_units=8)
    plain, chrono = (
        time_scales(fresh_model(model, chrono_steps=steps), TEXTS).layers[0] for steps in (0, 200)
    )
    assert plain.median < 5 < 30 < chrono.median < 200


def test_a_pyramid_is_counted_in_tokens():
    model = random_classifier("mingru", "mean", layers=2, pyramid=True, bidirectional=False)
    for cell in not_none(model.stack).cells:
        for weight in cell.weights:
            weight.assign(tf.zeros_like(weight))
    first, second = time_scales(model, TEXTS).layers
    np.testing.assert_allclose(first.constants, 1 / np.log(2), rtol=1e-5)
    np.testing.assert_allclose(second.constants, 2 / np.log(2), rtol=1e-5)


def test_errors(linear_cells):
    with pytest.raises(ConfigError, match="has no state"):
        time_scales(random_classifier("none", "mean"), TEXTS)
    with pytest.raises(ConfigError, match=r"named decay, forget, update, got Rotation; name its"):
        kept_shares(linear_cells.driven(linear_cells.Rotation(2)))
