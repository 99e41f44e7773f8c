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
        targets: y `[B, T]`.
        drawn: n `[U]`, the distinct tokens among S draws.
        offsets: `[U]`, ln(m_k / (S q_{n_k})); token n_k was drawn m_k times.
        embedding: The layer with the vectors e_v, `[V, E]`.
        bias: b `[V]`.

    Returns:
        `[B, T]`.
    """
    rows = tf.reshape(vectors, [-1, vectors.shape[-1]])  # [N, E]
    y = tf.reshape(targets, [-1])
    target_scores = tf.cast(tf.reduce_sum(rows * embedding(y), axis=-1), tf.float32)
    target_scores += tf.gather(bias, y)
    drawn_scores = tf.matmul(rows, embedding(drawn), transpose_b=True)  # [N, U]
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
    """Computes `-ln( exp(target) / (exp(target) + sum_{k != hit} exp(drawn_k)) )`, `[N]`.

    The derived gradient reads the large `drawn` once; TensorFlow's own would read it six times.

    Args:
        target: `[N]`.
        drawn: `[N, U]`.
        hits: `[N]`, the place of the target among the drawn tokens, which does not count; -1 if the
            target was not drawn.
    """
    shares = tf.nn.softmax(drawn)
    log_sum = tf.reduce_max(drawn, axis=1) - tf.math.log(tf.reduce_max(shares, axis=1))
    is_hit = hits >= 0
    places = tf.stack([tf.range(tf.size(hits)), tf.maximum(hits, 0)], axis=1)
    hit_share = tf.where(is_hit, tf.minimum(tf.gather_nd(shares, places), 1.0 - 1e-6), 0.0)
    margin = log_sum + tf.math.log1p(-hit_share) - target

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, None]:
        weight = upstream * tf.sigmoid(margin)
        d_drawn = shares * (weight / (1.0 - hit_share))[:, tf.newaxis]
        d_hits = tf.where(is_hit, 0.0, tf.gather_nd(d_drawn, places))
        return -weight, tf.tensor_scatter_nd_update(d_drawn, places, d_hits), None

    return tf.nn.softplus(margin), gradient
