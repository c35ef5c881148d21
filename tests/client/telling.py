"""A real server on loopback that answers what it is told; both clients, driven alike and waiting for no time."""

import asyncio
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from scopekey.client import AsyncScopekeyClient, ScopekeyClient
from scopekey.client.session import Surroundings

KEY = "sck_live_canary000001SECRETsecretSECRETsecretSECRETsecretSECRETsecretS"
SECRET = "SECRETsecret"


class Told:
    """An answer, or what is done with the connection: `silent` for a second, `broken`, `broken_off` in the body."""

    def __init__(self, status=200, body="{}", headers=(), *, silent=False, broken=False, broken_off=False):
        self.status, self.body, self.headers = status, body, dict(headers)
        self.silent, self.broken, self.broken_off = silent, broken, broken_off


def refusal(code, status, headers=(), **more):
    """A refusal as Scopekey words it."""
    document = {"code": code, "status": status, "title": "A title", "detail": "What happened.", "request_id": "req_1"}
    fields = {"content-type": "application/problem+json", "scopekey-code": code} | dict(headers)
    return Told(status, json.dumps(document | more), fields)


class TellingServer:
    """Answers what it was told, in that order, the last again and again."""

    def __init__(self, server):
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.tell(Told())

    def tell(self, *told):
        self.told, self.heard = list(told), []


@contextmanager
def telling():
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            server.heard.append((self.command, self.path, dict(self.headers.items())))
            told = server.told.pop(0) if len(server.told) > 1 else server.told[0]
            if told.silent:
                time.sleep(1)
            if told.silent or told.broken:
                self.close_connection = True
                return
            body = told.body.encode()
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body) + told.broken_off))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = told.broken_off

        def log_message(self, *words):
            pass

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server = TellingServer(listening)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


class Sync:
    """Drives the sync client; `waited` is how long it would have waited."""

    def __init__(self, url, key=KEY, **options):
        self.waited = []
        surroundings = Surroundings(random=lambda: 0.5)
        given = {"environment": url} | options
        self.client = ScopekeyClient(key, surroundings=surroundings, sleep=self.waited.append, **given)

    def __call__(self, do):
        return do(self.client)

    def all(self, do):
        return list(do(self.client))

    def close(self):
        self.client.close()


class Async:
    """The same with the async client, on a loop of its own."""

    def __init__(self, url, key=KEY, **options):
        self.waited = []
        surroundings = Surroundings(random=lambda: 0.5)
        given = {"environment": url} | options

        async def sleep(seconds):
            self.waited.append(seconds)

        self.client = AsyncScopekeyClient(key, surroundings=surroundings, sleep=sleep, **given)
        self.loop = asyncio.new_event_loop()

    def __call__(self, do):
        return self.loop.run_until_complete(do(self.client))

    def all(self, do):
        async def gone_through():
            return [item async for item in do(self.client)]

        return self.loop.run_until_complete(gone_through())

    def close(self):
        self.loop.run_until_complete(self.client.aclose())
        self.loop.close()
