"""The base class of cells whose new state is linear in the old one."""

from __future__ import annotations

import tensorflow as tf

from textrnn.layers.cells.base import RNNCell, States, undefined

__all__ = ["LinearRNNCell"]


class LinearRNNCell(RNNCell):
    """A cell whose new state is linear in the old one: `h_t = decay_t * h_{t-1} + update_t`.

    The coefficients do not depend on the state, so all of them are known before the first step,
    and the recurrence can be computed in parallel over time. All weights are in `project`; the
    coefficients have none. There is no recurrent kernel: recurrent dropout drops units of the
    candidate state instead (Semeniuta et al. 2016, "Recurrent Dropout without Memory Loss").

    A subclass defines `coefficients`.

    >>> class DecayCell(LinearRNNCell):
    ...     def coefficients(self, gates, *, dropout_mask=None):
    ...         update = gates if dropout_mask is None else gates * dropout_mask
    ...         return 0.9 * tf.ones_like(gates), update
    >>> cell = DecayCell(3)
    >>> output, states = cell(tf.zeros([2, 5]), cell.get_initial_state(2))
    >>> output.shape
    TensorShape([2, 3])
    """

    @property
    def output_is_state(self) -> bool:
        """Returns whether the cell keeps the `step` of this class, whose output is the state."""
        return type(self).step is LinearRNNCell.step

    def coefficients(
        self, gates: tf.Tensor, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the decay and the update of each step. Every linear cell must define it.

        Args:
            gates: `[..., G*H]`, from `project`.
            dropout_mask: `[B, H]` or None.

        Returns:
            `decay` and `update`, each `[..., H]`.

        Raises:
            NotImplementedError: The cell does not define it.
        """
        raise undefined(self, "coefficients(gates, *, dropout_mask=None)", "decay, update")

    def step(
        self, gates: tf.Tensor, states: States, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, States]:
        """Computes `h_t = decay_t * h_{t-1} + update_t`; see `RNNCell.step`."""
        decay, update = self.coefficients(gates, dropout_mask=dropout_mask)
        h = decay * states[0] + update  # [B, H]
        return h, (h,)
