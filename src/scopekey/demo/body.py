"""Request bodies: how long one may be, and reading one whole."""

from http import HTTPStatus

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scopekey.demo.problems import Refused, problem_response


class BodyLimit:
    """ASGI middleware that refuses a body longer than `limit` bytes, announced or not (413)."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app: ASGIApp = app
        self.limit: int = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _announced(scope) > self.limit:
            too_large = self._too_large()
            answer = problem_response(too_large.status_code, too_large.code, too_large.detail)
            await answer(scope, receive, send)
        else:
            await self.app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.limit:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> Refused:
        return Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            f"A body may have {self.limit:,} bytes. Split the upload into several.",
        )


def _announced(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


async def raw_body(request: Request) -> bytes:
    """The whole body, as it was sent."""
    return await request.body()
