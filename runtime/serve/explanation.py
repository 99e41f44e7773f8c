"""What each word of a text did for its answer.

The path and the form are those of version 1 of KServe's protocol: `:explain`, `instances` and
`explanations`. An explanation is what `textrnn explain --json` prints.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..errors import TextRNNError
from .bodies import json_object, json_response
from .errors import RequestError
from .serving import call_of, served_version, serving_of
from .tensorflow_serving import MODEL_PATHS, requested_texts
from .texts import check_texts

__all__ = ["routes"]


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
    try:
        # One text at a time, so that other requests get their turn between two of them.
        explanations = [await serving.in_thread(served.model.explain, text) for text in texts]
    except TextRNNError as error:
        raise RequestError(400, str(error)) from None
    return json_response({"explanations": [explained.to_dict() for explained in explanations]})


def routes() -> list[BaseRoute]:
    """The routes of explanations."""
    return [Route(f"{path}:explain", explain, methods=["POST"]) for path in MODEL_PATHS]
