"""The private names of Keras that this package uses, each wrapped by a public name.

Keras may change a private name in any release. All of them are in this file, so the upper bound
of keras in setup.py depends on this file alone; tests/test_keras_internals.py finds the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

__all__ = ["ExtensibleAdam", "Slots"]


class Slots(NamedTuple):
    """The state of Adam for one variable: `keras.Variable`s of its shape.

    Attributes:
        momentum: The moving average of the gradient.
        velocity: The moving average of the gradient's square.
    """

    momentum: keras.Variable
    velocity: keras.Variable


class ExtensibleAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` whose inner parts a subclass can read and replace.

    Keras gives a subclass of an optimizer no public way to read Adam's variables, nor to replace
    the weight decay, the sum over replicas or the average of the weights. With TensorFlow its
    optimizers do not work inside a `keras.StatelessScope`; there this class calls `update_step`
    with each Keras variable.
    """

    def place_of(self, variable: Any) -> int:
        """Returns the number of a variable, in the order of `build`."""
        return int(self._get_variable_index(variable))

    def slots_of(self, variable: Any) -> Slots:
        """Returns the state of Adam for a variable."""
        place = self.place_of(variable)
        return Slots(self._momentums[place], self._velocities[place])

    def decays(self, variable: Any) -> bool:
        """Returns whether a variable has weight decay."""
        return bool(self._use_weight_decay(variable))

    @property
    def averages(self) -> Sequence[Any]:
        """The averages of the variables, with `use_ema`, in the order of `build`."""
        averages: Sequence[Any] = self._model_variables_moving_average
        return averages

    def apply_weight_decay(self, variables: Any) -> None:
        """Decays variables before an update; Keras calls it."""
        super()._apply_weight_decay(variables)

    def sum_over_replicas(self, gradients_and_variables: Any) -> Any:
        """Sums the gradients of all replicas; Keras calls it under a strategy."""
        return super()._all_reduce_sum_gradients(gradients_and_variables)

    def update_averages(self, variables: Any) -> None:
        """Updates the averages after an update; Keras calls it with `use_ema`."""
        super()._update_model_variables_moving_average(variables)

    def _var_key(self, variable: Any) -> Any:
        # Inside a `keras.StatelessScope` the value of a variable is a tensor without identity.
        own = variable._value if isinstance(variable, keras.Variable) else variable
        return super()._var_key(own)

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        if all(isinstance(variable.value, tf.Variable) for variable in trainable_variables):
            super()._backend_update_step(grads, trainable_variables, learning_rate)
            return
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def _apply_weight_decay(self, variables: Any) -> None:
        self.apply_weight_decay(variables)

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        return self.sum_over_replicas(grads_and_vars)

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        self.update_averages(trainable_variables)
