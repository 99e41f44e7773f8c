"""API keys, and the origins of web pages that may open a WebSocket."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import ConfigError
from .errors import RequestError

__all__ = ["ApiKeys", "Authentication", "check_origin"]

SHORTEST_KEY = 16


class ApiKeys:
    """The keys that a request may have.

    >>> ApiKeys(["correct horse battery"]).accepts("correct horse battery")
    True

    Args:
        keys: The keys; none: every request is accepted.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._digests = [_digest(key) for key in keys]

    @classmethod
    def from_file(cls, path: Path) -> ApiKeys:
        """Reads a file of keys, one per line; empty lines and lines that begin with # are left out.

        Raises:
            ConfigError: The file cannot be read, has no key, or a key that is too short.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: expected a file of API keys, got: {error}.") from None
        keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        if not keys:
            raise ConfigError(f"{path}: expected an API key per line, got none; write one.")
        if min(map(len, keys)) < SHORTEST_KEY:
            raise ConfigError(
                f"{path}: expected keys of at least {SHORTEST_KEY} characters, got a shorter one; "
                "python -c 'import secrets; print(secrets.token_urlsafe())' makes one."
            )
        return cls(keys)

    def __bool__(self) -> bool:
        """Returns whether a key is needed."""
        return bool(self._digests)

    def accepts(self, key: str) -> bool:
        """Returns whether a key is one of the keys, in a time that tells nothing about them."""
        given, found = _digest(key), False
        for digest in self._digests:
            found |= hmac.compare_digest(digest, given)
        return found

    def check(self, headers: Headers) -> None:
        """Checks the key in the headers `Authorization: Bearer KEY` or `X-API-Key: KEY`.

        Raises:
            RequestError: A key is needed, and there is none or another one; status 401.
        """
        if self and not self.accepts(_key(headers)):
            raise RequestError(
                401,
                "expected an API key in the header `Authorization: Bearer KEY` or `X-API-Key: "
                "KEY`, got none or an unknown one.",
                headers={"WWW-Authenticate": "Bearer"},
            )


def _key(headers: Headers) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _digest(key: str) -> bytes:
    # Digests have one length; the comparison of texts of several lengths takes several times.
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


class Authentication:
    """Refuses HTTP requests without a key. WebSockets check their key themselves.

    Args:
        app: What answers the others.
        keys: The keys.
        open_paths: The paths that need no key.
    """

    def __init__(self, app: ASGIApp, keys: ApiKeys, open_paths: Collection[str]) -> None:
        self._app, self._keys, self._open_paths = app, keys, open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] == "http" and scope["path"] not in self._open_paths:
            self._keys.check(Headers(scope=scope))
        await self._app(scope, receive, send)


def check_origin(headers: Headers, allowed: Collection[str]) -> None:
    """Checks the web page that opens a WebSocket; browsers leave that to the server.

    Args:
        headers: The headers of the request.
        allowed: The origins that may do so beside pages of this server; `*` stands for all.

    Raises:
        RequestError: The page is of another origin; status 403.
    """
    origin = headers.get("origin")
    if origin is None or origin in allowed or "*" in allowed:
        return
    if urlsplit(origin).netloc != headers.get("host"):
        raise RequestError(
            403,
            "expected a page of this server or of an origin that --cors-origin names, got "
            "another one.",
        )
