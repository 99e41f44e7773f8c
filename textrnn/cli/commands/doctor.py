"""`textrnn doctor`."""

from __future__ import annotations

import importlib.metadata
import os
import platform

import click
from rich.table import Table

from textrnn.cli.console import print_json, print_table, table_console
from textrnn.cli.startup import start_tensorflow

__all__ = ["doctor"]

_PACKAGES = (
    "textrnn",
    "tensorflow",
    "keras",
    "tensorflow-datasets",
    "sentencepiece",
    "numpy",
    "tensorflow-text",
    "ai-edge-litert",
    # `textrnn export` needs these for some formats only.
    "mediapipe",
    "onnxruntime",
    "tf2onnx",
    "ai-edge-quantizer",
)


@click.command(short_help="Show versions, devices, kernels and cache folders.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> None:
    """Show package versions, devices, the kernel of each cell, and where data is cached."""
    start_tensorflow()
    import tensorflow as tf
    import tensorflow_datasets as tfds

    from textrnn.host.cache import cache_folder
    from textrnn.host.threads import count_cores
    from textrnn.layers.cells import CELLS
    from textrnn.layers.recurrence import batch_parts, choose_kernel

    with tf.Graph().as_default():  # A training step runs as a graph, not eagerly.
        parts = batch_parts(directions=1)
    facts = {
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "cores": str(count_cores()),
        "threads": f"{os.environ['TF_NUM_INTEROP_THREADS']} operations at once, "
        f"threads per operation: {os.environ['TF_NUM_INTRAOP_THREADS']}",
        "parts of a training batch": f"{parts}, computed side by side",
        "devices": ", ".join(device.name for device in tf.config.list_logical_devices()),
        **{f"kernel of {name}": ": ".join(choose_kernel(cell(1))) for name, cell in CELLS.items()},
        "data sets": os.environ.get("TFDS_DATA_DIR") or tfds.core.constants.DATA_DIR,
        "tokenizer cache": str(cache_folder()),
    }
    if as_json:
        print_json(facts)
        return
    table = Table("what", "found")
    for name, value in facts.items():
        table.add_row(name, value)
    print_table(table_console(), table)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
