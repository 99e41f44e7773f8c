"""The engine of the light runtime: NumPy beside ONNX Runtime, for every cell.

    export OPENBLAS_NUM_THREADS=1                    # As the command line sets it.
    python benchmarks/runtime.py                     # every cell, one and two directions and layers
    python benchmarks/runtime.py --cell gru --repeats 20

Each model embeds ids, reads them, takes the mean of the states and classifies it; V=8,000,
E=H=128, random weights. The graph of ONNX Runtime is written by `onnx.helper`: its own RNN, GRU and
LSTM, and for the minimal cells the coefficients of all steps, then a Scan. Both compute with one
thread, and take turns. The answers are compared first. The second table has what a process of each
engine costs that loads a model and answers one text, and the size of its packages on disk.
"""

from __future__ import annotations

import importlib.util
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from interleave import print_table

from textrnn.runtime.network.architecture import Architecture
from textrnn.runtime.network.network import Network
from textrnn.runtime.tensor_file import tensor_bytes

VOCABULARY, EMBEDDING, UNITS, CLASSES = 8000, 128, 128, 2
GATES = {"simple": 1, "gru": 3, "lstm": 4, "mingru": 2, "minlstm": 3}
SHAPES = {"25 tokens": (1, 25), "300 tokens": (1, 300), "32 x 25": (32, 25)}
MEBIBYTE = 2**20
PACKAGES = {
    "numpy": ("numpy", "numpy.libs"),
    "onnxruntime": ("onnxruntime", "numpy", "numpy.libs", "google/protobuf", "flatbuffers"),
    "litert": ("ai_edge_litert", "numpy", "numpy.libs", "google/protobuf", "flatbuffers"),
}
Tensors = dict[str, np.ndarray]


def architecture(cell: str, *, directions: int, layers: int) -> Architecture:
    return Architecture(
        cell=cell,
        layers=layers,
        bidirectional=directions == 2,
        separate_directions=False,
        window=1,
        residual=False,
        layer_norm=False,
        pyramid=False,
        head="mean",
        ngram_once_in=None,
        max_length=0,
        multi_label=False,
        label_separator=",",
    )


def random_tensors(settings: Architecture) -> Tensors:
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(scale=0.08, size=shape).astype(np.float32)

    size, gates = EMBEDDING, GATES[settings.cell]
    directions = ("forward", "backward")[: 1 + settings.bidirectional]
    tensors = {"embedding/embeddings": normal(VOCABULARY, EMBEDDING)}
    for layer, direction in itertools.product(range(settings.layers), directions):
        name = f"layer_{layer}/{direction}"
        inputs = size if layer == 0 else len(directions) * UNITS
        tensors[f"{name}/kernel"] = normal(inputs, gates * UNITS)
        if settings.cell in ("simple", "gru", "lstm"):
            tensors[f"{name}/recurrent_kernel"] = normal(UNITS, gates * UNITS)
        shape = (2, gates * UNITS) if settings.cell == "gru" else (gates * UNITS,)
        tensors[f"{name}/bias"] = normal(*shape)
    tensors["classify/kernel"] = normal(len(directions) * UNITS, CLASSES)
    tensors["classify/bias"] = normal(CLASSES)
    return tensors


