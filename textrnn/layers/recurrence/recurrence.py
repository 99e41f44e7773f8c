"""A recurrence: a cell, the gates that it reads step by step, and its initial states."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import tensorflow as tf

from textrnn.layers.cells import RNNCell, States
from textrnn.layers.recurrence.time_order import Order
from textrnn.layers.recurrence.unroll import Step

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

    @property
    def step(self) -> Step:
        """The cell's step, with the dropout mask."""
        return functools.partial(self.cell.step, dropout_mask=self.dropout_mask)
