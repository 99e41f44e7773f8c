"""The change of the weights by one update, and updates that go wrong."""

import keras
import numpy as np
import pytest
from tiny import (
    WORD,
    classifier,
    fit,
    trainer,
)

from textrnn.data.batching import BatchPlan
from textrnn.errors import ModelError
from textrnn.training.batches.labelled_batches import LabelledBatches
from textrnn.training.loop import trainer as loop
from textrnn.training.loop.checkpoints import CHECKPOINTS, Checkpoints


def some_batches(texts, classes, *, rows: int, weights=None) -> LabelledBatches:
    plan = BatchPlan([np.array(text) for text in texts], batch_tokens=999, batch_texts=rows)
    plan.bucket_rows = [rows]  # Even where the texts are fewer.
    weights = np.ones(len(texts)) if weights is None else np.array(weights)
    return LabelledBatches(plan, np.eye(2, dtype=np.float32)[classes], weights.astype(np.float32))


# One update


def update(tmp_path, train: LabelledBatches, **settings) -> list[np.ndarray]:
    """Returns the change of the weights by one epoch of one batch."""
    model = classifier(head="mean")
    before = model.get_weights()
    settings = {"warmup": 0.0, "epochs": 1, "learning_rate": 1.0, **settings}
    fit(trainer(tmp_path, model=model, train=train, **settings))
    return [new - old for new, old in zip(model.get_weights(), before, strict=True)]


@pytest.mark.thorough
def test_rows_that_only_fill_the_shape_change_nothing(tmp_path):
    texts, classes = [[2, 3], [4, WORD], [5]], [0, 1, 0]
    bare = update(tmp_path, some_batches(texts, classes, rows=3))
    filled = update(tmp_path, some_batches(texts, classes, rows=8))
    assert any(np.abs(change).max() > 0.01 for change in bare)
    for first, second in zip(bare, filled, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)


def test_padding_is_no_token_that_is_learned(tmp_path):
    embedding, *_ = update(tmp_path, some_batches([[2], [3, WORD]], [0, 1], rows=2))
    changed = np.flatnonzero(np.abs(embedding).max(axis=1))
    assert changed.tolist() == [2, 3, WORD]


def test_a_text_of_weight_zero_changes_nothing(tmp_path):
    texts, classes = [[2], [3, WORD], [4]], [0, 1, 1]
    embedding, *_ = update(tmp_path, some_batches(texts, classes, rows=3, weights=[1, 1, 0]))
    changed = np.flatnonzero(np.abs(embedding).max(axis=1))
    assert changed.tolist() == [2, 3, WORD]


@pytest.fixture
def plain_descent(monkeypatch):
    """Weights change by the gradient itself."""
    monkeypatch.setattr(loop, "make_optimizer", lambda config: keras.optimizers.SGD(1.0))


def norm(changes) -> float:
    return float(np.sqrt(sum((change**2).sum() for change in changes)))


@pytest.mark.thorough
@pytest.mark.usefixtures("plain_descent")
def test_a_text_counts_as_much_as_its_weight(tmp_path):
    texts, classes = [[2], [3, WORD], [4]], [0, 1, 1]
    single = update(tmp_path, some_batches(texts, classes, rows=3), clip_norm=0)
    double = update(tmp_path, some_batches(texts, classes, rows=3, weights=[2, 2, 2]), clip_norm=0)
    for first, two in zip(single, double, strict=True):
        np.testing.assert_allclose(2 * first, two, rtol=1e-4, atol=1e-7)


@pytest.mark.thorough
@pytest.mark.usefixtures("plain_descent")
def test_the_gradient_is_clipped_to_its_global_norm(tmp_path):
    data = some_batches([[2, 3, 2], [3, WORD, 3]], [0, 1], rows=2)
    free = update(tmp_path, data, clip_norm=0)
    assert norm(free) > 0.02
    clipped = update(tmp_path, data, clip_norm=0.01)
    assert norm(clipped) == pytest.approx(0.01, rel=1e-3)
    for first, second in zip(free, clipped, strict=True):
        np.testing.assert_allclose(first * 0.01 / norm(free), second, atol=1e-6)
    for first, second in zip(free, update(tmp_path, data, clip_norm=50.0), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-7)


# When it goes wrong


def test_a_loss_that_is_no_number_is_reported_with_a_remedy(tmp_path):
    model = classifier()
    model.set_weights([np.full_like(weight, np.inf) for weight in model.get_weights()])
    with pytest.raises(
        ModelError,
        match=r"^the loss is nan in batch 1 of epoch 1; lower `learning_rate` \(now 0\.05\)",
    ):
        fit(trainer(tmp_path, model=model))


def test_a_learning_rate_without_measure_is_noticed_at_the_next_batch(tmp_path):
    ours = trainer(tmp_path, learning_rate=1e30, warmup=0.0)
    with pytest.raises(
        ModelError,
        match=r"the loss (is|has exploded to) \S+ (nats a text )?in batch [2-7] of epoch 1; lower",
    ):
        fit(ours)


def test_it_is_noticed_after_the_last_batch_too(tmp_path):
    data = some_batches([[2], [3, WORD]], [0, 1], rows=2)
    ours = trainer(tmp_path, train=data, learning_rate=1e30, warmup=0.0)
    with pytest.raises(ModelError, match="probabilities are no numbers after the last batch of ep"):
        fit(ours)
    assert not Checkpoints(tmp_path / CHECKPOINTS).paths()
