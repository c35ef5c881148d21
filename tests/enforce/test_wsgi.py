"""The middleware in front of a plain WSGI application, in process."""

import io
import sys
from wsgiref.validate import validator

import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

from scopekey.core.rules import Operation, Rule, Rules
from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware, raw_target
from scopekey.testing import Keys
from tests.contract import door
from tests.enforce.test_asgi import PROXIES, RULES


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", rules=RULES)


class TestWsgi(door.WsgiContract):
    def application(self, keys, upstream, *, cors_preflight=False):
        def app(environ, start_response):
            method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            upstream.reached(method, path, environ["scopekey.event"], environ["wsgi.input"].read())
            start_response("200 OK", upstream.headers)
            return upstream.chunks() if path == "/stream" else [door.OK]

        return ScopekeyWSGIMiddleware(app, keys, Rules(door.RULES.rules, cors_preflight=cors_preflight))


class App:
    """Answers 200 and remembers whom it was called for."""

    def __init__(self, headers=(), body=(b"o", b"k")):
        self.calls = []
        self.headers = list(headers)
        self.body = list(body)

    def __call__(self, environ, start_response):
        self.calls.append(environ)
        start_response("200 OK", [("Content-Type", "text/plain"), *self.headers])
        return self.body


def environ_of(target="/datasets/1", secret=None, **changes):
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": target,
        "QUERY_STRING": "",
        "RAW_URI": target,
        "SERVER_NAME": "api.example",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **({"HTTP_X_API_KEY": secret} if secret else {}),
    } | changes


def call(middleware, target="/datasets/1", secret=None, **changes):
    """Send one request through the middleware; gives status, headers and body."""
    started = []
    environ = {k: v for k, v in environ_of(target, secret, **changes).items() if v is not None}

    def start_response(status, headers, exc_info=None):
        started[:] = [int(status.split(" ")[0]), dict(headers)]
        return lambda data: None

    result = middleware(environ, start_response)
    return *started, b"".join(result)


def test_own_rules_take_the_place_of_the_applied_ones(keys):
    own = Rules((Rule(Operation.parse("GET /datasets/{id}"), None),))
    assert 200 == call(ScopekeyWSGIMiddleware(App(), keys, own))[0]
    assert 401 == call(ScopekeyWSGIMiddleware(App(), keys))[0]


def test_a_public_operation_is_answered_with_the_apps_own_headers_alone(keys):
    assert {"Content-Type"} == call(ScopekeyWSGIMiddleware(App(), keys), "/open", keys.add())[1].keys()


def test_the_status_of_a_missing_permission_is_the_keys_unless_the_app_says_otherwise(keys):
    keys.missing_permission_status = 403
    secret = keys.add("datasets:write")
    assert 403 == call(ScopekeyWSGIMiddleware(App(), keys), secret=secret)[0]
    assert 401 == call(ScopekeyWSGIMiddleware(App(), keys, missing_permission_status=401), secret=secret)[0]


@pytest.mark.parametrize("secret_field", ["HTTP_X_API_KEY", "HTTP_AUTHORIZATION"])
def test_two_credentials_that_a_server_has_joined_are_ambiguous(keys, secret_field):
    secret = keys.add("datasets:read")
    prefix = "Bearer " if secret_field == "HTTP_AUTHORIZATION" else ""
    for joined in (f"{prefix}{secret},{prefix}{secret}", f"{prefix}{secret}, ", f"Basic YTpi,{prefix or 'Bearer '}x"):
        status, headers, _ = call(ScopekeyWSGIMiddleware(App(), keys), **{secret_field: joined})
        assert (400, "ambiguous_credential") == (status, headers["scopekey-code"])


