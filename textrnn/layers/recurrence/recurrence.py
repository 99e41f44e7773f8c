"""A recurrence: a cell, the gates that it reads step by step, and its initial states."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from textrnn.layers.cells import RNNCell, States
from textrnn.layers.cells.results import check_step
from textrnn.layers.recurrence.time_order import Order

__all__ = ["Recurrence"]


@dataclass(frozen=True)
class Recurrence:
    """A cell that is to be applied along time. Every kernel computes the same results for it.

    Attributes:
        cell: The cell, built.
        gates: `[T, B, G*H]`, from the cell's `project`; at least one time step.
        states: The states before the first step, each `[B, H]`.
        mask: `[T, B]` of bool, True where there is input; None: there is input everywhere.
        reverse: Whether time runs from T-1 to 0. Outputs stay at the places of their inputs.
        dropout_mask: `[B, H]`, as in the cell's `step`, or None.
    """

    cell: RNNCell
    gates: tf.Tensor
    states: States
    mask: tf.Tensor | None = None
    reverse: bool = False
    dropout_mask: tf.Tensor | None = None

    @property
    def order(self) -> Order:
        """The order in which the time steps are taken."""
        steps = self.gates.shape[0]
        return Order(tf.shape(self.gates)[0] if steps is None else steps, self.reverse)

    def step(self, gates: tf.Tensor, states: States) -> tuple[tf.Tensor, States]:
        """Takes the cell's step with the dropout mask.

        Args:
            gates: `[B, G*H]`.
            states: The states before the step, each `[B, H]`.

        Returns:
            The output `[B, H]` and the new states, each `[B, H]`.

        Raises:
            ConfigError: The cell's `step` returned something else.
        """
        result = self.cell.step(gates, states, dropout_mask=self.dropout_mask)
        return check_step(self.cell, result, states)
