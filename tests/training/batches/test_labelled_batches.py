import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_examples import examples
from tiny import labelled_ids

from textrnn.config.training import BatchesConfig
from textrnn.data.batching import Batch, BatchPlan
from textrnn.training.batches.labelled_batches import LabelledBatches, balanced_rows, fill_rows


def some_batches(texts, classes, *, rows: int, weights=None) -> LabelledBatches:
    plan = BatchPlan([np.array(text) for text in texts], batch_tokens=999, batch_texts=rows)
    plan.bucket_rows = [rows]  # Even where the texts are fewer.
    weights = np.ones(len(texts)) if weights is None else np.array(weights)
    return LabelledBatches(plan, np.eye(2, dtype=np.float32)[classes], weights.astype(np.float32))


def test_each_batch_carries_targets_and_weights(tmp_path):
    data = some_batches([[2], [3, 4], [5]], [0, 1, 1], rows=2, weights=[0.5, 1, 2])
    batches = data.plan.batches()
    (ids, targets, weights), (_, _, last) = (
        [tensor.numpy() for tensor in tensors] for tensors in data.dataset(batches)
    )
    arrays = list(data.arrays(batches))
    np.testing.assert_array_equal(arrays[0][0], ids)
    np.testing.assert_array_equal(arrays[1][2], last)
    assert ids[:, :2].tolist() == [[2, 0], [3, 4]]
    assert targets.tolist() == [[1, 0], [0, 1]]
    assert weights.tolist() == [0.5, 1]
    assert last.tolist() == [2, 0]


def test_filler_rows_weigh_nothing():
    data = labelled_ids()
    batch = data.plan.batches()[0]
    ((ids, targets, weights),) = data.dataset([batch], multiple=7).as_numpy_iterator()
    assert len(ids) == len(targets) == len(weights) == 7 * -(-len(batch.rows) // 7)
    assert weights.sum() == (batch.rows >= 0).sum()


@pytest.mark.parametrize(("multiple", "rows"), [(1, [4, 5]), (2, [4, 5]), (3, [4, 5, -1])])
def test_rows_are_filled_up_to_a_multiple(multiple, rows):
    filled = fill_rows(Batch(np.array([4, 5]), 8), multiple=multiple)
    assert filled.rows.tolist() == rows
    assert filled.length == 8


def test_some_texts_keep_their_targets_and_weights():
    data = labelled_ids()
    part = data.take(np.array([3, 0]), BatchesConfig())
    assert [text.tolist() for text in part.plan.texts] == [
        data.plan.texts[3].tolist(),
        data.plan.texts[0].tolist(),
    ]
    assert part.targets[:].tolist() == data.targets[[3, 0]].tolist()
    assert part.unlabelled is None


# Balanced batches


@examples(50)
@given(
    counts=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    balance=st.sampled_from([0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_classes_come_nearer_to_the_same_frequency(counts, balance, seed):
    classes = np.repeat(np.arange(len(counts)) * 3, counts)
    rows = balanced_rows(classes, balance=balance, seed=seed)
    shares = np.array(counts) ** (1 - balance)
    wanted = len(classes) * shares / shares.sum()
    for number, count in enumerate(counts):
        members = np.flatnonzero(classes == 3 * number)
        read = np.bincount(rows, minlength=len(classes))[members]
        assert abs(read.sum() - max(wanted[number], 1)) <= 0.5
        # No text of a class is read twice more than another one.
        assert read.max() - read.min() <= 1
        assert len(members) == count
    assert rows.tolist() == balanced_rows(classes, balance=balance, seed=seed).tolist()


def test_each_epoch_has_other_texts_of_a_frequent_class():
    classes = [0] * 30 + [1] * 3
    texts = [[2 + number] for number in range(33)]
    data = dataclasses.replace(some_batches(texts, classes, rows=4), balance=1.0)
    epochs = []
    for epoch in (0, 0, 1):
        batches = data.batches(seed=[7, epoch])
        rows = np.concatenate([batch.rows for batch in batches])
        rows = rows[rows >= 0]
        assert np.bincount(np.array(classes)[rows]).tolist() == [16, 16]
        epochs.append(rows.tolist())
    assert epochs[0] == epochs[1]
    assert set(epochs[0]) != set(epochs[2])


def test_without_balance_every_text_is_read_once():
    data = labelled_ids()
    rows = np.concatenate([batch.rows for batch in data.batches(seed=[0, 1])])
    assert sorted(rows[rows >= 0].tolist()) == list(range(40))
