"""A handler for AWS Lambda and compatible platforms: HTTP events in, answers out.

The package holds this file, the packages of `pip install textrnn-runtime`, and the run folder that
the environment variable TEXTRNN_RUN names. The body of a request, the answer and the errors are
those of `POST /v1/models/NAME:predict` of `textrnn serve`, whatever the path of the event is.
"""

from __future__ import annotations

import base64
import functools
import json
import os
from typing import Any

from textrnn_runtime import RuntimeModel, load
from textrnn_runtime.serve.errors import RequestError
from textrnn_runtime.serve.predict_call import predict
from textrnn_runtime.serve.settings import Limits

LIMITS = Limits(max_texts=256)


@functools.cache
def model() -> RuntimeModel:
    """Loads the model once for all calls of an instance."""
    return load(os.environ["TEXTRNN_RUN"])


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers one event of an API gateway or a function URL."""
    try:
        return _response(200, predict(model(), _body(event), limits=LIMITS))
    except RequestError as error:
        return _response(error.status, {"error": error.message})


def _body(event: dict[str, Any]) -> bytes | str:
    """Returns the body of an event; an event without one has an empty body."""
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        raise RequestError(400, "expected a body in base64, got other text.") from None


def _response(status: int, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(value, ensure_ascii=False),
    }
