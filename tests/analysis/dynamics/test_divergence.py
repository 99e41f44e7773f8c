import json

import numpy as np
import pytest
import tensorflow as tf
from tiny import not_none, random_classifier

from textrnn.analysis.dynamics.divergence import divergence
from textrnn.config.choices import CELLS
from textrnn.errors import ConfigError
from textrnn.models.label_space import LabelSpace

pytestmark = pytest.mark.usefixtures("eagerly")

SINGLE = LabelSpace(("neg", "pos"), multi_label=False)
MULTI = LabelSpace(("neg", "pos"), multi_label=True)
TEXTS = [np.array(text) for text in ([2, 3, 4, 5, 6, 7, 8, 9], [9, 8, 7, 6, 5, 4, 3, 2])]


def held(cell="mingru", **settings):
    """A model whose states halve at each step, whatever it reads."""
    model = random_classifier(cell, "last", **settings)
    rnn = not_none(model.stack).rnns[0]
    both = settings.get("bidirectional")
    for layer in [rnn.forward_layer, rnn.backward_layer] if both else [rnn]:
        kernel, bias = (weight.numpy() for weight in layer.cell.weights)
        kernel[:, :3] = bias[:3] = 0.0
        layer.cell.set_weights([kernel, bias])
    return model


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_difference_fades_as_the_state_does(bidirectional):
    model = held(bidirectional=bidirectional)
    result = divergence(model, TEXTS, label_space=SINGLE, steps=4)
    assert len(result.curves) == 1 + bidirectional
    # ||s' - s|| halves with each token; s does not vanish.
    for curve in result.curves:
        assert curve.distance.shape == (4,)
        assert curve.distance[0] > 4 * curve.distance[-1] > 0


def test_the_distance_is_that_of_two_readings():
    model = held(bidirectional=False)
    text = TEXTS[0]
    result = divergence(model, [text], label_space=SINGLE, steps=4)
    (curve,) = result.curves
    candidates = []
    rnn = model.stack.rnns[0]
    states = rnn(model.embedding(tf.constant(text[np.newaxis])))[0].numpy()
    for place in range(3, 5):
        for token in set(text) - {text[place]}:
            changed = text.copy()
            changed[place] = token
            second = rnn(model.embedding(tf.constant(changed[np.newaxis])))[0].numpy()
            window = slice(place, place + 4)
            size = np.linalg.norm(states[window], axis=-1)
            candidates.append(np.linalg.norm(second[window] - states[window], axis=-1) / size)
    assert min(np.abs(curve.distance - candidate).max() for candidate in candidates) < 1e-5


def test_the_answer_changes_with_the_token_it_rests_on():
    model = random_classifier("none", "mean")
    table = np.zeros((10, 4), np.float32)
    table[2, 0] = 10.0
    model.embedding.set_weights([table])
    kernel = np.zeros((4, 2), np.float32)
    kernel[0] = [1.0, -1.0]
    model.classify.set_weights([kernel, np.array([0.0, 5.0], np.float32)])
    # Token 2 outweighs the bias: its going turns the answer, its coming too.
    result = divergence(model, [np.array([2]), np.array([3])], label_space=SINGLE, steps=1)
    assert (result.texts, result.flipped, result.curves) == (2, 1.0, ())
    p = 1 / (1 + np.exp(-15.0)), 1 / (1 + np.exp(-5.0))
    assert result.probability_change == pytest.approx(p[0] + p[1] - 1, abs=1e-4)
    # Of several labels each has its own: the first comes and goes with token 2, the second stays.
    model.classify.set_weights([np.abs(kernel), np.array([-5.0, 5.0], np.float32)])
    texts = [np.array([2]), np.array([3])]
    assert divergence(model, texts, steps=1, label_space=MULTI).flipped == 1.0
    model.classify.set_weights([np.abs(kernel), np.array([5.0, 5.0], np.float32)])
    assert divergence(model, texts, steps=1, label_space=MULTI).flipped == 0.0


@pytest.mark.parametrize("cell", [name for name in CELLS if name not in {"mingru", "none"}])
def test_every_cell_has_its_curves(cell):
    model = random_classifier(cell, "attention", layers=2, pyramid=True)
    done: list[int] = []
    result = divergence(model, TEXTS, label_space=SINGLE, on_batch=done.append)
    assert [curve.tokens_per_step for curve in result.curves] == [1, 1, 2, 2]
    assert [len(curve.distance) for curve in result.curves] == [4, 4, 2, 2]
    assert sum(done) == 2
    assert json.loads(json.dumps(result.to_dict()))["texts"] == 2


@pytest.mark.parametrize("texts", [[np.array([2, 2, 2])], []])
def test_there_must_be_something_to_change(texts):
    with pytest.raises(ConfigError, match="expected"):
        divergence(random_classifier("gru", "last"), texts, label_space=SINGLE)
