from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny import LABELS, not_none, random_classifier

from textrnn.training.run.tensorboard import TensorBoardWriter, gate_activations

ROWS = [
    {"epoch": 1, "train_loss": 0.7, "valid_accuracy": 0.5},
    {"epoch": 2, "train_loss": 0.25, "valid_accuracy": 0.75},
]
IDS = [np.array([2, 3, 4]), np.array([5])]


def test_tensorboard_reads_what_is_written(tmp_path):
    writer = TensorBoardWriter(
        tmp_path, ids=IDS, texts=["a | b\nc", "d"], labels=[("neg",), ("pos",)]
    )
    model = random_classifier("mingru", "mean")
    for row in ROWS:
        writer.write(row, model, probabilities=np.array([[0.9, 0.1], [0.6, 0.4]]), names=LABELS)
    writer.close()
    (path,) = tmp_path.iterdir()
    events: dict[str, list[Any]] = {}
    for record in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            events.setdefault(value.tag, []).append((event.step, tf.make_ndarray(value.tensor)))
    assert set(events) == {"train_loss", "valid_accuracy", "gates/layer1/decay", "validation texts"}
    for name in ("train_loss", "valid_accuracy"):
        assert [step for step, _ in events[name]] == [row["epoch"] for row in ROWS]
        values = [float(value) for _, value in events[name]]
        assert values == pytest.approx([row[name] for row in ROWS])
    (_, counts), _ = events["gates/layer1/decay"]
    assert counts[:, 2].sum() == 4 * 3, "four tokens, three units, no padding"
    (_, text), _ = events["validation texts"]
    assert "neg | neg | 0.900 | a \\| b c" in text.item().decode()
    assert "pos | neg | 0.600 | d" in text.item().decode()


@pytest.mark.parametrize(
    ("cell", "gates"),
    [
        ("simple", set()),
        ("gru", {"update", "reset"}),
        ("lstm", {"input", "forget", "output"}),
        ("mingru", {"decay"}),
        ("minlstm", {"decay"}),
        ("none", set()),
    ],
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_each_gate_of_each_layer_is_found(cell, gates, bidirectional):
    model = random_classifier(cell, "mean", layers=2, bidirectional=bidirectional, window=2)
    ids = np.array([[2, 3, 4], [5, 0, 0]], np.int32)
    activations = gate_activations(model, ids)
    layers = () if cell == "none" else (1, 2)
    assert set(activations) == {f"layer{layer}/{gate}" for layer in layers for gate in gates}
    for values in activations.values():
        assert values.shape == (4, 3)
        assert (values >= 0).all()
        assert (values <= 1).all()


def test_the_gates_are_those_of_the_recurrence():
    """An LSTM whose states are rebuilt from its gates gives the same states."""
    model = random_classifier("lstm", "mean", bidirectional=False)
    ids = np.array([[2, 3, 4]], np.int32)
    activations = gate_activations(model, ids)
    sequence = model.embedding(tf.constant(ids))
    rnn = not_none(model.stack).rnns[0]
    candidates = np.tanh
    pre = rnn.cell.project(rnn.windowed(sequence)).numpy()[:, 0]  # [T, 4H]
    states, _ = not_none(model.stack)(sequence)
    h, c = np.zeros(3), np.zeros(3)
    kernel = rnn.cell.recurrent_kernel.numpy()
    for t in range(3):
        candidate = candidates(pre[t, 6:9] + h @ kernel[:, 6:9])
        c = activations["layer1/forget"][t] * c + activations["layer1/input"][t] * candidate
        h = activations["layer1/output"][t] * np.tanh(c)
        np.testing.assert_allclose(states[0, t], h, atol=1e-5)


def test_labels_stay_in_their_cells(tmp_path):
    writer = TensorBoardWriter(tmp_path, ids=IDS[:1], texts=["a"], labels=[("x|y", "`z`")])
    odd = ("x|y\n\udcff", "`z`")
    probabilities = np.array([[0.9, 0.1]])
    writer.write(ROWS[0], random_classifier("none", "mean"), probabilities=probabilities, names=odd)
    writer.close()
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    assert "x\\|y, \\`z\\` | x\\|y \ufffd | 0.900 | a".encode() in content
