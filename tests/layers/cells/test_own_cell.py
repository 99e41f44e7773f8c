"""Cells that a user of the library writes work like those of the package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import BATCH, INPUTS, MASKS, STEPS, UNITS, assert_close, randomise

from textrnn.errors import ConfigError
from textrnn.layers.bidirectional import Bidirectional
from textrnn.layers.cells import LinearRNNCell, NonlinearRNNCell, RNNCell, States
from textrnn.layers.recurrence import choose_kernel
from textrnn.layers.rnn import RNN
from textrnn.layers.stack import RNNStack

pytestmark = pytest.mark.usefixtures("seeded")


@keras.saving.register_keras_serializable(package="own")
class LeakyCell(NonlinearRNNCell):
    """A leaky integrator: `s_t = (1 - a) s_{t-1} + a tanh(x_t U + s_{t-1} W + b)`."""

    def __init__(self, units: int, *, leak: float = 0.25, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.leak = leak

    def combine(
        self, gates: tf.Tensor, recurrent: tf.Tensor, states: States
    ) -> tuple[States, States]:
        s = (1.0 - self.leak) * states[0] + self.leak * tf.tanh(gates + recurrent)
        return (s,), (gates, recurrent)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "leak": self.leak}


@keras.saving.register_keras_serializable(package="own")
class TimeScalesCell(LinearRNNCell):
    """Each unit forgets at a rate of its own: `h_t = d h_{t-1} + (1 - d) (x_t U + b)`."""

    def coefficients(
        self, gates: tf.Tensor, *, dropout_mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        decay = tf.cast(1.0 - 0.5 ** tf.range(1.0, self.units + 1.0), gates.dtype)  # [H]
        update = (1.0 - decay) * gates
        if dropout_mask is not None:
            update *= dropout_mask
        return tf.broadcast_to(decay, tf.shape(gates)), update


CELLS = [LeakyCell, TimeScalesCell]
KERNELS = [(LeakyCell, "chunked"), (TimeScalesCell, "chunked"), (TimeScalesCell, "scan")]
each_cell = pytest.mark.parametrize("cell", CELLS)


def sequence(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(BATCH, STEPS, INPUTS))


def layer_of(cell: type[RNNCell], **settings: Any) -> RNN:
    layer = RNN(cell(UNITS, dtype="float64"), return_sequences=True, **settings)
    layer.build((None, None, INPUTS))
    return layer


def outputs_and_gradients(layer: RNN, inputs: np.ndarray, mask: np.ndarray) -> list[tf.Tensor]:
    weights = layer.trainable_variables
    with tf.GradientTape() as tape:
        outputs = layer(inputs, mask=mask, training=True)
        total = tf.reduce_sum(tf.sin(outputs))
    return [outputs, *tape.gradient(total, weights)]


@each_cell
def test_the_fast_kernels_take_it(cell: type[RNNCell]) -> None:
    assert choose_kernel(cell(UNITS)).name == "chunked"


@pytest.mark.parametrize(("cell", "kernel"), KERNELS)
def test_every_kernel_gives_the_outputs_and_gradients_of_the_unrolled_loop(
    cell: type[RNNCell], kernel: str, rng: np.random.Generator
) -> None:
    fast, plain = layer_of(cell, kernel=kernel), layer_of(cell, kernel="unroll")
    plain.set_weights(randomise(fast, rng))
    inputs, mask = sequence(rng), MASKS["partial"]
    assert_close(
        outputs_and_gradients(fast, inputs, mask), outputs_and_gradients(plain, inputs, mask)
    )


def test_the_leaky_cell_computes_its_equation(rng: np.random.Generator) -> None:
    layer = layer_of(LeakyCell)
    kernel, recurrent_kernel, bias = randomise(layer, rng)
    inputs, s = sequence(rng), np.zeros((BATCH, UNITS))
    for t, output in enumerate(np.moveaxis(layer(inputs), 1, 0)):
        s = 0.75 * s + 0.25 * np.tanh(inputs[:, t] @ kernel + s @ recurrent_kernel + bias)
        assert_close(output, s)


@each_cell
def test_it_runs_in_both_directions_and_in_a_stack(
    cell: type[RNNCell], rng: np.random.Generator
) -> None:
    inputs = sequence(rng).astype("float32")
    both = Bidirectional(RNN(cell(UNITS), return_sequences=True))
    assert both(inputs, mask=MASKS["right"]).shape == (BATCH, STEPS, 2 * UNITS)
    stack = RNNStack([cell(UNITS), cell(UNITS)], bidirectional=True, residual=True)
    assert stack(inputs, mask=MASKS["right"])[0].shape == (BATCH, STEPS, 2 * UNITS)


@each_cell
def test_it_runs_inside_the_recurrent_layer_of_keras(
    cell: type[RNNCell], rng: np.random.Generator
) -> None:
    layer, inputs = layer_of(cell), sequence(rng)
    theirs = keras.layers.RNN(layer.cell, return_sequences=True, dtype="float64")
    assert_close(theirs(inputs), layer(inputs))


@each_cell
def test_recurrent_dropout_changes_it_in_training_alone(
    cell: type[RNNCell], rng: np.random.Generator
) -> None:
    layer = RNN(cell(UNITS, recurrent_dropout=0.5, dtype="float64"), return_sequences=True)
    inputs = sequence(rng)
    assert_close(layer(inputs), layer(inputs))
    assert np.abs(layer(inputs, training=True) - layer(inputs)).max() > 0


@each_cell
def test_pieces_of_a_sequence_give_what_the_whole_gives(
    cell: type[RNNCell], rng: np.random.Generator
) -> None:
    layer, inputs = layer_of(cell, window=2), sequence(rng)
    randomise(layer, rng)
    state = layer.start(BATCH, INPUTS)
    first, state = layer.advance(state, tf.constant(inputs[:, :2]))
    second, _ = layer.advance(state, tf.constant(inputs[:, 2:]))
    assert_close(tf.concat([first, second], axis=1), layer(inputs))


@pytest.mark.thorough
@each_cell
def test_it_is_saved_and_loaded(
    cell: type[RNNCell], tmp_path: Path, rng: np.random.Generator
) -> None:
    settings: dict[str, Any] = {"leak": 0.5} if cell is LeakyCell else {}
    model = keras.Sequential([keras.Input((None, INPUTS)), RNN(cell(UNITS, **settings))])
    inputs = sequence(rng).astype("float32")
    model.save(tmp_path / "own.keras")
    again = keras.saving.load_model(tmp_path / "own.keras")
    np.testing.assert_array_equal(again(inputs), model(inputs))
    assert again.layers[0].cell.get_config() == model.layers[0].cell.get_config()


@each_cell
def test_the_last_output_is_that_of_a_step_of_its_own(
    cell: type[RNNCell], rng: np.random.Generator
) -> None:
    def step(self: RNNCell, gates: tf.Tensor, states: States, **settings: Any) -> Any:
        output, states = cell.step(self, gates, states, **settings)
        return 2.0 * output, states

    doubled = type("Doubled", (cell,), {"step": step})
    last, all_outputs = RNN(doubled(UNITS, dtype="float64")), layer_of(doubled)
    inputs = sequence(rng)
    last.build((None, None, INPUTS))
    last.set_weights(randomise(all_outputs, rng))
    assert choose_kernel(last.cell).name == "unroll"
    assert_close(last(inputs), all_outputs(inputs)[:, -1])


@pytest.mark.parametrize(
    ("base", "method"),
    [
        (RNNCell, r"`step\(gates, states, \*, dropout_mask=None\)`.*see RNNCell"),
        (NonlinearRNNCell, r"`combine\(gates, recurrent, states\)`.*see NonlinearRNNCell"),
        (LinearRNNCell, r"`coefficients\(gates, \*, dropout_mask=None\)`.*see LinearRNNCell"),
    ],
)
def test_a_missing_method_is_named(base: type[RNNCell], method: str) -> None:
    unfinished = type("Unfinished", (base,), {})
    with pytest.raises(NotImplementedError, match="Unfinished must define " + method):
        RNN(unfinished(UNITS))(tf.zeros([1, 2, INPUTS]))


def test_activations_that_the_gradient_cannot_use_are_named() -> None:
    class Forgetful(LeakyCell):
        def combine(self, gates: tf.Tensor, recurrent: tf.Tensor, states: States) -> Any:
            return super().combine(gates, recurrent, states)[0], ()

    with pytest.raises(ConfigError, match=r"Forgetful must return the activations \(gates, rec"):
        outputs_and_gradients(layer_of(Forgetful), np.zeros((1, 2, INPUTS)), np.ones((1, 2), bool))


Call = Callable[[RNNCell], Any]
BY_LAYER: Call = lambda cell: RNN(cell)(tf.zeros([2, 3, INPUTS]))  # noqa: E731
BY_STEP: Call = lambda cell: cell(tf.zeros([2, INPUTS]), cell.get_initial_state(2))  # noqa: E731
by_each_call = pytest.mark.parametrize("call", [BY_LAYER, BY_STEP], ids=["layer", "step"])


@by_each_call
@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda s: s, r"two tuples: \(float32 \[2, 4\],\) as new states, and a tuple"),
        (
            lambda s: (s, (s, s)),
            r"got \(float32 \[2, 4\], \(float32 \[2, 4\], float32",
        ),
        (lambda s: ((s,), None), r"got \(\(float32 \[2, 4\],\), None\)\."),
        (lambda s: ((s,), (s,), s), r"got \(\(float32 \[2, 4\],\), \(float32 \[2, 4\],\), float32"),
        (lambda s: ((s, s), ()), r"as new states; got \(float32 \[2, 4\], float32 \[2, 4\]\)\."),
        (
            lambda s: ((s[:, :3],), ()),
            r"4\],\) as new states; got \(float32 \[2, 3\]",
        ),
        (lambda s: ((s[0],), ()), r"got \(float32 \[4\],\)\."),
        (lambda s: ((tf.cast(s, "float64"),), ()), r"got \(float64 \[2, 4\],\)\."),
        (lambda s: ((0.5,), ()), r"got \(float,\)\."),
    ],
)
def test_another_result_of_combine_is_named(call: Call, result: Any, message: str) -> None:
    class Odd(NonlinearRNNCell):
        def combine(self, gates: tf.Tensor, recurrent: tf.Tensor, states: States) -> Any:
            return result(states[0])

    with pytest.raises(ConfigError, match=f"`combine` of Odd must return .*{message}"):
        call(Odd(4))


@by_each_call
@pytest.mark.parametrize(
    ("result", "got"),
    [
        (lambda s: s, r"float32 \[2, 4\]"),
        (lambda s: (s, s), r"\(float32 \[2, 4\], float32 \[2, 4\]\)"),
        (lambda s: (s, (s, s)), r"\(float32 \[2, 4\], \(float32 \[2, 4\], float32 \[2, 4\]\)\)"),
        (lambda s: (s[:, :3], (s,)), r"\(float32 \[2, 3\], \(float32 \[2, 4\],\)\)"),
        (lambda s: (None, (s,)), r"\(None, \(float32 \[2, 4\],\)\)"),
    ],
)
def test_another_result_of_a_step_is_named(call: Call, result: Any, got: str) -> None:
    class Odd(RNNCell):
        def step(self, gates: tf.Tensor, states: States, *, dropout_mask: Any = None) -> Any:
            return result(states[0])

    with pytest.raises(
        ConfigError,
        match=r"`step` of Odd must return an output float32 \[2, 4\] and a tuple of new states "
        rf"\(float32 \[2, 4\],\); got {got}\.",
    ):
        call(Odd(4))


def test_an_unknown_batch_size_is_a_letter() -> None:
    class Odd(NonlinearRNNCell):
        def combine(self, gates: tf.Tensor, recurrent: tf.Tensor, states: States) -> Any:
            return states[0], ()

    with pytest.raises(ConfigError, match=r"two tuples: \(float32 \[B, 4\],\) as new states"):
        RNN(Odd(4))(keras.Input((None, INPUTS)))


def test_coefficients_of_a_wrong_shape_are_named() -> None:
    class Flat(TimeScalesCell):
        def coefficients(self, gates: tf.Tensor, *, dropout_mask: Any = None) -> Any:
            return tf.ones([self.units], gates.dtype), gates

    with pytest.raises(ConfigError, match=r"`coefficients` of Flat must return a decay and an upd"):
        layer_of(Flat)(tf.zeros([1, 2, INPUTS], tf.float64))


def test_weights_where_there_must_be_none_are_named() -> None:
    class Learned(TimeScalesCell):
        def build(self, input_shape: tuple[int | None, ...]) -> None:
            super().build(input_shape)
            self.decay = self.add_weight(shape=(self.units,), name="decay")

        def coefficients(self, gates: tf.Tensor, *, dropout_mask: Any = None) -> Any:
            return tf.zeros_like(gates) + tf.sigmoid(self.decay), gates

    inputs, mask = np.zeros((1, 2, INPUTS)), np.ones((1, 2), bool)
    with pytest.raises(ConfigError, match="`coefficients` of Learned must read no weights, got"):
        outputs_and_gradients(layer_of(Learned), inputs, mask)
    plain = layer_of(Learned, kernel="unroll")
    assert all(g is not None for g in outputs_and_gradients(plain, inputs, mask))
