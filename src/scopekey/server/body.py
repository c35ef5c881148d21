"""Bodies are read before anything else looks at them, up to a limit: management calls are small."""

import re
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from scopekey.core.problem import PROBLEMS
from scopekey.wire.problems import CONTENT_TYPE, problem_document

LIMIT = 1 << 20
MAX_DEPTH = 64
_DIGITS = 15
# Whatever is there, it matches: a string without an end is one to the end of the body, for any reader.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")


class _GoneError(Exception):
    """The caller went away before the body was complete."""


class BodyLimit:
    """ASGI middleware: refuses bodies over a limit with 413, and too deeply nested ones with 422."""

    def __init__(self, app: ASGIApp, limit: int = LIMIT) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, then let the app have it."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self.app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except _GoneError:
            return
        if body is None:
            await _refuse(scope, send, "too_large", f"The body is larger than {self.limit} bytes. Send less.")
        elif _depth(body) > MAX_DEPTH:
            await _refuse(scope, send, "invalid_request", f"The body is nested more than {MAX_DEPTH} levels deep.")
        else:
            await self.app(scope, _Replay(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body, None where it is over the limit. Raises _GoneError: part of a body is none."""
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if declared.isdigit() and (len(declared) > _DIGITS or int(declared) > self.limit):
            return None
        parts = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _GoneError
            parts += message.get("body", b"")
            if len(parts) > self.limit:
                return None
            if not message.get("more_body", False):
                return bytes(parts)


class _Replay:
    """Gives the body that was read, then whatever the connection says."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> MutableMapping[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive()


def _depth(body: bytes) -> int:
    """The deepest nesting of brackets. Those inside strings do not count: callers of others may have written them."""
    depth = deepest = 0
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return 0
    for byte in _STRING.sub(b"", body).translate(None, _NO_BRACKET):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


async def _refuse(scope: Scope, send: Send, code: str, detail: str) -> None:
    event = scope.get("scopekey")
    problem = PROBLEMS[code]
    body = problem_document(problem, detail=detail, request_id=event.request_id if event else "none")
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"scopekey-code", code.encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
