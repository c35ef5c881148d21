"""An upstream that says what a test wrote down: a real HTTP server on loopback, and the lines of a feed."""

import http.server
import threading
from contextlib import contextmanager

from scopekey.wire.changes import encode_change
from scopekey.wire.feed import Complete, Header, Heartbeat, encode_line
from tests.contract.index import change, mark

FEED, PEPPER = "feed", "0a0b0c0d"


def header(position, *, feed=FEED, peppers=(PEPPER,)):
    return encode_line(Header(1, feed, position, mark(position).hex(), peppers=tuple(peppers)))


def beat(position, *, elapsed=0, age=0):
    return encode_line(Heartbeat(position, mark(position).hex(), elapsed, age))


def lines(first, *states):
    """Changes from a position on."""
    return b"".join(encode_change(change(at, state)) + b"\n" for at, state in enumerate(states, start=first))


def snapshot(position, *states, feed=FEED, count=None):
    told = b"".join(encode_change(change(position, state)) + b"\n" for state in states)
    return header(position, feed=feed) + told + encode_line(Complete(len(states) if count is None else count))


class Script:
    """What is answered: `changes` and `snapshot` are bodies, or (status, headers, body). `asked` is what came."""

    def __init__(self):
        self.changes = (410, {"content-type": "application/problem+json"}, b'{"code":"snapshot_needed"}')
        self.snapshot = b""
        self.asked = []
        self.hold = False
        """Leave the stream open after its body, until the script ends."""
        self.ended = threading.Event()
        self.url = ""

    def answer(self, path):
        said = self.snapshot if path.startswith("/v1/snapshot") else self.changes
        return said if isinstance(said, tuple) else (200, {"content-type": "application/jsonl"}, said)


@contextmanager
def scripted():
    script = Script()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            script.asked.append((self.path, self.headers.get("authorization")))
            status, headers, body = script.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
            if script.hold and status == 200:
                script.ended.wait(20)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield script
    finally:
        script.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
