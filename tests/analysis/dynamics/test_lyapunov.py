import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny import classifier as fresh_classifier
from tiny import fit, labelled_ids, not_none, random_classifier, trainer

from textrnn.analysis.dynamics.lyapunov import LyapunovMonitor, growth, lyapunov
from textrnn.analysis.dynamics.sampled_batches import Sample, padded
from textrnn.analysis.dynamics.systems import recurrences
from textrnn.errors import ConfigError

pytestmark = pytest.mark.usefixtures("eagerly")

TEXTS = [np.array(text) for text in ([2, 3, 4, 5, 6], [7, 8, 9, 2], [3])]


@pytest.mark.parametrize(
    ("kind", "exponent"), [("Rotation", 0.0), ("Contraction", np.log(0.5)), ("Decay", np.log(0.9))]
)
def test_the_exponent_of_known_cells(linear_cells, kind, exponent):
    recurrence = linear_cells.driven(getattr(linear_cells, kind)(2), steps=30, lengths=(30, 12))
    total, steps = growth(recurrence, discard=8)
    np.testing.assert_array_equal(steps, [22, 6])  # Of a short text no more than half.
    np.testing.assert_allclose(total / steps, exponent, atol=1e-5)


def test_one_unit_grows_by_its_own_decay():
    model = random_classifier("mingru", "last", units=1, bidirectional=False)
    result = lyapunov(model, TEXTS, discard=0)
    (recurrence,) = recurrences(model, padded(TEXTS))
    decay = recurrence.cell.coefficients(recurrence.gates)[0].numpy()[:, :, 0]  # [T, B]
    logs = [np.log(decay[: len(text), row]) for row, text in enumerate(TEXTS)]
    np.testing.assert_allclose(
        result.exponents[0].of_texts, [recurrence.mean() for recurrence in logs], rtol=1e-4
    )
    assert result.largest == pytest.approx(np.concatenate(logs).mean(), rel=1e-4)
    assert (result.texts, result.tokens) == (3, 10)


def test_a_tangent_grows_as_a_small_difference_does(cell_name):
    """Against two trajectories, one of which is moved a little."""
    model = random_classifier(cell_name, "last", bidirectional=False)
    (recurrence,) = recurrences(model, padded(TEXTS[:1]))
    size = sum(recurrence.cell.state_size)
    tangent = np.random.default_rng(0).normal(size=(1, size))
    tangent /= np.linalg.norm(tangent)
    ends = []
    for sign in (1, -1):
        states = tf.split(
            tf.constant(sign * 1e-2 * tangent, tf.float32), recurrence.cell.state_size, 1
        )
        for t in range(5):
            _, states = recurrence.cell.step(recurrence.gates[t], tuple(states))
        ends.append(np.concatenate(states, axis=-1))
    expected = np.log(np.linalg.norm(ends[0] - ends[1]) / 2e-2)
    total, _ = growth(recurrence, discard=0)
    assert total[0] == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("cell", ["lstm", "minlstm"])
def test_each_recurrence_has_its_exponent(cell):
    model = random_classifier(cell, "max", layers=2, pyramid=True)
    done: list[int] = []
    result = lyapunov(model, TEXTS, discard=1, on_batch=done.append)
    places = [(exponent.layer, exponent.direction) for exponent in result.exponents]
    assert places == [(1, "forward"), (1, "backward"), (2, "forward"), (2, "backward")]
    assert result.largest == max(exponent.value for exponent in result.exponents)
    assert sum(done) == 3
    values = json.loads(json.dumps(result.to_dict()))
    assert values["largest"] == result.largest
    assert values["exponents"][0]["cell"] == type(not_none(model.stack).cells[0]).__name__


def test_in_a_pyramid_a_step_counts_as_its_tokens():
    model = random_classifier("mingru", "mean", layers=2, pyramid=True, bidirectional=False)
    for cell in not_none(model.stack).cells:  # Nothing but a decay of 1/2.
        for weight in cell.weights:
            weight.assign(tf.zeros_like(weight))
    first, second = lyapunov(model, TEXTS).exponents
    assert first.value == pytest.approx(np.log(0.5), rel=1e-5)
    assert second.value == pytest.approx(np.log(0.5) / 2, rel=1e-5)


def test_a_graph_gives_the_same():
    model = random_classifier("gru", "last", bidirectional=False)
    eager = lyapunov(model, TEXTS).largest
    tf.config.run_functions_eagerly(False)
    assert lyapunov(model, TEXTS).largest == pytest.approx(eager, rel=1e-4)


def test_a_bag_of_embeddings_cannot_be_chaotic():
    with pytest.raises(ConfigError, match="has no state"):
        lyapunov(random_classifier("none", "mean"), TEXTS)


# While training


@pytest.mark.thorough
def test_the_monitor_watches_a_training(tmp_path):
    tf.config.run_functions_eagerly(False)
    alerts: list[str] = []
    watched = labelled_ids().plan.texts
    monitors = [
        LyapunovMonitor(watched, limit=-100.0, alert=alerts.append, sample=Sample(documents=4)),
        LyapunovMonitor(watched, every=2),
    ]
    trained = trainer(
        tmp_path,
        model=fresh_classifier(cell="mingru", bidirectional=False),
        train=labelled_ids(12),
    )
    fit(trained, callbacks=monitors)
    assert [epoch for epoch, _ in monitors[0].values] == [1, 2, 3]
    assert [epoch for epoch, _ in monitors[1].values] == [2]
    assert len({value for _, value in monitors[0].values}) == 3
    assert alerts[0].startswith("after epoch 1 the largest Lyapunov exponent is -")
    assert "above -100.0" in alerts[0]
    assert len(alerts) == 3


def test_the_monitor_is_calm_below_its_limit_and_writes_the_logs():
    monitor = LyapunovMonitor(TEXTS, limit=100.0, alert=pytest.fail)
    assert isinstance(monitor, keras.callbacks.Callback)
    monitor.set_model(random_classifier("simple", "last"))
    logs: dict[str, float] = {}
    monitor.on_epoch_end(0, logs)
    assert monitor.values == [(1, logs["lyapunov"])]


def test_the_monitor_needs_a_pace():
    with pytest.raises(ConfigError, match="`every` must be at least 1, got 0"):
        LyapunovMonitor(TEXTS, every=0)