def test_an_error_of_the_app_starts_its_answer_anew_and_what_it_writes_is_written(keys):
    written, started = [], []

    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            {}["nothing"]
        except KeyError:
            write = start_response("500 Oops", [("X-Own", "1")], sys.exc_info())
        write(b"written")
        return []

    def start_response(status, headers, exc_info=None):
        started.append((status, dict(headers).keys(), exc_info and exc_info[0]))
        return written.append

    list(ScopekeyWSGIMiddleware(app, keys)(environ_of(secret=keys.add("datasets:read")), start_response))
    told = {"x-request-id", "scopekey-requires"}
    assert [("200 OK", told, None), ("500 Oops", told | {"X-Own"}, KeyError)] == started
    assert [b"written"] == written


def test_an_answer_that_must_be_closed_is_the_apps_own(keys):
    class Body(list):
        def close(self):
            self.closed = True

    app = App()
    app.body = Body([b"x"])
    middleware = ScopekeyWSGIMiddleware(app, keys)
    result = middleware(environ_of(secret=keys.add("datasets:read")), lambda *started: None)
    assert app.body is result


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("allowed", [True, False])
def test_it_is_a_conforming_application_and_a_conforming_server(keys, method, allowed):
    app = validator(App(body=[b"ok"]))
    rules = Rules(tuple(Rule(Operation.parse(f"{m} /datasets/{{id}}"), None) for m in ("GET", "POST")))
    guarded = validator(ScopekeyWSGIMiddleware(app, keys, rules if allowed else None))
    started = []
    result = guarded(
        environ_of(REQUEST_METHOD=method, CONTENT_LENGTH="0"), lambda *start: started.append(start) or started.append
    )
    assert (b"ok" in list(result)) == allowed
    result.close()
    assert ("200 OK" if allowed else "401 Unauthorized") == started[0][0]


TARGETS = [
    (b"/datasets/1", "", "/datasets/1", {"RAW_URI": "/datasets/1"}),
    (b"/datasets/1?a=/../b", "", "/datasets/1", {"REQUEST_URI": "/datasets/1?a=/../b"}),
    (b"/a", "", "/a", {"RAW_URI": "/a", "REQUEST_URI": "/a"}),
    (b"", "", "/a", {"RAW_URI": "/a", "REQUEST_URI": "/b"}),
    (b"", "", "/a", {"RAW_URI": "/a?x", "REQUEST_URI": "/a"}),
    (b"", "", "/a", {}),
    (b"", "", "/a", {"RAW_URI": None}),
    (b"", "", "/a", {"RAW_URI": b"/a"}),
    (b"/a?b", "", "/a", {"RAW_URI": "http://elsewhere/a?b"}),
    (b"", "", "", {"RAW_URI": "http://elsewhere"}),
    (b"", "", "/a", {"RAW_URI": "//elsewhere/a"}),
    (b"", "", "/b", {"RAW_URI": "/a"}),
    (b"", "", "/b", {"RAW_URI": "/a/../b"}),
    (b"", "", "/a", {"RAW_URI": "//a"}),
    (b"/caf%C3%A9", "", "/cafÃ©", {"RAW_URI": "/caf%C3%A9"}),
    (b"", "", "/a%20b", {"RAW_URI": "/a%20b"}),
    (b"", "", "/a", {"RAW_URI": "/a#b"}),
    (b"/x", "/api", "/x", {"RAW_URI": "/api/x"}),
    (b"/api/x", "/api", "/api/x", {"RAW_URI": "/api/api/x"}),
    (b"/x", "/api", "/x", {"RAW_URI": "/x"}),
    (b"", "/api", "/x", {"RAW_URI": "/%61pi/x"}),
    (b"", "/api", "", {"RAW_URI": "/api"}),
    (b"", "/api/", "x", {"RAW_URI": "/api/x"}),
    (b"", "/a", "pi/x", {"RAW_URI": "/api/x"}),
    (b"/x", "/cafÃ©", "/x", {"RAW_URI": "/caf%C3%A9/x"}),
    (b"/x", "/caf%C3%A9", "/x", {"RAW_URI": "/caf%C3%A9/x"}),
    (b"", "/cafÃ©", "/x", {"RAW_URI": "/caf%c3%a9/x"}),
    (b"", "/a%2Fb", "/x", {"RAW_URI": "/a%2Fb/x"}),
    (b"", "/a/..", "/x", {"RAW_URI": "/a/../x"}),
    (b"", "/", "/x", {"RAW_URI": "//x"}),
]


