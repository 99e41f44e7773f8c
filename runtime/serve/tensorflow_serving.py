"""The REST interface of TensorFlow Serving.

https://www.tensorflow.org/tfx/serving/api_rest. A request to the SavedModel of `textrnn export`
gets the same answer here. The signature is `serving_default`; the other signatures of the
SavedModel exist only there.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .bodies import json_object, json_response
from .errors import RequestError
from .paths import model_paths
from .predict_call import INPUT, SIGNATURE, predict_response, requested_texts
from .serving import asked_version, call_of, served_version, serving_of
from .texts import check_texts

__all__ = ["MODEL_PATHS", "routes"]

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
    answers = await served.batcher.answers(texts)
    return json_response(predict_response(answers, served.model.labels, by_rows=by_rows))


async def refuse_other_methods(request: Request) -> Response:
    """Refuses `classify` and `regress`, for which the signature has the wrong method."""
    method = request.path_params["method"]
    served_version(request, call=method)
    raise RequestError(
        400,
        f"Expected {method} signature method_name to be tensorflow/serving/{method}. Was: "
        "tensorflow/serving/predict; call :predict instead.",
    )


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
