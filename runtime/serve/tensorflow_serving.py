"""The REST interface of TensorFlow Serving.

https://www.tensorflow.org/tfx/serving/api_rest. A request to the SavedModel of `textrnn export`
gets the same answer here. The signature is `serving_default`; the other signatures of the
SavedModel exist only there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .bodies import json_object, json_response
from .columns import Columns, rounded
from .errors import RequestError
from .paths import model_paths
from .serving import asked_version, call_of, served_version, serving_of
from .store import ServedVersion
from .texts import check_texts, text_of

__all__ = ["MODEL_PATHS", "SIGNATURE", "requested_texts", "routes"]

SIGNATURE = "serving_default"
INPUT = "text"

MODEL_PATHS = model_paths("/v1")
"""The paths of the newest version of a model, and of one version."""


async def models(request: Request) -> Response:
    """Lists the names of the models."""
    call_of(request).name = "models"
    return json_response({"models": [m.source.name for m in serving_of(request).store]})


async def status(request: Request) -> Response:
    """Tells which versions of a model are served: a GetModelStatusResponse."""
    call_of(request).name = "status"
    name, version = request.path_params["name"], asked_version(request)
    store = serving_of(request).store
    try:
        model = store.model(name)
    except RequestError:
        raise RequestError(404, f"Could not find any versions of model {name}") from None
    call_of(request).model = name
    states = {served.version: ("AVAILABLE", "OK", "") for served in model.versions}
    for found, reason in model.failures.items():
        states.setdefault(found.version, ("END", "UNKNOWN", reason))
    if version is not None and version not in states:
        raise RequestError(404, f"Could not find version {version} of model {name}")
    rows = [
        {
            "version": str(number),
            "state": state,
            "status": {"error_code": code, "error_message": message},
        }
        for number, (state, code, message) in sorted(states.items(), reverse=True)
        if version in (None, number)
    ]
    return json_response({"model_version_status": rows})


async def metadata(request: Request) -> Response:
    """Describes the inputs and outputs of a model: a GetModelMetadataResponse."""
    served = served_version(request, call="metadata")
    count = str(len(served.model.labels))
    outputs = {
        "label": ("DT_STRING", ["-1"]),
        "score": ("DT_FLOAT", ["-1"]),
        "labels": ("DT_STRING", ["-1", count]),
        "scores": ("DT_FLOAT", ["-1", count]),
        "decided": ("DT_BOOL", ["-1", count]),
    }
    signature = {
        "inputs": {INPUT: _tensor(INPUT, "DT_STRING", ["-1"])},
        "outputs": {name: _tensor(name, *kind) for name, kind in outputs.items()},
        "method_name": "tensorflow/serving/predict",
    }
    spec = {"name": served.name, "signature_name": "", "version": str(served.version)}
    signatures = {"signature_def": {SIGNATURE: signature}}
    return json_response({"model_spec": spec, "metadata": {"signature_def": signatures}})


def _tensor(name: str, dtype: str, sizes: list[str]) -> dict[str, Any]:
    shape = {"dim": [{"size": size, "name": ""} for size in sizes], "unknown_rank": False}
    return {"dtype": dtype, "tensor_shape": shape, "name": name}


async def predict(request: Request) -> Response:
    """Answers texts, in the row format (`instances`) or the columnar format (`inputs`)."""
    served = served_version(request, call="predict")
    body = await json_object(request)
    texts, by_rows = requested_texts(body)
    check_texts(texts, serving_of(request).settings.limits)
    call_of(request).texts = texts
    return json_response(await _answered(served, texts, by_rows=by_rows))


async def refuse_other_methods(request: Request) -> Response:
    """Refuses `classify` and `regress`, for which the signature has the wrong method."""
    method = request.path_params["method"]
    served_version(request, call=method)
    raise RequestError(
        400,
        f"Expected {method} signature method_name to be tensorflow/serving/{method}. Was: "
        "tensorflow/serving/predict; call :predict instead.",
    )


async def _answered(served: ServedVersion, texts: list[str], *, by_rows: bool) -> dict[str, Any]:
    columns = Columns.of(await served.batcher.answers(texts), served.model.labels)
    numbers = rounded(np.column_stack([columns.score, columns.scores]))
    outputs = {
        "label": columns.label,
        "score": [score for score, *_ in numbers],
        "labels": [columns.labels] * len(texts),
        "scores": [scores for _, *scores in numbers],
        "decided": columns.decided.tolist(),
    }
    if not by_rows:
        return {"outputs": outputs}
    rows = zip(*outputs.values(), strict=True)
    return {"predictions": [dict(zip(outputs, row, strict=True)) for row in rows]}


def requested_texts(body: dict[str, Any]) -> tuple[list[str], bool]:
    """Returns the texts of a request, and whether it is in the row format.

    >>> requested_texts({"instances": [{"text": "good"}, "bad"]})
    (['good', 'bad'], True)
    >>> requested_texts({"inputs": {"text": ["good", "bad"]}})
    (['good', 'bad'], False)

    Args:
        body: The JSON object that was sent.

    Raises:
        RequestError: It is not what TF Serving would accept; status 400.
    """
    signature = body.get("signature_name", SIGNATURE)
    if signature not in ("", SIGNATURE):
        raise RequestError(
            400,
            f"Serving signature name: {str(signature)[:100]!r} not found in signature def; this "
            f"server has {SIGNATURE} only, the SavedModel of textrnn export has the others.",
        )
    if ("instances" in body) == ("inputs" in body):
        raise RequestError(400, "expected either `instances` or `inputs`, got both or neither.")
    if "instances" in body:
        rows = body["instances"]
        if not isinstance(rows, list) or not rows:
            raise RequestError(400, "`instances`: expected a list of at least one text.")
        return [_row(row, f"instances[{place}]") for place, row in enumerate(rows)], True
    column = body["inputs"]
    if isinstance(column, dict) and "b64" not in column:
        column = _only_input(column, "inputs")
    if not isinstance(column, list):
        raise RequestError(400, "`inputs`: expected a list of texts, or an object with one.")
    return [text_of(text, place=f"inputs[{place}]") for place, text in enumerate(column)], False


def _row(row: Any, place: str) -> str:
    if isinstance(row, dict) and "b64" not in row:
        row = _only_input(row, place)
    return text_of(row, place=place)


def _only_input(named: dict[str, Any], place: str) -> Any:
    if set(named) != {INPUT}:
        names = ", ".join(sorted(named))[:100] or "none"
        raise RequestError(400, f"{place}: expected the input `{INPUT}` alone, got {names}.")
    return named[INPUT]


def routes() -> list[BaseRoute]:
    """The routes of the interface."""
    found: list[BaseRoute] = []
    for path in MODEL_PATHS:
        found += [
            Route(f"{path}:predict", predict, methods=["POST"]),
            *(
                Route(f"{path}:{method}", _named(method), methods=["POST"])
                for method in ("classify", "regress")
            ),
            Route(f"{path}/metadata", metadata),
            Route(path, status),
        ]
    return [*found, Route("/v1/models", models)]


def _named(method: str) -> Any:
    async def endpoint(request: Request) -> Response:
        request.path_params["method"] = method
        return await refuse_other_methods(request)

    return endpoint