@pytest.mark.parametrize(("expected", "script", "path", "raw"), TARGETS)
def test_the_raw_target_is_what_the_application_will_route_or_unreadable(expected, script, path, raw):
    assert expected == raw_target({"SCRIPT_NAME": script, "PATH_INFO": path, **raw})


def test_without_a_raw_target_everything_is_refused_and_it_is_said_once(keys, caplog):
    middleware = ScopekeyWSGIMiddleware(App(), keys)
    for _ in range(2):
        status, headers, _ = call(middleware, "/open", RAW_URI=None)
        assert (400, "unreadable_target") == (status, headers["scopekey-code"])
    assert 1 == caplog.text.count("every request is refused")
    assert "gunicorn" in caplog.text


def test_a_prefix_that_a_proxy_has_cut_off_before_is_not_cut_off_again(keys):
    secret = keys.add("datasets:read")
    guarded = ProxyFix(ScopekeyWSGIMiddleware(App(), keys), x_prefix=1)
    for prefix in ("/api", "/datasets"):
        assert 200 == call(guarded, "/datasets/1", secret, HTTP_X_FORWARDED_PREFIX=prefix)[0]


@pytest.mark.parametrize(
    ("expected", "peer", "forwarded", "trusted"),
    [
        ("10.0.0.1", "10.0.0.1", "192.0.2.1", ()),
        ("192.0.2.1", "10.0.0.1", "192.0.2.1", PROXIES),
        ("192.0.2.1", "10.0.0.1", "203.0.113.9, 192.0.2.1,10.0.0.2", PROXIES),
        ("198.51.100.1", "198.51.100.1", "192.0.2.1", PROXIES),
        ("10.0.0.3", "10.0.0.1", "10.0.0.3, 10.0.0.2", PROXIES),
        ("10.0.0.1", "10.0.0.1", None, PROXIES),
        (None, "10.0.0.1", "unknown, 10.0.0.2", PROXIES),
        ("192.0.2.1", "::1", "::ffff:192.0.2.1", PROXIES),
        *(("192.0.2.1", peer, "192.0.2.1", PROXIES) for peer in (None, "", "localhost", "<local>", "0.0.0.0", "unix:")),
        ("else", "else", "192.0.2.1", PROXIES),
        (None, "", "192.0.2.1", ()),
        (None, "localhost", "192.0.2.1", ()),
    ],
)
def test_the_caller_is_the_first_from_the_right_that_is_no_trusted_proxy(keys, expected, peer, forwarded, trusted):
    call(
        ScopekeyWSGIMiddleware(App(), keys, trusted_proxies=trusted),
        REMOTE_ADDR=peer,
        HTTP_X_FORWARDED_FOR=forwarded,
    )
    assert expected == keys.events[-1].address


@pytest.mark.parametrize(
    "changes",
    [
        {"REQUEST_METHOD": None},
        {"REQUEST_METHOD": 7},
        {"REMOTE_ADDR": 7},
        {"HTTP_X_API_KEY": 7},
        {"HTTP_X_API_KEY": "€"},
        {"PATH_INFO": 7},
        {"RAW_URI": ["/open"]},
        {"SCRIPT_NAME": 7},
    ],
)
def test_an_environ_that_makes_no_sense_is_refused(keys, changes):
    app = App()
    assert call(ScopekeyWSGIMiddleware(app, keys), **changes)[0] in {400, 401, 503}
    assert [] == app.calls


@pytest.mark.parametrize(
    "options", [{"realm": 'a"b'}, {"missing_permission_status": 200}, {"trusted_proxies": ["nonsense"]}]
)
def test_options_that_mean_nothing_are_refused_at_once(keys, options):
    with pytest.raises(ValueError):  # noqa: PT011 - each says another thing
        ScopekeyWSGIMiddleware(App(), keys, **options)
