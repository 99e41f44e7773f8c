"""What each word of a text did for its answer.

The path and the form are those of version 1 of KServe's protocol: `:explain`, `instances` and
`explanations`. An explanation is what `textrnn explain --json` prints.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .each_text import answer_each_text
from .model import Explanation, Model
from .tensorflow_serving import MODEL_PATHS

__all__ = ["routes"]


def _explanation(model: Model, text: str) -> Explanation:
    return model.explain(text)


async def explain(request: Request) -> Response:
    """Explains the answers to texts, each with its words and their contributions."""
    return await answer_each_text(request, _explanation, call="explain", key="explanations")


def routes() -> list[BaseRoute]:
    """The routes of explanations."""
    return [Route(f"{path}:explain", explain, methods=["POST"]) for path in MODEL_PATHS]
