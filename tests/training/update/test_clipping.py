import numpy as np
import pytest
import tensorflow as tf

from textrnn.training.update.clipping import clip_gradients
from textrnn.training.update.row_gradients import gradient_values, row_gradient, scale_gradient


def gradients() -> list:
    """Gradients of each form, whose global norm is 5 sqrt(3)."""
    slices = tf.IndexedSlices(tf.constant([[3.0, 4.0]]), tf.constant([1]), tf.constant([3, 2]))
    return [tf.constant([3.0, 4.0]), slices, row_gradient(slices, 3)]


@pytest.mark.parametrize("scale", [1.0, 4096.0])
def test_gradients_have_the_norm_asked_for_at_the_most(scale):
    clipped, norm = clip_gradients(
        [scale_gradient(g, scale) for g in gradients()], 1.0, scale=scale
    )
    assert float(norm) == pytest.approx(5 * np.sqrt(3))
    sizes = tf.linalg.global_norm([gradient_values(gradient) for gradient in clipped])
    assert float(sizes) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("clip_norm", [0.0, 100.0])
def test_small_gradients_stay_as_they_are(clip_norm):
    clipped, _ = clip_gradients(gradients(), clip_norm, scale=1.0)
    for first, second in zip(clipped, gradients(), strict=True):
        np.testing.assert_array_equal(gradient_values(first), gradient_values(second))
