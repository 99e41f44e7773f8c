"""The weights of a cell in the flat buffer that cuDNN reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from textrnn.errors import ConfigError
from textrnn.layers.cells import GRUCell, LSTMCell, NonlinearRNNCell, RNNCell, SimpleRNNCell

__all__ = ["CudnnForm", "cudnn_form", "cudnn_mode", "parameters_to_cudnn"]


class CudnnForm(NamedTuple):
    """cuDNN's form of a cell.

    Attributes:
        mode: The value of `rnn_mode`.
        gates: The place of each of cuDNN's gates among the gates of the cell.
    """

    mode: str
    gates: tuple[int, ...]


_FORMS: dict[type[RNNCell], CudnnForm] = {
    SimpleRNNCell: CudnnForm("rnn_tanh", (0,)),
    GRUCell: CudnnForm("gru", (1, 0, 2)),  # cuDNN has the reset gate first.
    LSTMCell: CudnnForm("lstm", (0, 1, 2, 3)),
}


def cudnn_form(cell: RNNCell) -> CudnnForm | None:
    """Returns cuDNN's form of a cell; None if cuDNN does not have the cell.

    A subclass may change the equations, so it has none.
    """
    return _FORMS.get(type(cell))


def cudnn_mode(cell: RNNCell) -> str:
    """Returns the value of cuDNN's `rnn_mode` for a cell.

    Raises:
        ConfigError: cuDNN does not have the cell.
    """
    return _form(cell).mode


def _form(cell: RNNCell) -> CudnnForm:
    form = cudnn_form(cell)
    if form is None:
        raise ConfigError(
            "cuDNN computes SimpleRNNCell, GRUCell and LSTMCell, got "
            f"{type(cell).__name__}; choose another kernel."
        )
    return form


def parameters_to_cudnn(cells: Sequence[NonlinearRNNCell]) -> tf.Tensor:
    """Joins the weights of the directions of one layer to cuDNN's buffer.

    The buffer holds all matrices first, direction after direction, then all biases. Each direction
    has U^T `[H, E]` of each gate, then W^T `[H, H]` of each gate; and the biases b `[H]` that go
    with U, then those that go with W (NVIDIA, cuDNN API reference, `cudnnGetRNNWeightParams`; its
    gates are in the order i, f, c, o and r, z, h). The buffer is computed from the weights by
    differentiable operations, so gradients reach the weights.

    Args:
        cells: The cell of each direction, of one class, built.

    Returns:
        `[P]`, in the dtype of the states.

    Raises:
        ConfigError: cuDNN does not have the cell.
    """
    matrices: list[tf.Tensor] = []
    biases: list[tf.Tensor] = []
    for cell in cells:
        form = _form(cell)
        recurrent_bias = cell.recurrent_bias
        if recurrent_bias is None:
            recurrent_bias = tf.zeros_like(tf.convert_to_tensor(cell.input_bias))
        for weights, parts in (
            (cell.kernel, matrices),
            (cell.recurrent_kernel, matrices),
            (cell.input_bias, biases),
            (recurrent_bias, biases),
        ):
            values = tf.cast(weights, cell.state_dtype)
            gates = tf.split(values, len(form.gates), axis=-1)
            parts += [tf.reshape(tf.transpose(gates[place]), [-1]) for place in form.gates]
    return tf.concat(matrices + biases, axis=0)
