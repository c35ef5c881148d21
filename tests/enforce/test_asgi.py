"""The middleware in front of a plain ASGI application, in process and behind a real server."""

import asyncio
import socket
import threading

import pytest
import uvicorn

from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Mode, Operation, Rule, Rules
from scopekey.enforce.asgi import ScopekeyMiddleware, raw_target
from scopekey.testing import Keys
from tests.contract import door

READ = Requirement.all_of(Permission("datasets", "read"))
WRITE = Requirement.all_of(Permission("datasets", "write"))
RULES = Rules(
    (
        Rule(Operation.parse("GET /datasets/{id}"), READ, "id"),
        Rule(Operation.parse("POST /datasets"), WRITE),
        Rule(Operation.parse("POST /trial"), WRITE, mode=Mode.REPORT),
        Rule(Operation.parse("GET /open"), None),
    )
)


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", rules=RULES)


class TestAsgi(door.WebsocketContract, door.AsgiContract):
    def application(self, keys, upstream, *, cors_preflight=False):
        async def app(scope, receive, send):
            kind, path, event = scope["type"], scope["path"], scope["scopekey"]
            body, more = b"", kind == "http"
            while more:
                message = await receive()
                body, more = body + message["body"], message["more_body"]
            upstream.reached(scope.get("method", "GET"), path, event, body)
            if kind == "websocket":
                await send({"type": "websocket.accept"})
                await send({"type": "websocket.close", "code": 1000})
                return
            headers = [(name.encode(), value.encode()) for name, value in upstream.headers]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            for chunk in upstream.chunks() if path == "/stream" else [door.OK]:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body"})

        rules = Rules((*door.RULES.rules, door.SOCKET), cors_preflight=cors_preflight)
        return ScopekeyMiddleware(app, keys, rules)


class App:
    """Answers 200 and remembers whom it was called for."""

    def __init__(self, headers=()):
        self.calls = []
        self.headers = list(headers)

    async def __call__(self, scope, receive, send):
        self.calls.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": self.headers})
            await send({"type": "http.response.body", "body": b"o", "more_body": True})
            await send({"type": "http.response.body", "body": b"k"})


