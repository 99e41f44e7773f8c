"""How probable texts are by the language model beside a classifier, word by word."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .each_text import answer_each_text
from .model import Explanation, Model
from .tensorflow_serving import MODEL_PATHS

__all__ = ["routes"]


def _surprise(model: Model, text: str) -> Explanation:
    return model.surprise(text)


async def likelihood(request: Request) -> Response:
    """Computes the bits of texts and of their words; see `textrnn.runtime.surprise`."""
    return await answer_each_text(request, _surprise, call="likelihood", key="likelihoods")


def routes() -> list[BaseRoute]:
    """The routes of likelihoods."""
    return [Route(f"{path}:likelihood", likelihood, methods=["POST"]) for path in MODEL_PATHS]
