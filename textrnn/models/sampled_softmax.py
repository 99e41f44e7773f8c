"""The loss of a language model against a sample of the vocabulary."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from textrnn.layers.embedding import TokenEmbedding

__all__ = ["sampled_losses"]


def sampled_losses(
    vectors: tf.Tensor,
    targets: tf.Tensor,
    drawn: tf.Tensor,
    offsets: tf.Tensor,
    *,
    embedding: TokenEmbedding,
    bias: tf.Tensor,
) -> tf.Tensor:
    """Computes `-ln p` of tokens against a sample of the others, drawn once for the whole batch.

        l   = -ln( exp(s_y) / Z ),     s_v = e_v . c + b_v
        Z   = exp(s_y) + sum_{k: n_k != y} m_k / (S q_{n_k}) exp(s_{n_k})

    q is the probability that a draw gives a token. With this correction Z is on average the sum
    over the whole vocabulary (Bengio & Senecal 2008, "Adaptive Importance Sampling to Accelerate
    Training of a Neural Probabilistic Language Model").

    Args:
        vectors: c `[B, T, E]`.
        targets: y `[B, T]`, or `[B, T, N]` for N tokens that the same vector predicts.
        drawn: n `[U]`, the distinct tokens among S draws.
        offsets: `[U]`, ln(m_k / (S q_{n_k})); token n_k was drawn m_k times.
        embedding: The layer with the vectors e_v, `[V, E]`.
        bias: b `[V]`.

    Returns:
        The loss of each target, in the shape of the targets.
    """
    rows = tf.reshape(vectors, [-1, vectors.shape[-1]])  # [M, E]
    y = tf.reshape(targets, [-1, targets.shape[2] if targets.shape.rank == 3 else 1])  # [M, N]
    target_scores = tf.reduce_sum(rows[:, tf.newaxis] * embedding(y), axis=-1)
    target_scores = tf.cast(target_scores, tf.float32) + tf.gather(bias, y)
    drawn_scores = tf.matmul(rows, embedding(drawn), transpose_b=True)  # [M, U]
    drawn_scores = tf.nn.bias_add(
        tf.cast(drawn_scores, tf.float32), offsets + tf.gather(bias, drawn)
    )
    places = tf.tensor_scatter_nd_update(
        tf.fill(tf.shape(bias), -1), drawn[:, tf.newaxis], tf.range(tf.size(drawn))
    )
    losses = _cross_entropy(target_scores, drawn_scores, tf.gather(places, y))
    return tf.reshape(losses, tf.shape(targets))


@tf.custom_gradient
def _cross_entropy(target: tf.Tensor, drawn: tf.Tensor, hits: tf.Tensor) -> Any:
    """Computes `-ln( exp(target) / (exp(target) + sum_{k != hit} exp(drawn_k)) )`, `[M, N]`.

    The derived gradient reads the large `drawn` once; TensorFlow's own would read it six times.

    Args:
        target: `[M, N]`.
        drawn: `[M, U]`.
        hits: `[M, N]`, the place of the target among the drawn tokens, which does not count; -1 if
            the target was not drawn.
    """
    shares = tf.nn.softmax(drawn)
    log_sum = tf.reduce_max(drawn, axis=1) - tf.math.log(tf.reduce_max(shares, axis=1))  # [M]
    is_hit, places = hits >= 0, tf.maximum(hits, 0)
    hit_share = tf.gather(shares, places, batch_dims=1)  # [M, N]
    hit_share = tf.where(is_hit, tf.minimum(hit_share, 1.0 - 1e-6), 0.0)
    margin = log_sum[:, tf.newaxis] + tf.math.log1p(-hit_share) - target

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, None]:
        weight = upstream * tf.sigmoid(margin)
        factors = weight / (1.0 - hit_share)
        d_drawn = shares * tf.reduce_sum(factors, axis=1, keepdims=True)
        rows = tf.range(tf.shape(hits)[0])[:, tf.newaxis] + tf.zeros_like(hits)
        d_drawn = tf.tensor_scatter_nd_sub(
            d_drawn, tf.stack([rows, places], axis=2), factors * hit_share
        )
        return -weight, d_drawn, None

    return tf.nn.softplus(margin), gradient
