import numpy as np
import pytest
import tensorflow as tf

from textrnn.training.update.gradient_sources.divergences import divergence, entropy


@pytest.mark.parametrize("multi_label", [False, True])
def test_divergence_and_entropy(rng, multi_label):
    logits = tf.constant(rng.normal(size=(50, 3)), tf.float32)
    other = tf.constant(rng.normal(size=(50, 3)), tf.float32)
    apart = divergence(logits, other, multi_label=multi_label).numpy()
    assert (apart > 0).all()
    assert not divergence(logits, logits, multi_label=multi_label).numpy().any()
    even = np.log(2) if multi_label else np.log(3)
    flat = entropy(tf.zeros([1, 3]), multi_label=multi_label)
    assert float(flat[0]) == pytest.approx(even)
    found = entropy(logits, multi_label=multi_label).numpy()
    assert ((found > 0) & (found < even)).all()
    sure = entropy(tf.constant([[200.0, -200.0, -200.0]]), multi_label=multi_label)
    assert float(sure[0]) == pytest.approx(0.0, abs=1e-6)
