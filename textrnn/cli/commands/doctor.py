"""`textrnn doctor`."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

import click
from rich.table import Table

from textrnn.cli.console import print_json, print_table, table_console
from textrnn.cli.startup import start_tensorflow

if TYPE_CHECKING:
    from textrnn.layers.recurrence.kernel_check import KernelCheck

__all__ = ["doctor"]

_PACKAGES = (
    "textrnn",
    "tensorflow",
    "keras",
    "tensorflow-datasets",
    "sentencepiece",
    "numpy",
    # Of extras: `textrnn export` needs some of these for each format, `textrnn tune` the last.
    "tensorflow-text",
    "tensorflow-serving-api",
    "ai-edge-litert",
    "mediapipe",
    "onnxruntime",
    "tf2onnx",
    "ai-edge-quantizer",
    "optuna",
)


@click.command(short_help="Show versions, devices, kernels and cache folders.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--kernels/--no-kernels",
    "check",
    default=True,
    show_default=True,
    help="Check each kernel against the written-out loop on this machine's device.",
)
@click.option("--xla", is_flag=True, help="Check the kernels compiled by XLA too (slower).")
def doctor(as_json: bool, check: bool, xla: bool) -> None:
    """Show package versions, devices, the kernel of each cell, and where data is cached.

    Then each kernel computes random sequences, and its outputs, states and gradients are compared
    with those of the written-out loop.
    """
    start_tensorflow()
    import tensorflow as tf
    import tensorflow_datasets as tfds

    from textrnn.host.cache import cache_folder
    from textrnn.host.gpu import unseen_gpu_message
    from textrnn.host.packages import installed_version
    from textrnn.host.threads import count_cores
    from textrnn.layers.cells import CELLS
    from textrnn.layers.recurrence import batch_parts, choose_kernel
    from textrnn.layers.recurrence.kernel_check import check_kernels

    with tf.Graph().as_default():  # A training step runs as a graph, not eagerly.
        parts = batch_parts(directions=1)
    facts = {
        "python": platform.python_version(),
        **{name: installed_version(name) or "not installed" for name in _PACKAGES},
        "cores": str(count_cores()),
        "threads": f"{os.environ['TF_NUM_INTEROP_THREADS']} operations at once, "
        f"threads per operation: {os.environ['TF_NUM_INTRAOP_THREADS']}",
        "parts of a training batch": f"{parts}, computed side by side",
        "devices": ", ".join(device.name for device in tf.config.list_logical_devices()),
        "GPU": unseen_gpu_message() or _gpu(),
        **{f"kernel of {name}": ": ".join(choose_kernel(cell(1))) for name, cell in CELLS.items()},
        "data sets": os.environ.get("TFDS_DATA_DIR") or tfds.core.constants.DATA_DIR,
        "tokenizer cache": str(cache_folder()),
    }
    checks = list(check_kernels(jit=xla)) if check else []
    if as_json:
        print_json({**facts, "kernels": [check._asdict() for check in checks]})
        return
    table = Table("what", "found")
    for name, value in facts.items():
        table.add_row(name, value)
    print_table(table_console(), table)
    if checks:
        print_table(table_console(), _kernel_table(checks))


def _kernel_table(checks: list[KernelCheck]) -> Table:
    table = Table(
        "kernel",
        "cell",
        "largest difference",
        "ms",
        title="Kernels on this device, in both directions",
    )
    for kernel, cell, difference, milliseconds in checks:
        table.add_row(kernel, cell, f"{difference:.1e}", f"{milliseconds:.2f}")
    return table


def _gpu() -> str:
    """Returns the names of the GPUs, and whether they round matrix products to TF32."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "none"
    names = [
        tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus
    ]
    rounding = "on" if tf.config.experimental.tensor_float_32_execution_enabled() else "off"
    return f"{', '.join(names)}; TF32 (products of float32 rounded to 10 bits) is {rounding}"
