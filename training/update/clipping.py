"""Clipping of gradients by their global norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from textrnn.training.update.row_gradients import gradient_values, scale_gradient

__all__ = ["clip_gradients"]


def clip_gradients(
    gradients: Sequence[Any], clip_norm: float, *, scale: float
) -> tuple[list[Any], tf.Tensor]:
    """Scales gradients down to a global norm.

    Args:
        gradients: The gradients, each of which names a row at most once; see `row_gradients`.
        clip_norm: The largest norm; 0 means no limit.
        scale: The factor that the loss was multiplied by; the gradients are divided by it.

    Returns:
        The clipped gradients, and the norm that they had before.
    """
    norm = tf.linalg.global_norm([gradient_values(gradient) for gradient in gradients]) / scale
    factor: Any = 1.0 / scale
    if clip_norm:
        factor *= clip_norm / tf.maximum(norm, clip_norm)
    if clip_norm or factor != 1.0:
        gradients = [scale_gradient(gradient, factor) for gradient in gradients]
    return list(gradients), norm
