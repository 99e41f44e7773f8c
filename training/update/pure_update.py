"""An update as a function of tensors alone, for compilers that know no variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

__all__ = ["PureUpdate", "values_of"]


def values_of(variables: Iterable[Any]) -> list[Any]:
    """Returns the values of Keras variables, to be watched by a tape and differentiated by.

    They are TensorFlow's variables; but inside a `PureUpdate` they are tensors, which a tape does
    not watch by itself.
    """
    return [variable.value for variable in variables]


class PureUpdate:
    """Computes the new values of variables from the old ones, and changes no variable.

    >>> total = keras.Variable(1.0)
    >>> pure = PureUpdate(lambda change: total.assign_add(change), [total])
    >>> result, (new,) = pure([tf.constant(2.0)], values=[tf.constant(10.0)])
    >>> float(new), float(total.value)
    (12.0, 1.0)

    Args:
        update: The update, which reads and assigns Keras variables.
        variables: All variables that it reads or assigns.
    """

    def __init__(self, update: Callable[..., Any], variables: Sequence[keras.Variable]) -> None:
        self._update = update
        self.variables = list(variables)

    def __call__(
        self, arguments: Sequence[tf.Tensor], *, values: Sequence[tf.Tensor]
    ) -> tuple[Any, list[tf.Tensor]]:
        """Computes one update.

        Args:
            arguments: The arguments of the update.
            values: The value of each variable.

        Returns:
            The result of the update, and the new value of each variable.
        """
        pairs = list(zip(self.variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs) as scope:
            result = self._update(*arguments)
        new = [scope.get_current_value(variable) for variable in self.variables]
        return result, [tf.convert_to_tensor(value) for value in new]

    def stablehlo(self, arguments: Sequence[tf.Tensor], *, platform: str = "GPU") -> bytes:
        """Lowers the update to StableHLO, the input of XLA on any device.

        The inputs of the program are the arguments, then the values of all variables; its outputs
        are the flat result, then the new values. The device itself is not needed.

        Args:
            arguments: Arguments of the update, whose shapes the program has.
            platform: GPU or CPU, the kind of device that the program is for.
        """
        count = len(arguments)

        def run(*tensors: tf.Tensor) -> list[tf.Tensor]:
            result, new = self(tensors[:count], values=tensors[count:])
            return [*tf.nest.flatten(result), *new]

        compiled = tf.function(run, jit_compile=True, autograph=False)
        values = [tf.convert_to_tensor(variable.value) for variable in self.variables]
        lower = compiled.experimental_get_compiler_ir(*arguments, *values)
        module: bytes = lower(stage="stablehlo_serialized", platform_name=platform)
        return module