def call(middleware, path=b"/datasets/1", secret=None, *, headers=(), **changes):
    """Send one request through the middleware; gives status, headers and body, or what a websocket was told."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": path.decode(),
        "raw_path": path,
        "root_path": "",
        "headers": [*headers, *([(b"x-api-key", secret.encode())] if secret else [])],
        "client": ("192.0.2.7", 1),
    } | changes
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(middleware(scope, receive, send))
    if sent and sent[0]["type"] == "http.response.start":
        body = b"".join(message["body"] for message in sent[1:])
        return sent[0]["status"], dict(sent[0]["headers"]), body
    return sent


def test_own_rules_take_the_place_of_the_applied_ones(keys):
    own = Rules((Rule(Operation.parse("GET /datasets/{id}"), None),))
    assert 200 == call(ScopekeyMiddleware(App(), keys, own))[0]
    assert 401 == call(ScopekeyMiddleware(App(), keys))[0]


def test_the_status_of_a_missing_permission_is_the_keys_unless_the_app_says_otherwise(keys):
    keys.missing_permission_status = 403
    secret = keys.add("datasets:write")
    assert 403 == call(ScopekeyMiddleware(App(), keys), secret=secret)[0]
    assert 401 == call(ScopekeyMiddleware(App(), keys, missing_permission_status=401), secret=secret)[0]


def test_a_lifespan_passes_and_an_unknown_kind_of_scope_does_not(keys):
    app = App()
    call(ScopekeyMiddleware(app, keys), type="lifespan")
    assert ["lifespan"] == [scope["type"] for scope in app.calls]
    with pytest.raises(RuntimeError, match="webtransport"):
        call(ScopekeyMiddleware(app, keys), type="webtransport")


ROOTS = [
    (b"/datasets/1", "/api", "/api/datasets/1", b"/api/datasets/1"),
    (b"/datasets/1", "/api", "/datasets/1", b"/datasets/1"),
    (b"/apidatasets/1", "/api", "/apidatasets/1", b"/apidatasets/1"),
    (b"", "/api", "/api", b"/api"),
    (b"", "/api", "/api/datasets/1", b"/%61pi/datasets/1"),
    (b"/x", "/café", "/café/x", b"/caf%C3%A9/x"),
    (b"", "/café", "/café/x", b"/caf%c3%a9/x"),
    (b"/api/x", "/api/", "/api/x", b"/api/x"),
    (b"", "", "/x", None),
]


@pytest.mark.parametrize(("expected", "root", "path", "raw"), ROOTS)
def test_the_root_path_is_cut_where_a_router_cuts_it_or_the_target_is_unreadable(expected, root, path, raw):
    assert expected == raw_target({"root_path": root, "path": path, "raw_path": raw})


def test_without_a_raw_path_everything_is_refused(keys):
    status, headers, _ = call(ScopekeyMiddleware(App(), keys), b"/open", raw_path=None)
    assert (400, b"unreadable_target") == (status, headers[b"scopekey-code"])


PROXIES = ("10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("expected", "peer", "forwarded", "trusted"),
    [
        ("10.0.0.1", "10.0.0.1", [b"192.0.2.1"], ()),
        ("192.0.2.1", "10.0.0.1", [b"192.0.2.1"], PROXIES),
        ("192.0.2.1", "10.0.0.1", [b"203.0.113.9, 192.0.2.1, 10.0.0.2"], PROXIES),
        ("192.0.2.1", "10.0.0.1", [b"203.0.113.9", b"192.0.2.1,10.0.0.2"], PROXIES),
        ("198.51.100.1", "198.51.100.1", [b"192.0.2.1"], PROXIES),
        ("10.0.0.3", "10.0.0.1", [b"10.0.0.3, 10.0.0.2"], PROXIES),
        ("10.0.0.1", "10.0.0.1", [], PROXIES),
        (None, "10.0.0.1", [b"unknown, 10.0.0.2"], PROXIES),
        (None, "10.0.0.1", [b"192.0.2.1,"], PROXIES),
        ("192.0.2.1", "::1", [b"::ffff:192.0.2.1"], PROXIES),
        ("192.0.2.1", None, [b"192.0.2.1"], PROXIES),
        (None, None, [b"192.0.2.1"], ()),
    ],
)
def test_the_caller_is_the_first_from_the_right_that_is_no_trusted_proxy(keys, expected, peer, forwarded, trusted):
    call(
        ScopekeyMiddleware(App(), keys, trusted_proxies=trusted),
        headers=[(b"x-forwarded-for", line) for line in forwarded],
        client=(peer, 1) if peer else None,
    )
    assert expected == keys.events[-1].address


@pytest.mark.parametrize(
    "changes", [{"headers": [None]}, {"method": None}, {"client": 7}, {"headers": [(b"x-api-key", None)]}]
)
def test_a_scope_that_makes_no_sense_is_refused(keys, changes):
    app = App()
    assert call(ScopekeyMiddleware(app, keys), **changes)[0] in {400, 401, 503}
    assert [] == app.calls


@pytest.mark.parametrize(
    "options", [{"realm": 'a"b'}, {"missing_permission_status": 200}, {"trusted_proxies": ["nonsense"]}]
)
def test_options_that_mean_nothing_are_refused_at_once(keys, options):
    with pytest.raises(ValueError):  # noqa: PT011 - each says another thing
        ScopekeyMiddleware(App(), keys, **options)


@pytest.fixture(scope="module")
def server():
    """A real server with a key that may read; gives its port, the printed key and the keys."""
    keys = Keys("datasets:read", "datasets:write", rules=RULES)
    config = uvicorn.Config(
        ScopekeyMiddleware(App(), keys), lifespan="off", log_level="critical", proxy_headers=False, ws="none"
    )
    running = uvicorn.Server(config)
    bound = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(running.serve([bound])), daemon=True)
    thread.start()
    yield bound.getsockname()[1], keys.add("datasets:read"), keys
    running.should_exit = True
    thread.join(10)


RAW = [
    (200, b"/datasets/42"),
    (200, b"/datasets/42?x=/../y"),
    (400, b"/datasets/%34%32"),
    (200, b"/datasets/%7E%40"),
    (200, b"http://elsewhere/datasets/42"),
    (401, b"/datasets/42/"),
    (401, b"/DATASETS/42"),
    (401, b"/"),
    (400, b"/datasets/a%2Fb"),
    (400, b"/datasets/a%2fb"),
    (400, b"/datasets/a%5Cb"),
    (400, b"/datasets/../open"),
    (400, b"/datasets/%2e%2e/open"),
    (400, b"//datasets/42"),
    (400, b"/datasets//42"),
    (400, b"/datasets/42;a=b"),
    (400, b"/datasets/42%3Ba"),
    (400, b"/datasets/%00"),
    (400, b"/datasets/%ff"),
    (400, b"/datasets/%2541"),
    (400, b"/datasets/%4"),
    (400, b"/datasets/a|b"),
]


@pytest.mark.parametrize(("expected", "target"), RAW)
def test_a_raw_target_is_read_in_one_way_or_refused_behind_a_real_server(server, expected, target):
    port, secret, _ = server
    request = (
        b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nX-API-Key: " + secret.encode() + b"\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert expected == int(answer.split(b" ", 2)[1]), answer
