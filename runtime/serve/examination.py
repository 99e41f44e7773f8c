"""What each word of one text does to the answer, and what would change it: for the playground."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..errors import TextRNNError
from .bodies import json_object, json_response
from .errors import RequestError
from .serving import call_of, served_version, serving_of
from .tensorflow_serving import MODEL_PATHS
from .texts import check_texts, text_of

__all__ = ["routes"]


async def examine(request: Request) -> Response:
    """Examines the answer to one text; see `textrnn.runtime.examination`."""
    served = served_version(request, call="examine")
    serving = serving_of(request)
    body = await json_object(request)
    if not {"text"} <= set(body) <= {"text", "label"}:
        raise RequestError(400, "expected an object with `text`, and perhaps `label`.")
    text, label = text_of(body["text"], place="text"), body.get("label")
    if label is not None and label not in served.model.labels:
        raise RequestError(400, "`label`: expected a label of the model, got another value.")
    check_texts([text], serving.settings.limits)
    call_of(request).texts = [text]
    try:
        examination = await serving.in_thread(served.model.examine, text, label)
    except TextRNNError as error:
        raise RequestError(400, str(error)) from None
    return json_response(examination.to_dict())


def routes() -> list[BaseRoute]:
    """The routes of examinations."""
    return [Route(f"{path}:examine", examine, methods=["POST"]) for path in MODEL_PATHS]
