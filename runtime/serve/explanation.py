"""What each word of a text did for its answer.

The path and the form are those of version 1 of KServe's protocol: `:explain`, `instances` and
`explanations`.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .bodies import json_object, json_response
from .errors import RequestError
from .model import Answer, Model
from .serving import call_of, served_version, serving_of
from .tensorflow_serving import MODEL_PATHS, requested_texts
from .texts import check_texts

__all__ = ["answer_fields", "routes"]


async def explain(request: Request) -> Response:
    """Explains the answers to texts, each with its words and their contributions."""
    served = served_version(request, call="explain")
    serving = serving_of(request)
    body = await json_object(request)
    if "instances" not in body:
        raise RequestError(400, "expected `instances`, a list of texts.")
    texts, _ = requested_texts(body)
    check_texts(texts, serving.settings.limits)
    call_of(request).texts = texts
    # One text at a time, so that other requests get their turn between two of them.
    explanations = [await serving.in_thread(_explained, served.model, text) for text in texts]
    return json_response({"explanations": explanations})


def _explained(model: Model, text: str) -> dict[str, Any]:
    (answer,) = model.answers([text])
    explanation = model.explain(text)
    words = [
        {
            "text": text[word.start : word.end],
            "start": word.start,
            "end": word.end,
            "contribution": float(word.contribution),
        }
        for word in explanation.words
    ]
    return {**answer_fields(answer), "explained": explanation.label, "words": words}


def answer_fields(answer: Answer) -> dict[str, Any]:
    """Returns an answer as plain values, as `textrnn predict --json` prints it."""
    return {
        "label": answer.label if answer.labels else None,
        "score": float(answer.score),
        "labels": list(answer.labels),
        "scores": {label: float(score) for label, score in answer.scores.items()},
        **({"reason": "abstained"} if answer.abstained else {}),
    }


def routes() -> list[BaseRoute]:
    """The routes of explanations."""
    return [Route(f"{path}:explain", explain, methods=["POST"]) for path in MODEL_PATHS]
