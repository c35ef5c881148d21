"""Read the body of a request, up to a limit, in as few steps as it came in."""

from scopekey.enforce.asgi import Receive


class GoneError(Exception):
    """The caller went away before the body was complete: nobody is there to be answered."""


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None where it is over the limit. Raises GoneError: part of a body is none."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        return body if len(body) <= limit else None
    parts = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise GoneError
        parts += message.get("body", b"")
        if len(parts) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(parts)
        message = await receive()
