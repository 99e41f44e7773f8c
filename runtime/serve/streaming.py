"""A WebSocket for a text that is still being written: an answer after every piece.

The messages are JSON objects. Of the client:

    {"type": "authenticate", "key": KEY}   if the server wants a key and the headers have none
    {"type": "feed", "text": PIECE}        the next piece of the text, cut anywhere
    {"type": "finish"}                     the text is complete; the next piece begins another one
    {"type": "restart"}                    forgets the text

Of the server, one for each piece and each finish:

    {"type": "answer", "final": false, "label": .., "score": .., "labels": [..], "scores": {..}}
    {"type": "error", "status": 413, "error": MESSAGE}

After an error the server closes the connection with the code 4000 + status, such as 4413.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from ..errors import TextRNNError
from .authentication import ApiKeys, check_origin
from .errors import RequestError, busy
from .metrics import STREAM_ERROR
from .model import Answer, Stream
from .serving import Serving, served_version, serving_of
from .tensorflow_serving import MODEL_PATHS
from .texts import parsed_object, valid_text

__all__ = ["routes"]

_log = logging.getLogger("textrnn.serve")

_REASON_BYTES = 123


async def stream(websocket: WebSocket) -> None:
    """Answers a text after each of its pieces."""
    serving = serving_of(websocket)
    await websocket.accept()
    try:
        await _Connection(websocket, serving).run()
    except WebSocketDisconnect:
        pass
    except RequestError as error:
        await _close(websocket, error.status, error.message)
    except Exception as error:
        _log.error("a stream failed", exc_info=error)
        await _close(websocket, 500, "the server failed; its log has the reason.")


async def _close(websocket: WebSocket, status: int, message: str) -> None:
    """Tells the client why the connection is closed, and closes it."""
    try:
        await _send(websocket, {"type": "error", "status": status, "error": message})
        # The protocol allows 123 bytes for the reason.
        reason = message.encode("utf-8")[:_REASON_BYTES].decode("utf-8", "ignore")
        await websocket.close(STREAM_ERROR + status, reason)
    except (WebSocketDisconnect, RuntimeError):
        if websocket.client_state is not WebSocketState.DISCONNECTED:
            raise


async def _send(websocket: WebSocket, message: dict[str, Any]) -> None:
    await websocket.send_text(json.dumps(message, ensure_ascii=False, allow_nan=False))


class _Connection:
    """One WebSocket, and the text that is written through it."""

    def __init__(self, websocket: WebSocket, serving: Serving) -> None:
        self._websocket, self._serving = websocket, serving
        self._limits = serving.settings.limits

    async def run(self) -> None:
        """Answers messages until the client leaves."""
        await self._check_access()
        served = served_version(self._websocket, call="stream")
        if self._serving.streams >= self._limits.max_streams:
            raise busy(
                f"expected at most {self._limits.max_streams} streams at a time, got one more; "
                "ask again later."
            )
        self._count(1)
        try:
            text: Stream | None = await self._begun(served.model.stream)
            while True:
                message = await self._received()
                text = text or await self._begun(served.model.stream)
                text = await self._answered(message, text)
        finally:
            self._count(-1)

    async def _begun(self, begin: Any) -> Stream:
        """Begins a text.

        Raises:
            RequestError: The model cannot read a text piece by piece; status 400.
        """
        try:
            text: Stream = await self._serving.in_thread(begin)
        except TextRNNError as error:
            raise RequestError(400, str(error)) from None
        return text

    async def _answered(self, message: dict[str, Any], text: Stream) -> Stream | None:
        """Obeys a message; returns the text, None if the next message begins another one."""
        kind = message.get("type")
        if kind == "feed":
            piece = message.get("text")
            if not isinstance(piece, str):
                raise RequestError(400, "`text`: expected a string, got none.")
            answer = await self._serving.in_thread(text.feed, valid_text(piece))
            await self._send_answer(answer, final=False)
            return text
        if kind == "finish":
            await self._send_answer(await self._serving.in_thread(text.finish), final=True)
            return None
        if kind == "restart":
            return None
        raise RequestError(400, "`type`: expected feed, finish or restart, got another value.")

    async def _send_answer(self, answer: Answer, *, final: bool) -> None:
        await _send(self._websocket, {"type": "answer", "final": final, **answer.to_dict()})

    async def _check_access(self) -> None:
        """Checks the page that asks, and its key, in the headers or in the first message."""
        access = self._serving.settings.access
        check_origin(self._websocket.headers, access.cors_origins)
        keys: ApiKeys = self._websocket.app.state.keys
        try:
            keys.check(self._websocket.headers)
        except RequestError:
            message = await self._received()
            key = message.get("key")
            if message.get("type") != "authenticate" or not keys.accepts(str(key)):
                raise

    async def _received(self) -> dict[str, Any]:
        """Returns the next message.

        Raises:
            RequestError: It is no JSON object (status 400), too long (413), or does not come (408).
            WebSocketDisconnect: The client has left.
        """
        seconds = self._limits.stream_idle_seconds
        try:
            message = await asyncio.wait_for(self._websocket.receive(), seconds)
        except asyncio.TimeoutError:
            raise RequestError(408, f"expected a message within {seconds:g} s, got none.") from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        content = message.get("text") or message.get("bytes") or ""
        size = len(content.encode("utf-8") if isinstance(content, str) else content)
        if size > self._limits.max_message_bytes:
            raise RequestError(
                413,
                f"expected a message of at most {self._limits.max_message_bytes} bytes, got "
                f"{size}; send smaller pieces.",
            )
        return parsed_object(content)

    def _count(self, change: int) -> None:
        self._serving.streams += change
        self._serving.metrics.streams.set(self._serving.streams)


def routes() -> list[BaseRoute]:
    """The routes of the WebSockets."""
    return [WebSocketRoute(f"{path}/stream", stream) for path in MODEL_PATHS]
