"""The state of a text as named tensors."""

from __future__ import annotations

import tensorflow as tf
from cases import assert_close
from tiny import classifier

from textrnn.export.graphs.streaming_state import named, nested, streaming_obstacle


def test_a_state_is_found_again_by_its_names() -> None:
    model = classifier(cell="lstm", head="attention", bidirectional=False, layers=2)
    state = model.start(2)
    tensors = named(state)
    assert list(tensors)[:2] == ["state_0", "state_1"]
    again = nested(dict(reversed(tensors.items())), model.start(1))
    for ours, wanted in zip(tf.nest.flatten(again), tf.nest.flatten(state), strict=True):
        assert_close(ours, wanted, atol=0.0)


def test_only_a_model_that_reads_forwards_streams() -> None:
    assert streaming_obstacle(classifier(bidirectional=False)) is None
    obstacle = streaming_obstacle(classifier(cell="gru", bidirectional=True))
    assert "`bidirectional` must be off" in str(obstacle)
