"""Distances between the class distributions of two logits, and the entropy of one."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["divergence", "entropy"]


def divergence(logits: tf.Tensor, moved: tf.Tensor, *, multi_label: bool) -> tf.Tensor:
    """Returns KL(p || q) `[B]` in nats.

    Args:
        logits: `[B, C]`, those of p.
        moved: `[B, C]`, those of q.
        multi_label: Whether each label has a Bernoulli distribution; the mean is then taken over
            the labels.
    """
    if not multi_label:
        p, q = tf.nn.log_softmax(logits), tf.nn.log_softmax(moved)
        return tf.reduce_sum(tf.exp(p) * (p - q), axis=-1)
    sides = [(tf.math.log_sigmoid(s * logits), tf.math.log_sigmoid(s * moved)) for s in (1.0, -1.0)]
    return tf.reduce_mean(tf.add_n([tf.exp(p) * (p - q) for p, q in sides]), axis=-1)


def entropy(logits: tf.Tensor, *, multi_label: bool) -> tf.Tensor:
    """Returns H(p) `[B]` in nats; see `divergence` for the arguments."""
    if not multi_label:
        p = tf.nn.log_softmax(logits)
        return -tf.reduce_sum(tf.exp(p) * p, axis=-1)
    sides = [tf.math.log_sigmoid(s * logits) for s in (1.0, -1.0)]
    return -tf.reduce_mean(tf.add_n([tf.exp(p) * p for p in sides]), axis=-1)
