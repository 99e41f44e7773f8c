"""The Open Inference Protocol, version 2, as KServe and Triton speak it.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .binary_tensors import HEADER, joined_body, packed, split_body, unpacked_strings
from .bodies import json_response, read_body
from .columns import OUTPUTS, Columns
from .errors import RequestError
from .paths import model_paths
from .serving import call_of, served_version, serving_of
from .texts import check_texts, parsed_object, text_of

__all__ = ["MODEL_PATHS", "SERVER_VERSION", "routes"]

MODEL_PATHS = model_paths("/v2")

SERVER_VERSION = "1"
"""The version of this interface, which the metadata of the server have."""

_INPUT = "text"
_DATATYPES = {
    "label": "BYTES",
    "score": "FP32",
    "labels": "BYTES",
    "scores": "FP32",
    "decided": "BOOL",
}


async def server(request: Request) -> Response:
    """Describes the server."""
    call_of(request).name = "server_metadata"
    return json_response(
        {"name": "textrnn", "version": SERVER_VERSION, "extensions": ["binary_tensor_data"]}
    )


async def live(request: Request) -> Response:
    """Tells that the server runs."""
    call_of(request).name = "health"
    return json_response({"live": True})


async def ready(request: Request) -> Response:
    """Tells whether the server wants requests: status 200, else 503."""
    call_of(request).name = "health"
    is_ready = serving_of(request).is_ready
    return json_response({"ready": is_ready}, status=200 if is_ready else 503)


async def model_ready(request: Request) -> Response:
    """Tells whether a model is served: status 200, else 404, or 503 if the server stops."""
    served = served_version(request, call="model_ready")
    is_ready = not serving_of(request).is_stopping
    return json_response({"name": served.name, "ready": is_ready}, status=200 if is_ready else 503)


async def metadata(request: Request) -> Response:
    """Describes a model."""
    served = served_version(request, call="metadata")
    model = serving_of(request).store.model(served.name)
    count = len(served.model.labels)
    shapes = {name: [-1] if name in ("label", "score") else [-1, count] for name in OUTPUTS}
    return json_response(
        {
            "name": served.name,
            "versions": [str(version.version) for version in model.versions],
            "platform": "textrnn",
            "inputs": [{"name": _INPUT, "datatype": "BYTES", "shape": [-1]}],
            "outputs": [
                {"name": name, "datatype": _DATATYPES[name], "shape": shapes[name]}
                for name in OUTPUTS
            ],
        }
    )


async def infer(request: Request) -> Response:
    """Answers the texts of one BYTES tensor, which comes as JSON or in binary form."""
    served = served_version(request, call="infer")
    head, data = split_body(await read_body(request), request.headers.get(HEADER))
    body = parsed_object(head)
    texts = _texts(body, data)
    check_texts(texts, serving_of(request).settings.limits)
    call_of(request).texts = texts
    wanted = _wanted_outputs(body)
    columns = Columns.of(await served.batcher.answers(texts), served.model.labels)
    outputs, tensors = [], []
    for name, is_binary in wanted.items():
        output, tensor = _output(name, columns, is_binary=is_binary)
        outputs.append(output)
        tensors.append(tensor)
    answer: dict[str, Any] = {
        "model_name": served.name,
        "model_version": str(served.version),
        "outputs": outputs,
    }
    if "id" in body:
        answer["id"] = str(body["id"])
    if not any(wanted.values()):
        return json_response(answer)
    content, size = joined_body(answer, tensors)
    return Response(content, headers={HEADER: str(size)}, media_type="application/octet-stream")


def _texts(body: dict[str, Any], data: memoryview) -> list[str]:
    """Returns the texts of the input tensor.

    Raises:
        RequestError: It is not one tensor of strings of the shape [N] or [N, 1]; status 400.
    """
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise RequestError(400, f"`inputs`: expected a list of one tensor, `{_INPUT}`.")
    tensor = inputs[0]
    if tensor.get("name") != _INPUT or tensor.get("datatype") != "BYTES":
        raise RequestError(400, f"expected a tensor named `{_INPUT}` of the datatype BYTES.")
    size = _parameters(tensor).get("binary_data_size")
    if size is None:
        values = tensor.get("data")
        if not isinstance(values, list):
            raise RequestError(400, "`data`: expected a list of strings.")
        texts = [text_of(value, place=f"data[{i}]") for i, value in enumerate(_flat(values))]
    elif type(size) is not int or size != len(data):
        raise RequestError(
            400, f"`binary_data_size`: expected the {len(data)} bytes that came after the JSON."
        )
    else:
        texts = unpacked_strings(data)
    shape = tensor.get("shape")
    if shape not in ([len(texts)], [len(texts), 1]) or any(type(n) is not int for n in shape):
        raise RequestError(400, f"`shape`: expected [{len(texts)}], the number of the strings.")
    return texts


def _flat(values: list[Any]) -> list[Any]:
    """Returns the values of a list, or of a list of lists of one value each."""
    return [value[0] if isinstance(value, list) and len(value) == 1 else value for value in values]


def _parameters(value: dict[str, Any]) -> dict[str, Any]:
    parameters = value.get("parameters", {})
    if not isinstance(parameters, dict):
        raise RequestError(400, "`parameters`: expected an object.")
    return parameters


def _wanted_outputs(body: dict[str, Any]) -> dict[str, bool]:
    """Maps the names of the outputs that a request wants to whether they shall be binary.

    Raises:
        RequestError: An output is unknown; status 400.
    """
    default = _parameters(body).get("binary_data_output", False) is True
    asked = body.get("outputs")
    if asked is None or asked == []:
        return dict.fromkeys(OUTPUTS, default)
    if not isinstance(asked, list):
        raise RequestError(400, "`outputs`: expected a list of objects with a `name`.")
    wanted = {}
    for output in asked:
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(name, str) or name not in OUTPUTS:
            raise RequestError(400, f"`outputs`: expected names of {', '.join(OUTPUTS)}.")
        wanted[name] = _parameters(output).get("binary_data", default) is True
    return wanted


def _output(name: str, columns: Columns, *, is_binary: bool) -> tuple[dict[str, Any], bytes]:
    """Returns the description of an output tensor, with its data if it is JSON, and its bytes."""
    rows = len(columns.label)
    values: np.ndarray | list[str] = getattr(columns, name)
    if name == "labels":
        values = columns.labels * rows
    shape = [rows] if name in ("label", "score") else [rows, len(columns.labels)]
    output: dict[str, Any] = {"name": name, "datatype": _DATATYPES[name], "shape": shape}
    if is_binary:
        data = packed(values)
        return {**output, "parameters": {"binary_data_size": len(data)}}, data
    return {**output, "data": _plain(values)}, b""


def _plain(values: np.ndarray | list[str]) -> list[Any]:
    """Returns the values of a tensor as a flat list, ready for JSON."""
    if not isinstance(values, np.ndarray):
        return values
    flat: list[Any] = values.ravel().tolist()
    return flat


def routes() -> list[BaseRoute]:
    """The routes of the protocol."""
    found: list[BaseRoute] = [
        Route("/v2", server),
        Route("/v2/health/live", live),
        Route("/v2/health/ready", ready),
    ]
    for path in MODEL_PATHS:
        found += [
            Route(f"{path}/infer", infer, methods=["POST"]),
            Route(f"{path}/ready", model_ready),
            Route(path, metadata),
        ]
    return found