class Graph:
    """An ONNX graph of a model, node by node."""

    def __init__(self, settings: Architecture, tensors: Tensors) -> None:
        self.settings, self.tensors = settings, tensors
        self.nodes: list[Any] = []
        self.constants: Tensors = {}

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: object) -> list[str]:
        from onnx import helper

        names = [f"{kind}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names

    def constant(self, array: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants[name] = array
        return name

    def ids(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def build(self) -> bytes:
        from onnx import TensorProto, helper, numpy_helper

        (steps,) = self.node("Transpose", "ids", perm=[1, 0])
        table = self.constant(self.tensors["embedding/embeddings"])
        (sequence,) = self.node("Gather", table, steps)
        for layer in range(self.settings.layers):
            read = self.minimal if self.linear else self.operator
            sequence = read(sequence, layer)
        (mean,) = self.node("ReduceMean", sequence, self.ids(0), keepdims=0)
        kernel, bias = (self.constant(self.tensors[f"classify/{n}"]) for n in ("kernel", "bias"))
        self.node("Gemm", mean, kernel, bias)
        self.nodes[-1].output[0] = "logits"
        graph = helper.make_graph(
            self.nodes,
            "model",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, ["B", "T"])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", CLASSES])],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        return bytes(model.SerializeToString())

    @property
    def linear(self) -> bool:
        return self.settings.cell in ("mingru", "minlstm")

    @property
    def directions(self) -> tuple[str, ...]:
        return ("forward", "backward")[: 1 + self.settings.bidirectional]

    def operator(self, sequence: str, layer: int) -> str:
        """The RNN, GRU or LSTM of ONNX, whose gates have another order."""
        cell, places = self.settings.cell, {"simple": (0,), "gru": (0, 1, 2), "lstm": (0, 3, 1, 2)}
        inputs = []
        for part in ("kernel", "recurrent_kernel"):
            weights = [self.tensors[f"layer_{layer}/{d}/{part}"] for d in self.directions]
            blocks = [np.split(w, GATES[cell], axis=1) for w in weights]
            ordered = [np.concatenate([b[i] for i in places[cell]], axis=1).T for b in blocks]
            inputs.append(self.constant(np.stack(ordered)))
        biases = []
        for direction in self.directions:
            bias = self.tensors[f"layer_{layer}/{direction}/bias"]
            both = bias if cell == "gru" else np.stack([bias, np.zeros_like(bias)])
            blocks = [np.split(half, GATES[cell]) for half in both]
            biases.append(np.concatenate([half[i] for half in blocks for i in places[cell]]))
        kind = {"simple": "RNN", "gru": "GRU", "lstm": "LSTM"}[cell]
        extra: dict[str, Any] = {"linear_before_reset": 1} if cell == "gru" else {}
        way = "bidirectional" if len(self.directions) == 2 else "forward"
        (states,) = self.node(
            *(kind, sequence, *inputs, self.constant(np.stack(biases))),
            hidden_size=UNITS,
            direction=way,
            **extra,
        )
        (joined,) = self.node("Transpose", states, perm=[0, 2, 1, 3])  # [T, B, D, H]
        return self.node("Reshape", joined, self.ids(0, 0, -1))[0]

    def minimal(self, sequence: str, layer: int) -> str:
        outputs = []
        for backward, direction in enumerate(self.directions):
            name, gates = f"layer_{layer}/{direction}", GATES[self.settings.cell]
            kernel, bias = (self.constant(self.tensors[f"{name}/{n}"]) for n in ("kernel", "bias"))
            (product,) = self.node("MatMul", sequence, kernel)
            (biased,) = self.node("Add", product, bias)
            parts = self.node("Split", biased, outputs=gates, axis=-1, num_outputs=gates)
            decay, update = self.coefficients(parts)
            (shape,) = self.node("Shape", decay)
            (last,) = self.node("Slice", shape, self.ids(1), self.ids(3))
            (start,) = self.node("Expand", self.constant(np.zeros([1, 1], np.float32)), last)
            outputs.append(self.scan(start, decay, update, backward=backward))
        return self.node("Concat", *outputs, axis=-1)[0] if len(outputs) == 2 else outputs[0]

    def coefficients(self, parts: list[str]) -> tuple[str, str]:
        *gates, candidate = parts
        sigmoids = [self.node("Sigmoid", gate)[0] for gate in gates]
        one = self.constant(np.ones(1, np.float32))
        if len(sigmoids) == 1:
            (decay,) = self.node("Sub", one, sigmoids[0])
            return decay, self.node("Mul", sigmoids[0], candidate)[0]
        (decay,) = self.node("Div", sigmoids[0], self.node("Add", *sigmoids)[0])
        return decay, self.node("Mul", self.node("Sub", one, decay)[0], candidate)[0]

    def scan(self, start: str, decay: str, update: str, *, backward: int) -> str:
        from onnx import TensorProto, helper

        names = ("h", "a", "b", "new", "out")
        shape = ["B", UNITS]
        value = {n: helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in names}
        body = helper.make_graph(
            [
                helper.make_node("Mul", ["a", "h"], ["kept"]),
                helper.make_node("Add", ["kept", "b"], ["new"]),
                helper.make_node("Identity", ["new"], ["out"]),
            ],
            "step",
            [value["h"], value["a"], value["b"]],
            [value["new"], value["out"]],
        )
        return self.node(
            *("Scan", start, decay, update),
            outputs=2,
            body=body,
            num_scan_inputs=2,
            scan_input_directions=[backward, backward],
            scan_output_directions=[backward],
        )[1]


Run = Callable[[np.ndarray], np.ndarray]


def numpy_engine(settings: Architecture, tensors: Tensors) -> Run:
    network = Network(tensors, settings)
    return lambda ids: network.logits(list(ids))


def onnx_engine(content: bytes) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda ids: np.asarray(session.run(["logits"], {"ids": ids})[0])


def measure(cell: str, *, directions: int, layers: int, repeats: int) -> list[dict[str, object]]:
    settings = architecture(cell, directions=directions, layers=layers)
    tensors = random_tensors(settings)
    engines = {
        "numpy": numpy_engine(settings, tensors),
        "onnxruntime": onnx_engine(Graph(settings, tensors).build()),
    }
    figures: dict[str, dict[str, float]] = {name: {} for name in engines}
    for name, (texts, length) in SHAPES.items():
        ids = np.random.default_rng(1).integers(2, VOCABULARY, [texts, length])
        one, other = (run(ids) for run in engines.values())
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)
        times: dict[str, list[float]] = {engine: [] for engine in engines}
        for _ in range(repeats):
            for engine, run in engines.items():
                start = time.process_time()
                run(ids)
                times[engine].append(time.process_time() - start)
        for engine in engines:
            figures[engine][name] = float(np.median(times[engine]))
    return [
        {
            "cell": cell,
            "directions": directions,
            "layers": layers,
            "engine": engine,
            "25 tokens, ms": round(1e3 * figures[engine]["25 tokens"], 2),
            "300 tokens, ms": round(1e3 * figures[engine]["300 tokens"], 2),
            "texts/s, 32 x 25": round(32 / figures[engine]["32 x 25"]),
        }
        for engine in engines
    ]


FIRST_ANSWERS = {
    "numpy": """
from textrnn.runtime.network.architecture import Architecture
from textrnn.runtime.network.network import Network
from textrnn.runtime.tensor_file import read_tensors
tensors, metadata = read_tensors(content)
Network(tensors, Architecture.from_metadata(metadata)).logits([np.full(25, 7)])
""",
    "onnxruntime": """
import onnxruntime
session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
session.run(["logits"], {"ids": np.full([1, 25], 7)})
""",
}
"""The program of each engine that answers one text of 25 tokens in a fresh process."""


def first_answer(engine: str, content: bytes, path: Path) -> tuple[float, float]:
    """The CPU seconds and MiB of a process that loads a model and answers one text."""
    path.write_bytes(content)
    code = f"""
import time
import numpy as np
content = open({str(path)!r}, "rb").read()
{FIRST_ANSWERS[engine]}
(peak,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.process_time(), int(peak.split()[1]) / 1024)
"""
    lines = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        for _ in range(5)
    ]
    seconds, memory = min(tuple(map(float, line.split())) for line in lines)
    return seconds, memory


def installed_mebibytes(engine: str) -> float:
    spec = importlib.util.find_spec("numpy")
    site = Path(str(spec.origin if spec else "")).parents[1]
    files = (f for name in PACKAGES[engine] for f in (site / name).rglob("*") if f.is_file())
    return sum(file.stat().st_size for file in files) / MEBIBYTE


@click.command()
@click.option("--cell", "cells", multiple=True, type=click.Choice(list(GATES)), default=list(GATES))
@click.option("--repeats", default=30, show_default=True)
def main(cells: tuple[str, ...], repeats: int) -> None:
    rows = []
    for cell, directions, layers in itertools.product(cells, (1, 2), (1, 2)):
        rows += measure(cell, directions=directions, layers=layers, repeats=repeats)
    print_table(rows, csv_file=None, title="the engines")
    settings = architecture("mingru", directions=2, layers=1)
    tensors = random_tensors(settings)
    models = {
        "numpy": tensor_bytes(tensors, settings.to_metadata()),
        "onnxruntime": Graph(settings, tensors).build(),
    }
    costs = []
    with tempfile.TemporaryDirectory() as folder:
        for engine in PACKAGES:
            row = {"engine": engine, "MiB on disk": str(round(installed_mebibytes(engine)))}
            row |= {"first answer, CPU s": "", "MiB": ""}
            if engine in models:
                seconds, memory = first_answer(engine, models[engine], Path(folder) / engine)
                row |= {"first answer, CPU s": f"{seconds:.2f}", "MiB": f"{memory:.0f}"}
            costs.append(row)
    print_table(costs, csv_file=None, title="one process")


if __name__ == "__main__":
    main()
