"""Adam for models most of whose weights are rows of an embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from textrnn.keras_internals import ExtensibleAdam
from textrnn.training.update.row_gradients import RowGradient

__all__ = ["LazyAdam"]


@keras.saving.register_keras_serializable(package="textrnn")
class LazyAdam(ExtensibleAdam):
    """Adam (Kingma & Ba 2015) that updates only those rows of an embedding that a batch used.

    Dense Adam keeps moving a row for about twenty steps after each use, by its momentum. The row
    moves about ten times as far in all, so the row of a rare token memorises the few texts that
    hold it. The cost of dense Adam also grows with the vocabulary. If the gradient is a
    `tf.IndexedSlices` of distinct rows, or a `RowGradient`, this optimizer leaves the moments and
    weights of all other rows unchanged. It updates every other weight as Adam does.

    The caller sums the gradients over the replicas of a strategy first: clipping by the global norm
    needs the sum, and Keras would sum only when it applies a gradient.

    With `use_ema`, the moving average of the weights has the momentum
    `min(ema_momentum, t / (9 + t))` after t updates, so that it forgets the initial weights and
    serves short trainings too. `set_rates` gives each variable its own learning rate, which also
    scales its weight decay. The arguments are those of `keras.optimizers.Adam`.

    >>> table = keras.Variable([[1.0], [1.0]])
    >>> optimizer = LazyAdam(0.5)
    >>> optimizer.build([table])
    >>> gradient = tf.IndexedSlices(tf.constant([[3.0]]), tf.constant([1]), [2, 1])
    >>> optimizer.apply([gradient], [table])
    >>> table.numpy().ravel().round(3).tolist()
    [1.0, 0.5]
    """

    _rates: keras.Variable | None = None

    def set_rates(self, shares: Sequence[float]) -> None:
        """Sets the share of the learning rate that each variable has.

        The first call must come before the first update.

        Args:
            shares: One share per variable, in the order of `build`.
        """
        if self._rates is None:
            self._rates = keras.Variable(np.asarray(shares, np.float32), trainable=False)
        else:
            self._rates.assign(shares)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable."""
        if self._rates is not None:
            share = self._rates[self.place_of(variable)]
            learning_rate = tf.cast(learning_rate, tf.float32) * share
        if self.weight_decay is not None and self.decays(variable):
            decay = tf.cast(self.weight_decay, variable.dtype)
            variable.assign_sub(variable * decay * tf.cast(learning_rate, variable.dtype))
        if isinstance(gradient, RowGradient):
            self._update_rows(gradient, variable, learning_rate)
            return
        if isinstance(variable, keras.Variable):  # Inside a `keras.StatelessScope`.
            self._update_rows(RowGradient(gradient, 1.0), variable, learning_rate)
            return
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        rows = gradient.indices
        rate, beta_1, beta_2 = self._factors(variable.dtype, learning_rate)
        moments, squares = (slot.value for slot in self.slots_of(variable))
        m = beta_1 * tf.gather(moments, rows) + (1 - beta_1) * gradient.values
        v = beta_2 * tf.gather(squares, rows) + (1 - beta_2) * tf.square(gradient.values)
        moments.scatter_update(tf.IndexedSlices(m, rows))
        squares.scatter_update(tf.IndexedSlices(v, rows))
        change = rate * m / (tf.sqrt(v) + self.epsilon)
        # scatter_sub takes twice the time.
        variable.scatter_update(tf.IndexedSlices(tf.gather(variable, rows) - change, rows))

    def apply_weight_decay(self, variables: Any) -> None:
        """Does nothing: `update_step` applies the decay, with the rate of each variable."""

    def _update_rows(self, gradient: RowGradient, variable: Any, learning_rate: Any) -> None:
        """Updates the touched rows in static shapes; all rows are computed."""
        rate, beta_1, beta_2 = self._factors(variable.dtype, learning_rate)
        moments, squares = self.slots_of(variable)
        touched = gradient.touched
        m = moments + touched * (1 - beta_1) * (gradient.values - moments)
        v = squares + touched * (1 - beta_2) * (tf.square(gradient.values) - squares)
        moments.assign(m)
        squares.assign(v)
        variable.assign_sub(touched * rate * m / (tf.sqrt(v) + self.epsilon))

    def _factors(self, dtype: Any, learning_rate: Any) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the bias-corrected learning rate, beta_1 and beta_2."""
        steps = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = tf.cast(self.beta_1, dtype), tf.cast(self.beta_2, dtype)
        rate = tf.cast(learning_rate, dtype) * tf.sqrt(1 - beta_2**steps) / (1 - beta_1**steps)
        return rate, beta_1, beta_2

    def sum_over_replicas(self, gradients_and_variables: Any) -> Any:
        """Returns the gradients unchanged: they have been summed already."""
        return gradients_and_variables

    def update_averages(self, variables: Any) -> None:
        """Updates the averages with the momentum of the class's docstring."""
        updates = tf.cast(self.iterations, tf.float32)
        momentum = tf.minimum(self.ema_momentum, updates / (9 + updates))
        for variable, average in zip(variables, self.averages, strict=True):
            average.assign_add((1 - momentum) * (variable - average))
