"""The page at `/`: the playground."""

from __future__ import annotations

import html

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from ..playground.page import server_page
from .serving import call_of

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
    """Shows the playground, whose scripts ask this server."""
    call_of(request).name = "page"
    page, policy = server_page()
    headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(page, headers=headers)


def routes() -> list[BaseRoute]:
    """The route of the page."""
    return [Route("/", front_page)]
