"""The calls that answer each text of a request by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..errors import TextRNNError
from .bodies import json_object, json_response
from .errors import RequestError
from .model import Explanation, Model
from .options import with_options
from .predict_call import requested_texts
from .serving import call_of, served_version, serving_of
from .texts import check_texts

__all__ = ["answer_each_text"]


async def answer_each_text(
    request: Request, answer: Callable[[Model, str], Explanation], *, call: str, key: str
) -> Response:
    """Answers `{"instances": [TEXT, ..]}` by `{KEY: [..]}`.

    Args:
        request: The request.
        answer: Answers a text with a model.
        call: The name of the call, for the metrics.
        key: The name of the list of answers.

    Raises:
        RequestError: The request is not understood, or the model cannot answer; status 400, 404 or
            413.
    """
    served = served_version(request, call=call)
    serving = serving_of(request)
    body = await json_object(request)
    if "instances" not in body:
        raise RequestError(400, "expected `instances`, a list of texts.")
    texts, _ = requested_texts(body)
    check_texts(texts, serving.settings.limits)
    call_of(request).texts = texts
    answers: list[dict[str, Any]] = []
    try:
        for text in texts:  # One by one, so that other requests get their turn between two texts.
            found = await serving.in_thread(answer, served.model, text)
            answers.append(found.to_dict())
    except TextRNNError as error:
        raise RequestError(400, with_options(str(error))) from None
    return json_response({key: answers})
