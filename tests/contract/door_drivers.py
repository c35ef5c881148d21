"""How a request reaches an application in process, as a server would hand it over: over ASGI, and over WSGI."""

import asyncio
import io
import sys
from urllib.parse import unquote, unquote_to_bytes

from tests.contract.door_exchange import Answered


def scope_of(asked, kind="http", **more):
    """The ASGI scope of a request, as uvicorn makes it."""
    path, _, query = asked.target.partition(b"?")
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http" if kind == "http" else "ws",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [
            (b"host", b"api.example"),
            *((name.lower(), value) for name, value in asked.headers),
            *_length(asked),
        ],
        "client": (asked.client, 50_000),
        "server": ("api.example", 80),
    } | more


def _length(asked):
    return [(b"content-length", str(len(asked.body)).encode())] if asked.body else []


def over_asgi(app, upstream):
    """Give the function that sends a request to an ASGI application."""

    def send_to(asked):
        sent = []
        half = len(asked.body) // 2
        body = [
            {"type": "http.request", "body": asked.body[:half], "more_body": True},
            {"type": "http.request", "body": asked.body[half:], "more_body": False},
        ]

        async def receive():
            if body:
                upstream.log.append("read")
                return body.pop(0)
            # The client stays until it has its answer.
            return await asyncio.Event().wait()

        async def send(message):
            upstream.begun = True
            upstream.left(message.get("body", b""))
            sent.append(message)

        asyncio.run(app(scope_of(asked), receive, send))
        start, *rest = sent
        return Answered(start["status"], start["headers"], b"".join(message.get("body", b"") for message in rest))

    return send_to


def handshake(app, asked, **scope):
    """Send a websocket handshake to an ASGI application; gives the messages that were sent."""
    sent = []

    async def receive():
        return {"type": "websocket.connect"} if not sent else {"type": "websocket.disconnect", "code": 1000}

    async def send(message):
        sent.append(message)

    asyncio.run(
        app(
            {name: value for name, value in scope_of(asked, "websocket", **scope).items() if name != "method"},
            receive,
            send,
        )
    )
    return sent


class _Input(io.BytesIO):
    """The body of a request, which notices that it is read."""

    def __init__(self, asked, upstream):
        super().__init__(asked.body)
        self._upstream = upstream

    def _noticed(self, data):
        self._upstream.log.append("read")
        return data

    def read(self, *size):
        return self._noticed(super().read(*size))

    def readline(self, *size):
        return self._noticed(super().readline(*size))


def over_wsgi(app, upstream):
    """Give the function that sends a request to a WSGI application, with the raw target where gunicorn has it."""

    def send_to(asked):
        started = []

        def start_response(status, headers, exc_info=None):
            upstream.begun = True
            started[:] = [int(status.split(" ")[0]), [(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers]]
            return lambda data: None

        chunks, result = [], app(environ_of(asked, upstream), start_response)
        try:
            for chunk in result:
                upstream.left(chunk)
                chunks.append(chunk)
        finally:
            getattr(result, "close", lambda: None)()
        return Answered(*started, b"".join(chunks))

    return send_to


def environ_of(asked, upstream):
    """The WSGI environ of a request, as gunicorn makes it: field lines of one name are joined with a comma."""
    path, _, query = asked.target.partition(b"?")
    environ = {
        "REQUEST_METHOD": asked.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "RAW_URI": asked.target.decode("latin-1"),
        "SERVER_NAME": "api.example",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "api.example",
        "REMOTE_ADDR": asked.client,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": _Input(asked, upstream),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if asked.body:
        environ["CONTENT_LENGTH"] = str(len(asked.body))
    for name, value in asked.headers:
        known = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        before = f"{environ[known]}," if known in environ else ""
        environ[known] = before + value.decode("latin-1")
    return environ
