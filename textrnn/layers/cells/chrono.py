"""Chrono initialisation: biases that let a cell remember for a given number of steps."""

from __future__ import annotations

import keras
import tensorflow as tf

from textrnn.errors import ConfigError

__all__ = ["checked_chrono_steps", "chrono_bias"]


def checked_chrono_steps(steps: int) -> int:
    """Returns `steps` if it is valid.

    Raises:
        ConfigError: `steps` is neither 0 nor at least 3.
    """
    if steps < 3 and steps != 0:
        raise ConfigError(f"`chrono_steps` must be 0 (off) or at least 3, got {steps}.")
    return steps


def chrono_bias(units: int, *, steps: int, seed: int | None) -> tf.Tensor:
    """Draws biases `[H]` of gates that keep the past, for time scales from 1 to `steps`.

    `b = log(u)`, `u ~ Uniform(1, steps - 1)`: a gate at its bias keeps 1 - 1/(1+u) of the state, so
    its memory lasts about 1+u steps (Tallec & Ollivier 2018, "Can Recurrent Neural Networks Warp
    Time?"). The negative biases suit gates that admit new input.
    """
    uniform = keras.random.uniform([units], 1.0, float(steps - 1), dtype="float32", seed=seed)
    return tf.math.log(uniform)
