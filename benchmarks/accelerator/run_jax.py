"""Runs the programs of lower.py by JAX alone: checks their numbers, and times them.

    python run_jax.py out/lstm-plain out/mingru-plain ...     # names without their suffix
    python run_jax.py --precision highest out/*.json         # no TF32: it exceeds the tolerance

Needs jax and numpy, and nothing of this project. It uses JAX's default device, a GPU where there is
one. The exit status is 1 if a program gives other numbers than TensorFlow.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax._src.lib.mlir import ir
from jax._src.lib.mlir.dialects import func as func_dialect
from jax._src.lib.mlir.dialects import hlo as stablehlo_dialect
from jax.extend.core import Primitive
from jax.interpreters import mlir

DTYPES = {
    "f32": "float32", "f64": "float64", "f16": "float16", "bf16": "bfloat16", "i1": "bool",
    "i32": "int32", "i64": "int64", "ui32": "uint32", "ui64": "uint64",
}  # fmt: skip
TOLERANCES = {"float32": 1e-3, "bfloat16": 5e-2, "float16": 1e-2}
"""The largest difference, as a share of an output's largest number."""
FLOORS = {"float32": 1e-3, "bfloat16": 1e-2, "float16": 1e-2}
"""The least number that a difference is a share of: the gradients of some biases are sums of
numbers that cancel, so what is left of them is rounding."""


class Difference(NamedTuple):
    """The largest difference of an output, as a share of its largest number."""

    relative: float
    name: str


class Result(NamedTuple):
    """The check and the times of a program."""

    worst: list[Difference]
    compile_s: float
    step_ms: float
    streamed_ms: float


def parse_module(context: Any, code: bytes) -> Any:
    """Reads a module, be it bytecode or a portable artifact."""
    with context:
        try:
            return ir.Module.parse(code)
        except Exception:
            return stablehlo_dialect.deserialize_portable_artifact(context, code)


def main_type(module: Any) -> Any:
    """The type of the module's `main`."""
    for operation in module.body.operations:
        if operation.operation.name != "func.func":
            continue
        if ir.StringAttr(operation.attributes["sym_name"]).value == "main":
            return ir.FunctionType(ir.TypeAttr(operation.attributes["function_type"]).value)
    raise ValueError("the module has no function `main`")


def result_types(code: bytes) -> list[tuple[tuple[int, ...], str]]:
    """Shapes and dtypes of the results of `main`."""
    context = mlir.make_ir_context()
    module = parse_module(context, code)
    with context:
        types = map(ir.RankedTensorType, main_type(module).results)
        return [(tuple(t.shape), DTYPES[str(t.element_type)]) for t in types]


def jax_function(code: bytes) -> Any:
    """A JAX function that computes the module's `main`."""
    primitive = Primitive("stablehlo_module")
    primitive.multiple_results = True
    results = result_types(code)
    primitive.def_abstract_eval(
        lambda *_: [jax.core.ShapedArray(shape, np.dtype(dtype)) for shape, dtype in results]
    )

    def lowering(context: Any, *arguments: Any) -> Any:
        module = parse_module(context.module_context.context, code)
        types = list(main_type(module).results)
        callee = mlir.merge_mlir_modules(context.module_context.module, "main_of_module", module)
        return func_dialect.CallOp(types, ir.FlatSymbolRefAttr.get(callee), arguments).results

    mlir.register_lowering(primitive, lowering)
    return jax.jit(lambda *arguments: primitive.bind(*arguments))


def numbered(data: Any, prefix: str) -> list[np.ndarray]:
    count = sum(name.startswith(prefix) for name in data.files)
    return [data[f"{prefix}{i}"] for i in range(count)]


def differences(
    actual: Sequence[np.ndarray],
    expected: Sequence[np.ndarray],
    names: Sequence[str],
    *,
    floor: float,
) -> list[Difference]:
    """The difference of each output; whole numbers must be equal."""
    found = []
    for name, a, e in zip(names, actual, expected, strict=True):
        a, e = np.asarray(a), np.asarray(e)
        if not np.issubdtype(e.dtype, np.floating):
            found.append(Difference(float(not np.array_equal(a, e)), name))
            continue
        a = a.astype(np.float32)
        scale = max(float(np.abs(e).max(initial=0.0)), floor)
        found.append(Difference(float(np.abs(a - e).max(initial=0.0)) / scale, name))
    return sorted(found, reverse=True)


def run_program(stem: Path, *, repeats: int) -> Result:
    """Compiles, checks and times one program."""
    code = stem.with_suffix(".stablehlo").read_bytes()
    data = np.load(stem.with_suffix(".npz"))
    description = json.loads(stem.with_suffix(".json").read_text())
    inputs = [jax.device_put(value) for value in numbered(data, "in")]
    function = jax_function(code)
    start = time.perf_counter()
    compiled = function.lower(*inputs).compile()
    compile_s = time.perf_counter() - start
    actual = [np.asarray(value) for value in compiled(*inputs)]
    worst = differences(
        actual,
        numbered(data, "out"),
        description["outputs"],
        floor=FLOORS[description["precision"]],
    )
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(compiled(*inputs))
        times.append(time.perf_counter() - start)
    start = time.perf_counter()  # Many in flight, as a training loop has them.
    pending = [compiled(*inputs)[0] for _ in range(repeats)]
    jax.block_until_ready(pending)
    streamed = (time.perf_counter() - start) / repeats
    return Result(worst, compile_s, 1000 * statistics.median(times), 1000 * streamed)


def main() -> int:
    """Run programs, print a line each, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--precision", default=None, help="highest: no TF32")
    arguments = parser.parse_args()
    # The seeds of Keras' generators and the count of updates have 64 bits.
    jax.config.update("jax_enable_x64", True)
    if arguments.precision:
        jax.config.update("jax_default_matmul_precision", arguments.precision)
    print("jax", jax.__version__, jax.devices(), flush=True)
    all_equal = True
    for stem in sorted({path.with_suffix("") for path in arguments.programs}):
        description = json.loads(stem.with_suffix(".json").read_text())
        result = run_program(stem, repeats=arguments.repeats)
        equal = result.worst[0].relative <= TOLERANCES[description["precision"]]
        all_equal &= equal
        worst = result.worst[0]
        print(
            f"{stem.name}: {'equal' if equal else 'DIFFERS'}, at most {worst.relative:.1e} "
            f"({worst.name}); compiled in {result.compile_s:.1f} s; step {result.step_ms:.2f} ms, "
            f"streamed {result.streamed_ms:.2f} ms",
            flush=True,
        )
        if not equal:
            for relative, name in result.worst[:10]:
                print(f"    {relative:.1e} {name}", flush=True)
    return 0 if all_equal else 1


if __name__ == "__main__":
    sys.exit(main())
