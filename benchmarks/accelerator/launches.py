"""Counts the operations that a traced update would launch on a GPU, by reading its graph.

    python benchmarks/accelerator/launches.py
    python benchmarks/accelerator/launches.py --cell lstm --length 240 --kernel chunked

Every operation with a kernel of its own counts once for each time it runs; the bodies of loops
count once per iteration. Operations that only name, shape or pass on a tensor do not count. Of a
call of cuDNN the launches inside are not known here; it counts once.
"""

from __future__ import annotations

import collections
import contextlib
import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import click
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from textrnn.config.classifier import ClassifierRunConfig
from textrnn.layers.cells import CELLS
from textrnn.layers.recurrence import choose_kernel
from textrnn.layers.recurrence.bptt import CHUNK_STEPS
from textrnn.models.classifier import TextClassifier
from textrnn.models.label_space import LabelSpace
from textrnn.training.devices.strategy import Distribution
from textrnn.training.update.gradient_sources.plain import PlainGradients
from textrnn.training.update.losses import BatchLoss
from textrnn.training.update.optimizer import make_optimizer
from textrnn.training.update.step import Step

FREE = frozenset(
    {
        "Const", "Identity", "IdentityN", "Shape", "ShapeN", "Size", "Rank", "Reshape",
        "ExpandDims", "Squeeze", "NoOp", "Placeholder", "StatelessWhile", "While",
        "PartitionedCall", "StatefulPartitionedCall", "TensorListReserve", "EmptyTensorList",
        "TensorListSetItem", "TensorListGetItem", "TensorListLength", "TensorListElementShape",
        "EnsureShape", "PreventGradient", "StopGradient", "ReadVariableOp",
        "BroadcastGradientArgs", "ControlTrigger", "VariableShape", "If", "StatelessIf", "_Arg",
        "_Retval",
    }
)  # fmt: skip
"""Operations that only name, shape or pass on a tensor."""
ON_HOST = {tf.int32.as_datatype_enum, tf.int64.as_datatype_enum, tf.variant.as_datatype_enum}
"""Types whose small tensors TensorFlow keeps on the host."""


@click.command()
@click.option("--cell", "cells", multiple=True, type=click.Choice(list(CELLS)), default=list(CELLS))
@click.option("--length", "lengths", multiple=True, type=int, default=(64, 112, 240, 256, 400))
@click.option("--kernel", default="auto", show_default=True)
@click.option("--no-cudnn", is_flag=True, help="As on a GPU without cuDNN.")
def main(cells: tuple[str, ...], lengths: tuple[int, ...], kernel: str, no_cudnn: bool) -> None:
    """Print the launches of one update, B=64, E=H=128, both directions, attention."""
    table = Table("cell", "kernel", *(f"T={length}" for length in lengths))
    with as_on_a_gpu(cudnn=not no_cudnn):
        for cell in cells:
            chosen = choose_kernel(CELLS[cell](1), kernel).name
            counts = [count_launches(cell, length, kernel) for length in lengths]
            table.add_row(cell, chosen, *(f"{count:,}" for count in counts))
    Console().print(table)


@contextlib.contextmanager
def as_on_a_gpu(*, cudnn: bool) -> Iterator[None]:
    """Lets the kernels be chosen as on a machine with an NVIDIA GPU."""
    folder = "textrnn.layers.recurrence"
    with (
        mock.patch(f"{folder}.kernels.has_accelerator", return_value=True),
        mock.patch(f"{folder}.batch_parts.has_accelerator", return_value=True),
        mock.patch(f"{folder}.kernels.has_cudnn", return_value=cudnn),
    ):
        yield


def count_launches(cell: str, length: int, kernel: str) -> int:
    """The launches of one update of texts of a length."""
    config = ClassifierRunConfig.of(cell=cell, kernel=kernel, head="attention")
    model = TextClassifier(8192, 2, config=config.model, name="classifier")
    model.build((None, None))
    source = PlainGradients(model)
    optimizer = make_optimizer(config)
    optimizer.build(source.variables)
    labels = LabelSpace(("a", "b"), multi_label=False)
    step = Step(
        source,
        optimizer,
        loss=BatchLoss.from_config(config, label_space=labels, mean_rows=64.0),
        config=config,
        distribution=Distribution.choose("single"),
        control_flags=3,
    )
    function = tf.function(step.update, autograph=False).get_concrete_function(
        tf.TensorSpec([64, length], tf.int32),
        tf.TensorSpec([64, 2], tf.float32),
        tf.TensorSpec([64], tf.float32),
        tf.TensorSpec([1, 3], tf.float32),
    )
    graph = function.graph.as_graph_def()
    library = {f.signature.name: f.node_def for f in graph.library.function}
    counter: collections.Counter[str] = collections.Counter()
    _count(graph.node, library, counter, times=1, length=length)
    return sum(counter.values())


def _count(nodes: Any, library: dict[str, Any], counter: Any, *, times: int, length: int) -> None:
    loops = [node for node in nodes if node.op in ("While", "StatelessWhile")]
    for node in nodes:
        if node.op not in FREE and not _is_on_host(node):
            counter[node.op] += times
        for name in _called(node):
            inner = times * _iterations(node, loops, library, length) if node in loops else times
            _count(library[name], library, counter, times=inner, length=length)


def _called(node: Any) -> Iterator[str]:
    for attribute in node.attr.values():
        if attribute.func.name:
            yield attribute.func.name
        yield from (function.name for function in attribute.list.func)


def _iterations(node: Any, loops: list[Any], library: dict[str, Any], length: int) -> int:
    """How often a loop runs. Each recurrence has one loop of whole chunks and one of the rest."""
    sizes = {id(loop): len(library[loop.attr["body"].func.name]) for loop in loops}
    whole = sizes[id(node)] > max(sizes.values()) / 3
    return length // CHUNK_STEPS if whole else length % CHUNK_STEPS


def _is_on_host(node: Any) -> bool:
    for name in ("T", "dtype", "element_dtype", "DstT", "output_type", "Tparams"):
        if name in node.attr and node.attr[name].type:
            return node.attr[name].type in ON_HOST and node.op not in ("GatherV2", "ResourceGather")
    return False


if __name__ == "__main__":
    main()
