"""A handler for AWS Lambda and compatible platforms: HTTP events in, answers out.

The package holds this file, the packages of `pip install textrnn-runtime`, and the run folder that
the environment variable TEXTRNN_RUN names. The body of a request is `{"instances": [TEXT, ..]}`,
where TEXT may be `{"text": TEXT}`. The answers are those that `textrnn predict --json` prints:
`scores` maps each label to its probability, and `labels` are the labels that the text gets.
"""

from __future__ import annotations

import base64
import functools
import json
import os
from typing import Any

from textrnn_runtime import RuntimeModel, load

MOST_TEXTS = 256
MOST_CHARACTERS = 100_000


@functools.cache
def model() -> RuntimeModel:
    """Loads the model once for all calls of an instance."""
    return load(os.environ["TEXTRNN_RUN"])


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers one event of an API gateway or a function URL."""
    try:
        texts = _texts(event)
    except (ValueError, KeyError, TypeError, RecursionError):
        message = (
            f"expected an object with `instances`, a list of 1 to {MOST_TEXTS} texts of at most "
            f"{MOST_CHARACTERS:,} characters."
        )
        return _response(400, {"error": message})
    return _response(200, {"predictions": [answer.to_dict() for answer in model().answers(texts)]})


def _texts(event: dict[str, Any]) -> list[str]:
    """Returns the texts of an event, or raises ValueError, KeyError or TypeError."""
    body = event["body"]
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body)
    texts = json.loads(body)["instances"]
    if not isinstance(texts, list) or not 1 <= len(texts) <= MOST_TEXTS:
        raise ValueError
    texts = [text["text"] if isinstance(text, dict) else text for text in texts]
    if not all(isinstance(text, str) and len(text) <= MOST_CHARACTERS for text in texts):
        raise ValueError
    return texts


def _response(status: int, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(value, ensure_ascii=False),
    }
