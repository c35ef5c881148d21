"""The WSGI middleware behind real servers: what each tells of a request line, and what it makes of header fields."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from wsgiref import simple_server

import pytest
from werkzeug import serving
from werkzeug.serving import WSGIRequestHandler

import scopekey
from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware
from scopekey.testing import Keys
from tests.enforce.test_asgi import RAW, RULES
from tests.enforce.test_wsgi import App


class Quiet(WSGIRequestHandler):
    def log(self, *args):
        return


class QuietWsgiref(simple_server.WSGIRequestHandler):
    def log_message(self, *args):
        return


@contextmanager
def in_a_thread(server):
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address
    server.shutdown()
    server.server_close()
    thread.join(10)


def guarded():
    keys = Keys("datasets:read", "datasets:write", rules=RULES)
    keys.add("datasets:read")
    return ScopekeyWSGIMiddleware(App(), keys)


def behind_werkzeug(folder):
    return in_a_thread(serving.make_server("127.0.0.1", 0, guarded(), threaded=True, request_handler=Quiet))


def behind_wsgiref(folder):
    return in_a_thread(simple_server.make_server("127.0.0.1", 0, guarded(), handler_class=QuietWsgiref))


@contextmanager
def in_a_process(folder, says, *command):
    """A process that imports this module; the made-up keys are the same everywhere."""
    (folder / "app.py").write_text("from tests.enforce.test_wsgi_servers import guarded\napp = guarded()\n")
    path = [str(folder), str(Path(__file__).parents[2]), str(Path(scopekey.__file__).parents[1])]
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        # It says where it listens once it does.
        assert any(says in line for line in process.stdout)
        yield f"{folder}/socket"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def behind_gunicorn(folder):
    bind = f"unix:{folder}/socket"
    return in_a_process(folder, "Listening at", "gunicorn", "app:app", "--bind", bind, "--no-control-socket")


def behind_waitress(folder):
    return in_a_process(folder, "Serving on", "waitress", f"--unix-socket={folder}/socket", "app:app")


def send(address, target, *lines):
    """Send one request as raw bytes; gives status and head."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    head = b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: a", b"Connection: close", *lines])
    with socket.socket(family) as connection:
        connection.settimeout(30)
        connection.connect(address)
        connection.sendall(head + b"\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split(b" ", 2)[1]), answer


KEY = b"X-API-Key: " + Keys("datasets:read", "datasets:write").add("datasets:read").encode()


@pytest.fixture(scope="module", params=[behind_waitress, behind_werkzeug, behind_gunicorn])
def server(request, tmp_path_factory):
    """A real server; gives its name and address."""
    with request.param(tmp_path_factory.mktemp("server")) as address:
        yield request.param.__name__, address


# Python's http.server, on which Werkzeug's stands, merges them before anybody sees the target.
MERGED = {("behind_werkzeug", b"//datasets/42"): 200}


@pytest.mark.parametrize(("expected", "target"), RAW)
def test_a_raw_target_is_read_in_one_way_or_refused_behind_a_real_server(server, expected, target):
    name, address = server
    status, answer = send(address, target, KEY)
    assert MERGED.get((name, target), expected) == status, answer


def test_two_keys_are_ambiguous_behind_a_real_server(server):
    _, address = server
    for second in (KEY, b"X-API-Key: ", KEY.replace(b"X-API-Key: ", b"Authorization: Bearer ")):
        assert 400 == send(address, b"/datasets/1", KEY, second)[0]


def test_a_field_with_underscores_is_none_behind_a_real_server(server):
    _, address = server
    status, answer = send(address, b"/datasets/1", KEY.replace(b"X-API-Key", b"X_API_Key"))
    assert (401, True) == (status, b"no_credential" in answer)


def test_the_script_name_that_gunicorn_takes_from_a_header_is_cut_off_the_target(tmp_path):
    with behind_gunicorn(tmp_path) as address:
        assert 401 == send(address, b"/api/datasets/1", KEY)[0]
        assert 200 == send(address, b"/api/datasets/1", KEY, b"SCRIPT_NAME: /api")[0]
        assert 400 == send(address, b"/%61pi/datasets/1", KEY, b"SCRIPT_NAME: /%61pi")[0]
        assert 400 == send(address, b"/api/datasets/1", KEY, b"SCRIPT_NAME: /ap")[0]


def test_wsgiref_tells_no_raw_target_so_that_everything_is_refused(tmp_path):
    with behind_wsgiref(tmp_path) as address:
        assert 400 == send(address, b"/open")[0]
