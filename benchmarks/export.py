"""The cost of exported files: size, load time, first run, latency, resident memory.

    python benchmarks/export.py                            # V=8,000, E=64, H=128, T=64 and 256
    python benchmarks/export.py --kind saved_model --kind onnx --csv export.csv

Each model reads one text of T tokens in one direction and classifies its last state; beside
textrnn's cells in their forms stand keras.layers' LSTM and GRU, converted in the standard way.
Every file is loaded in a process of its own, in the same runtime (LiteRT with XNNPACK, TensorFlow's
session loader, ONNX Runtime; one thread); for the latencies all take turns.
"""

from __future__ import annotations

import importlib
import itertools
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from interleave import median_ratio, print_table, race

VOCABULARY, EMBEDDING, UNITS, CLASSES = 8000, 64, 128, 2
CELLS = {
    "simple": ("loop", "unrolled"),
    "gru": ("loop", "unrolled"),
    "lstm": ("fused", "loop", "unrolled"),
    "mingru": ("parallel", "loop", "unrolled"),
    "minlstm": ("parallel", "loop", "unrolled"),
}
PEERS = {"lstm": "LSTM", "gru": "GRU"}
MEBIBYTE = 2**20


def random_ids(length: int) -> np.ndarray:
    return np.random.default_rng(0).integers(2, VOCABULARY, (1, length)).astype(np.int32)


def convert(path: Path, kind: str, cell: str, form: str, length: int, precision: str) -> None:
    """Makes the file of one contestant; the form `keras` is Keras' own layer."""
    import tensorflow as tf

    from textrnn.export.formats.tflite import stage_model
    from textrnn.export.workers.onnx_conversion import onnx_of
    from textrnn.export.workers.tflite_conversion import convert as to_tflite
    from textrnn.models.label_space import LabelSpace

    model = None if form == "keras" else make_classifier(cell)
    label_space = LabelSpace(tuple(map(str, range(CLASSES))), multi_label=False)
    if kind == "onnx":
        path.write_bytes(
            keras_onnx(PEERS[cell], length)
            if model is None
            else onnx_of(model, label_space=label_space)
        )
        return
    with tempfile.TemporaryDirectory() as scratch:
        source = str(path) if kind == "saved_model" else scratch
        if model is None:
            stage_keras(source, PEERS[cell], length)
        elif kind == "saved_model":
            module = tf.Module()
            module.weights_of_model = [weight.value for weight in model.variables]
            ids = tf.TensorSpec([None, None], tf.int32, name="ids")
            scores = tf.function(lambda ids: {"scores": label_space.activation(model(ids))})
            signatures = {"serving_default": scores.get_concrete_function(ids)}
            options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
            tf.saved_model.save(module, source, signatures=signatures, options=options)
        else:
            stage_model(model, source, length=length, form=form, label_space=label_space)
        if kind == "tflite":
            to_tflite(source, str(path), precision=precision)


def make_classifier(cell: str) -> Any:
    from textrnn.config.model import ModelConfig
    from textrnn.models.classifier import TextClassifier

    config = ModelConfig(
        cell=cell,
        units=UNITS,
        embedding_units=EMBEDDING,
        bidirectional=False,
        window=1,
        head="last",
    )
    model = TextClassifier(VOCABULARY, CLASSES, config=config)
    model.build((None, None))
    return model


def keras_model(kind: str, length: int) -> Any:
    import keras

    ids = keras.Input((length,), batch_size=1, dtype="int32", name="ids")
    states = keras.layers.Embedding(VOCABULARY, EMBEDDING)(ids)
    states = getattr(keras.layers, kind)(UNITS)(states)
    return keras.Model(ids, keras.layers.Dense(CLASSES, activation="softmax")(states))


def keras_onnx(kind: str, length: int) -> bytes:
    import tensorflow as tf
    import tf2onnx

    model = keras_model(kind, length)
    signature = [tf.TensorSpec([1, length], tf.int32, name="ids")]
    function = tf.function(lambda ids: {"scores": model(ids)}, input_signature=signature)
    made, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=18)
    content: bytes = made.SerializeToString()
    return content


def stage_keras(folder: str, kind: str, length: int) -> None:
    import tensorflow as tf

    model = keras_model(kind, length)
    module = tf.Module()
    module.weights_of_model = [weight.value for weight in model.variables]
    function = tf.function(lambda ids: {"scores": model(ids)}).get_concrete_function(
        tf.TensorSpec([1, length], tf.int32, name="ids")
    )
    tf.saved_model.save(module, folder, signatures={"serving_default": function})


