import numpy as np
import pytest
import tensorflow as tf
from tiny import classifier

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.models.classifier import TextClassifier
from textrnn.training.update.layer_rates import LayerRates, layer_depths
from textrnn.training.update.lazy_adam import LazyAdam


def two_layers() -> TextClassifier:
    return classifier(cell="mingru", layers=2)


def updates_of(model: TextClassifier, *, update: int, **settings) -> list[float]:
    """Returns the step of each variable in its first update, in multiples of the learning rate."""
    optimizer = LazyAdam(0.01, weight_decay=settings.get("weight_decay"))
    optimizer.build(model.trainable_variables)
    rates = LayerRates(
        model, optimizer, config=ClassifierRunConfig.of(**settings), epoch_updates=10
    )
    rates.set(update)
    before = model.get_weights()
    optimizer.apply([tf.ones(v.shape) for v in model.trainable_variables])
    moved = zip(before, (v.numpy() for v in model.trainable_variables), strict=False)
    return [float(np.abs(new - old).max()) / 0.01 for old, new in moved]


@pytest.mark.thorough
def test_each_layer_has_its_share_of_the_learning_rate_and_its_turn():
    below = layer_depths(two_layers())
    assert sorted(set(below)) == [0, 1, 2, 3]
    shares = updates_of(two_layers(), update=0, layer_rate=0.5)
    np.testing.assert_allclose(shares, [0.5**d for d in below], rtol=1e-3)
    first = updates_of(two_layers(), update=0, unfreeze=1.0)
    np.testing.assert_allclose(first, [float(d == 0) for d in below], atol=1e-3)
    later = updates_of(two_layers(), update=20, unfreeze=1.0)
    np.testing.assert_allclose(later, [float(d <= 2) for d in below], atol=1e-3)
    decayed = updates_of(two_layers(), update=0, unfreeze=1.0, weight_decay=0.5)
    assert [moved > 0.0 for moved in decayed] == [d == 0 for d in below]
    plain = updates_of(two_layers(), update=0)
    np.testing.assert_allclose(plain, 1.0, rtol=1e-3)


def test_layers_that_wait_beyond_the_last_epoch_are_reported():
    model, optimizer = two_layers(), LazyAdam(0.01)
    optimizer.build(model.trainable_variables)

    def freeze_message(unfreeze: float, epochs: int | None) -> str:
        config = ClassifierRunConfig.of(unfreeze=unfreeze)
        return LayerRates(model, optimizer, config=config, epoch_updates=10).frozen_message(epochs)

    assert "`unfreeze` 1, 2 of 4 layers learn nothing in 2 epochs" in freeze_message(1.0, 2)
    assert "1 of 4 layers" in freeze_message(1.0, 3)
    assert freeze_message(1.0, 4) == freeze_message(0.0, 1) == freeze_message(9.0, None) == ""
