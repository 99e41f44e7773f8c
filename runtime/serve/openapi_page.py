"""The description of the server, as JSON and as a page that loads nothing from a network."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .bodies import json_response
from .front_page import page_response
from .openapi import document
from .serving import call_of

__all__ = ["OPEN_PATHS", "routes"]

OPEN_PATHS = frozenset({"/openapi.json", "/docs"})
"""The paths that need no API key: what they say is the same for every server."""


async def description(request: Request) -> Response:
    """Returns the description in OpenAPI 3.1."""
    call_of(request).name = "openapi"
    return json_response(document())


async def page(request: Request) -> Response:
    """Shows the description."""
    call_of(request).name = "page"
    described = document()
    about = "".join(
        f"<p>{_inline(part)}</p>" for part in described["info"]["description"].split("\n\n")
    )
    operations = "".join(
        _operation(path, method, operation, described["components"]["schemas"])
        for path, item in described["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post")
    )
    schemas = "".join(
        f'<details id="{name}"><summary><code>{name}</code></summary>{_json(schema)}</details>'
        for name, schema in described["components"]["schemas"].items()
    )
    body = (
        f"<h1>textrnn serve</h1>{about}<p><a href='/openapi.json'>openapi.json</a></p>"
        f"<h2>Calls</h2>{operations}<h2>Schemas</h2>{schemas}"
    )
    return page_response("textrnn serve", body)


def _operation(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Returns one call as HTML: its summary, an example of its body, and its statuses."""
    rows = "".join(
        f"<tr><td>{status}</td><td>{_inline(response['description'])}</td></tr>"
        for status, response in operation["responses"].items()
    )
    example = ""
    if "requestBody" in operation:
        media = operation["requestBody"]["content"]["application/json"]
        name = media["schema"]["$ref"].rsplit("/", 1)[-1]
        shown = _json(schemas[name]["examples"][0])
        example = f'<p>Body: <a href="#{name}">{name}</a>, for example</p>{shown}'
    return (
        f"<details><summary><code>{method.upper()} {html.escape(path)}</code> "
        f"{_inline(operation['summary'])}</summary>{example}<table>{rows}</table></details>"
    )


def _inline(text: str) -> str:
    """Returns a text of the description as HTML; what it has in backticks is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _json(value: Any) -> str:
    return f"<pre>{html.escape(json.dumps(value, indent=2))}</pre>"


def routes() -> list[BaseRoute]:
    """The routes of the description and the page."""
    return [Route("/openapi.json", description), Route("/docs", page)]
