"""The page at `/`, which names the models."""

from __future__ import annotations

import html

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from .serving import call_of, serving_of

__all__ = ["OPEN_PATHS", "page_response", "routes"]

OPEN_PATHS = frozenset({"/"})
"""The paths that need no API key: a browser sends none."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }}
code, pre {{ font-family: ui-monospace, monospace; }}
pre {{ overflow-x: auto; padding: 0.75rem; border: 1px solid; border-radius: 0.25rem; }}
table {{ border-collapse: collapse; }}
th, td {{ text-align: left; vertical-align: top; padding: 0.25rem 1rem 0.25rem 0; }}
summary {{ cursor: pointer; padding: 0.25rem 0; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def page_response(title: str, body: str) -> Response:
    """Returns a page of HTML that loads nothing.

    Args:
        title: The title, as text.
        body: The content, as HTML.
    """
    headers = {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(_PAGE.format(title=html.escape(title), body=body), headers=headers)


async def front_page(request: Request) -> Response:
    """Names the models, unless the server wants API keys, which a page cannot send."""
    call_of(request).name = "page"
    rows = ""
    if not request.app.state.keys:
        rows = "".join(
            f"<tr><td>{html.escape(model.source.name)}</td>"
            f"<td>{', '.join(str(version.version) for version in model.versions)}</td>"
            f"<td>{html.escape(', '.join(model.versions[0].model.labels[:20]))}</td></tr>"
            for model in serving_of(request).store
        )
        rows = f"<table><tr><th>model<th>versions<th>labels</tr>{rows}</table>"
    body = f'<h1>textrnn</h1>{rows}<p><a href="/docs">How to ask this server</a></p>'
    return page_response("textrnn", body)


def routes() -> list[BaseRoute]:
    """The route of the page."""
    return [Route("/", front_page)]
