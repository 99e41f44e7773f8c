import numpy as np
import pytest
import tensorflow as tf
from tiny import random_classifier

from textrnn.training.update.gradient_sources.forward_pass import record_forward_pass
from textrnn.training.update.gradient_sources.segments import SegmentReader

IDS = np.random.default_rng(0).integers(1, 10, size=(3, 11)).astype(np.int32)
IDS[1, 7:] = IDS[2, 1:] = 0
NOISE = {"embedding_dropout": 0.4, "dropout": 0.3, "recurrent_dropout": 0.3, "word_dropout": 0.3}


def reader_of(*, segment=4, reach=1, **settings) -> SegmentReader:
    model = random_classifier("gru", "attention", bidirectional=False, layers=2, **settings)
    return SegmentReader(model, tf.constant(IDS), segment=segment, reach=reach)


@pytest.mark.parametrize("noise", [{}, NOISE])
def test_segments_read_one_by_one_are_those_read_at_once(noise):
    reader = reader_of(**noise)
    assert int(reader.count) == 3
    whole = reader.read(reader.start, tf.constant(0), count=3, training=True)
    states, stream_states = [], reader.start
    for number in range(3):
        part = reader.read(stream_states, tf.constant(number), count=1, training=True)
        states.append(part.states)
        stream_states = part.stream_states
    np.testing.assert_allclose(tf.concat(states, axis=1), whole.states, atol=1e-5)


def test_a_segment_before_the_text_is_padding():
    reader = reader_of(reach=2)
    before = reader.read(reader.start, tf.constant(-1), count=1, training=True)
    assert not before.mask.numpy().any()


@pytest.mark.thorough
def test_the_forward_pass_records_what_is_before_and_after_each_segment():
    reader = reader_of()
    record = tf.function(lambda: summaries(reader))()
    for merged in record[1:]:
        np.testing.assert_allclose(merged, record[0], atol=1e-5)


def summaries(reader):
    """The pooled vectors of whole texts, and the same merged at each segment."""
    record = record_forward_pass(reader)
    pooling = reader.model.pooling
    pooled = [pooling.finish(record.summary)]
    for number in range(3):
        place = tf.constant(number)
        states, mask, _ = reader.read(record.states_before(place), place, count=1, training=False)
        summary = pooling.add(record.summary_before(place), states, mask)
        later, any_later = record.summary_after(place)
        pooled.append(pooling.finish(pooling.merge(summary, later, any_later=any_later)))
    return pooled
