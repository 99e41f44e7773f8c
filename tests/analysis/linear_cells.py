"""Cells whose memory is known beforehand."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from textrnn.analysis.dynamics.systems import Recurrence
from textrnn.layers.cells import LinearRNNCell, RNNCell


class Decay(LinearRNNCell):
    """`h_t = 0.9 h_{t-1} + gates_t`."""

    gate_count = 1
    decay = 0.9

    def coefficients(self, gates, *, dropout_mask=None):
        return tf.fill(tf.shape(gates), tf.constant(self.decay, gates.dtype)), gates


class Rotation(RNNCell):
    """`h_t = factor R h_{t-1} + gates_t`, R a rotation of the plane by one radian."""

    gate_count = 1
    factor = 1.0

    def step(self, gates, states, *, dropout_mask=None):
        cosine, sine = np.cos(1.0), np.sin(1.0)
        turn = tf.constant([[cosine, sine], [-sine, cosine]], gates.dtype)
        h = self.factor * states[0] @ turn + gates
        return h, (h,)


class Contraction(Rotation):
    """The cell above with all states halved at each step."""

    factor = 0.5


def driven(cell, *, steps=60, lengths=(60, 40)):
    """The recurrence of a cell of two units over random inputs."""
    gates = np.random.default_rng(0).normal(size=(steps, len(lengths), 2))
    return Recurrence(
        layer=1,
        direction="forward",
        cell=cell,
        gates=tf.constant(gates, cell.state_dtype),
        lengths=tf.constant(lengths),
    )