def build(kind: str, path: str, length: int) -> Callable[[], Any]:
    """A run of the file in its runtime."""
    ids = random_ids(length)
    if kind == "tflite":
        from ai_edge_litert.interpreter import Interpreter

        runner = Interpreter(model_path=path, num_threads=1).get_signature_runner()
        return lambda: runner(ids=ids)
    if kind == "onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda: session.run(["scores"], {"ids": ids})
    import tensorflow as tf

    threads = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
    )
    server = tf.compat.v1.Session(graph=tf.Graph(), config=threads)
    with server.graph.as_default():
        graph = tf.compat.v1.saved_model.loader.load(server, ["serve"], path)
    signature = graph.signature_def["serving_default"]
    scores, place = signature.outputs["scores"].name, signature.inputs["ids"].name
    return lambda: server.run(scores, {place: ids})


def import_runtime(kind: str) -> None:
    """So that its own cost is none of the file's."""
    names = {"tflite": "ai_edge_litert.interpreter", "onnx": "onnxruntime"}
    importlib.import_module(names.get(kind, "tensorflow"))


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / MEBIBYTE


def load(pipe: Any, kind: str, path: str, length: int) -> None:
    """Seconds to load a file and to run it first, and the memory that it then takes."""
    import_runtime(kind)
    before, start = resident(), time.perf_counter()
    run = build(kind, path, length)
    loaded = time.perf_counter()
    run()
    first = time.perf_counter()
    pipe.send((loaded - start, first - loaded, resident() - before))


def measure_load(kind: str, path: str, length: int) -> tuple[float, float, float]:
    context = multiprocessing.get_context("spawn")
    pipe, end = context.Pipe()
    process = context.Process(target=load, args=(end, kind, path, length))
    process.start()
    end.close()
    result: tuple[float, float, float] = pipe.recv()
    process.join()
    return result


def size_of(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def contestants(
    kind: str, cells: tuple[str, ...], precisions: tuple[str, ...]
) -> list[tuple[str, str, str]]:
    peers = [(cell, "keras", "float32") for cell in PEERS]
    if kind != "tflite":
        return peers + [(cell, "", "float32") for cell in cells]
    variants = [(cell, form, "float32") for cell in cells for form in CELLS[cell]]
    variants += [
        (cell, CELLS[cell][0], precision)
        for cell, precision in itertools.product(cells, precisions)
        if precision != "float32"
    ]
    return peers + variants


@click.command()
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(["tflite", "saved_model", "onnx"]),
    default=["tflite"],
)
@click.option("--cell", "cells", multiple=True, type=click.Choice(list(CELLS)), default=CELLS)
@click.option("--length", "lengths", multiple=True, type=int, default=[64, 256], help="T.")
@click.option("--precision", "precisions", multiple=True, default=["dynamic_int8"])
@click.option("--rounds", default=30, show_default=True)
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the figures here.")
def main(
    kinds: tuple[str, ...],
    cells: tuple[str, ...],
    lengths: tuple[int, ...],
    precisions: tuple[str, ...],
    rounds: int,
    csv_file: Path | None,
) -> None:
    """Measure the exported files."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, length in itertools.product(kinds, lengths):
            files = {}
            for key in contestants(kind, cells, precisions):
                path = Path(folder) / f"{'_'.join(key)}_{length}.{kind}"
                cell, form, precision = key
                convert(path, kind, cell, form, length, precision)
                files[key] = path
            runs = {
                "/".join(key): (build, {"kind": kind, "path": str(path), "length": length})
                for key, path in files.items()
            }
            times = race(runs, rounds=rounds)
            for key, path in files.items():
                loaded, first, memory = measure_load(kind, str(path), length)
                size = size_of(path) / MEBIBYTE
                textrnn_time = times["/".join(key)]
                row: dict[str, Any] = {"kind": kind}
                row |= dict(zip(("cell", "form", "precision"), key, strict=True))
                row |= {
                    "T": length,
                    "file MiB": size,
                    "load ms": loaded * 1e3,
                    "first run ms": first * 1e3,
                    "MiB over file": memory - size,
                    "run ms": statistics.median(textrnn_time),
                }
                for peer in PEERS:
                    slow = times[f"{peer}/keras/float32"]
                    row[f"keras {PEERS[peer]} / this"] = median_ratio(slow, textrnn_time)
                rows.append(row)
    print_table(rows, csv_file=csv_file, title="One text, one thread, median of rounds")


if __name__ == "__main__":
    main()
