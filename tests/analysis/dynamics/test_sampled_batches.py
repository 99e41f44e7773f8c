import numpy as np
import pytest
from tiny import random_classifier

from textrnn.analysis.dynamics.sampled_batches import (
    ByRecurrence,
    Sample,
    SampledBatches,
    measure_recurrences,
    padded,
)
from textrnn.errors import ConfigError

pytestmark = pytest.mark.usefixtures("eagerly")

TEXTS = [np.arange(1, length + 1) for length in (1, 5, 3, 4)]


def test_a_sample_keeps_the_order_and_cuts_the_texts():
    assert [len(text) for text in Sample(tokens=4).draw(TEXTS)] == [1, 4, 3, 4]
    assert [len(text) for text in Sample(tokens=0).draw(TEXTS)] == [1, 5, 3, 4]
    assert [len(text) for text in Sample().draw(TEXTS, least=4)] == [5, 4]


def test_a_sample_is_random_and_repeatable():
    draws = [
        [len(text) for text in Sample(documents=2, seed=seed).draw(TEXTS)] for seed in range(20)
    ]
    assert all(len(lengths) == 2 for lengths in draws)
    assert len({tuple(lengths) for lengths in draws}) > 1
    assert draws[3] == [len(text) for text in Sample(documents=2, seed=3).draw(TEXTS)]


def test_no_documents_means_all_documents():
    assert len(Sample(documents=0).draw(TEXTS)) == 4


@pytest.mark.parametrize("texts", [[], [np.zeros(0, np.int32)]])
def test_without_a_text_there_is_no_sample(texts):
    with pytest.raises(ConfigError, match="expected a text of at least 1 token, got none"):
        SampledBatches(texts, Sample())


def test_shorter_texts_are_padded_at_the_right():
    np.testing.assert_array_equal(padded([TEXTS[0], TEXTS[2]]), [[1, 0, 0], [1, 2, 3]])


def test_batches_hold_every_text_once_and_are_reported_when_they_are_done():
    done: list[int] = []
    batches = SampledBatches(TEXTS, Sample(), batch_texts=3, on_batch=done.append)
    assert len(batches) == 4
    seen = [(batch.start, len(batch.texts), batch.ids.shape, sum(done)) for batch in batches]
    assert seen == [(0, 3, (3, 5), 0), (3, 1, (1, 4), 3)]
    assert done == [3, 1]


def test_measurements_are_collected_by_recurrence():
    model = random_classifier("mingru", "mean", layers=2)
    batches = SampledBatches(TEXTS, Sample(), batch_texts=3)
    measured = measure_recurrences(
        model, batches, measure=lambda recurrence, batch: (int(recurrence.lengths[0]), batch.start)
    )
    assert isinstance(measured, ByRecurrence)
    assert [
        (recurrence.layer, recurrence.direction, values) for recurrence, values in measured
    ] == [
        (layer, direction, [(1, 0), (4, 3)])
        for layer in (1, 2)
        for direction in ("forward", "backward")
    ]
