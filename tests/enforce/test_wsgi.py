"""The middleware in front of a plain WSGI application, in process and behind real servers."""

import io
import json
import logging
import socket
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest
import waitress.server
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import WSGIRequestHandler as WerkzeugHandler
from werkzeug.serving import make_server as werkzeug_server

from scopekey.core.rules import Operation, Rule, Rules
from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware, raw_target
from scopekey.replica.journal import JournalUnavailableError
from scopekey.testing import Keys
from tests.enforce.test_asgi import PROXIES, RAW, RULES, broken


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", rules=RULES)


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


def test_an_allowed_request_reaches_the_app_with_its_event(keys):
    app, secret = App(), keys.add("datasets:read", expires_in=1_000)
    status, headers, body = call(ScopekeyWSGIMiddleware(app, keys), secret=secret)
    assert (200, b"ok") == (status, body)
    assert {"Content-Type", "scopekey-requires", "scopekey-key-expires", "x-request-id"} == headers.keys()
    event = app.calls[0]["scopekey"]
    assert (keys.events[-1], "GET /datasets/{id}", "1") == (event, event.operation, event.object)


def test_a_refused_request_never_reaches_the_app_and_is_recorded_once(keys):
    app, secret = App(), keys.add("datasets:read")
    status, headers, body = call(ScopekeyWSGIMiddleware(app, keys), "/datasets", secret, REQUEST_METHOD="POST")
    assert (401, "missing_permission", []) == (status, headers["scopekey-code"], app.calls)
    assert ["datasets:write"] == json.loads(body)["missing"]
    assert ["missing_permission"] == [event.decision.reason for event in keys.events]


def test_own_rules_take_the_place_of_the_applied_ones(keys):
    own = Rules((Rule(Operation.parse("GET /datasets/{id}"), None),))
    assert 200 == call(ScopekeyWSGIMiddleware(App(), keys, own))[0]
    assert 401 == call(ScopekeyWSGIMiddleware(App(), keys))[0]


def test_a_public_operation_is_answered_with_the_apps_own_headers_alone(keys):
    assert {"Content-Type"} == call(ScopekeyWSGIMiddleware(App(), keys), "/open", keys.add())[1].keys()


def test_report_only_calls_the_app_and_names_what_is_missing(keys):
    secret = keys.add("datasets:read")
    status, headers, _ = call(ScopekeyWSGIMiddleware(App(), keys), "/trial", secret, REQUEST_METHOD="POST")
    assert (200, "datasets:write") == (status, headers["scopekey-missing"])
    assert (True, False) == (keys.events[-1].reported, bool(keys.events[-1].decision))


def test_head_is_decided_as_get_and_its_refusal_has_no_body(keys):
    status, headers, body = call(ScopekeyWSGIMiddleware(App(), keys), REQUEST_METHOD="HEAD")
    assert (401, b"") == (status, body)
    assert int(headers["content-length"]) > 0


def test_the_status_of_a_missing_permission_is_the_keys_unless_the_app_says_otherwise(keys):
    keys.missing_permission_status = 403
    secret = keys.add("datasets:write")
    assert 403 == call(ScopekeyWSGIMiddleware(App(), keys), secret=secret)[0]
    assert 401 == call(ScopekeyWSGIMiddleware(App(), keys, missing_permission_status=401), secret=secret)[0]


def test_the_apps_own_request_id_stays_and_a_sane_one_of_the_caller_is_kept(keys):
    secret = keys.add("datasets:read")
    theirs = call(ScopekeyWSGIMiddleware(App([("X-Request-ID", "theirs")]), keys), secret=secret)[1]
    assert ("theirs", False) == (theirs["X-Request-ID"], "x-request-id" in theirs)
    kept = call(ScopekeyWSGIMiddleware(App(), keys), secret=secret, HTTP_X_REQUEST_ID="trace-1")[1]
    assert "trace-1" == kept["x-request-id"]
    joined = call(ScopekeyWSGIMiddleware(App(), keys), secret=secret, HTTP_X_REQUEST_ID="a,b")[1]
    assert joined["x-request-id"].startswith("req_")


def test_a_preflight_passes_only_where_the_rules_let_it(keys):
    asked = {
        "REQUEST_METHOD": "OPTIONS",
        "HTTP_ORIGIN": "https://a",
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET",
    }
    lenient = Rules(RULES.rules, cors_preflight=True)
    assert 200 == call(ScopekeyWSGIMiddleware(App(), keys, lenient), **asked)[0]
    assert 401 == call(ScopekeyWSGIMiddleware(App(), keys), **asked)[0]
    assert 401 == call(ScopekeyWSGIMiddleware(App(), keys, lenient), **asked | {"HTTP_ORIGIN": None})[0]


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
            raise LookupError
        except LookupError:
            write = start_response("500 Oops", [("X-Own", "1")], sys.exc_info())
        write(b"written")
        return []

    def start_response(status, headers, exc_info=None):
        started.append((status, dict(headers).keys(), exc_info and exc_info[0]))
        return written.append

    list(ScopekeyWSGIMiddleware(app, keys)(environ_of(secret=keys.add("datasets:read")), start_response))
    told = {"x-request-id", "scopekey-requires"}
    assert [("200 OK", told, None), ("500 Oops", told | {"X-Own"}, LookupError)] == started
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

    def strict(environ, start_response):
        # The validator allows nothing but text under a name without a dot.
        return app({name: value for name, value in environ.items() if name != "scopekey"}, start_response)

    rules = Rules(tuple(Rule(Operation.parse(f"{m} /datasets/{{id}}"), None) for m in ("GET", "POST")))
    guarded = validator(ScopekeyWSGIMiddleware(strict, keys, rules if allowed else None))
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
        *(("192.0.2.1", peer, "192.0.2.1", PROXIES) for peer in (None, "", "localhost", "<local>", "unix:")),
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


FAULTS = ["now", "key", "organization", "register", "rules"]


@pytest.mark.parametrize("step", FAULTS)
def test_a_fault_at_any_step_of_the_index_is_a_503_and_tells_no_secret(keys, step, caplog):
    app, secret = App(), keys.add("datasets:read")
    setattr(keys.index, step, broken)
    with caplog.at_level(logging.DEBUG):
        status, headers, _ = call(ScopekeyWSGIMiddleware(app, keys), secret=secret)
    assert (503, "unavailable", "5", []) == (status, headers["scopekey-code"], headers["retry-after"], app.calls)
    assert "OSError" in caplog.text
    assert "sck_live" not in caplog.text


class LateTicket:
    def wait(self):
        raise JournalUnavailableError


@pytest.mark.parametrize("late", [False, True])
def test_a_decision_that_cannot_be_recorded_is_not_answered(keys, late, monkeypatch):
    app, secret = App(), keys.add("datasets:read")
    keys.journal_fails = not late
    monkeypatch.setattr(keys.verifier.journal, "append", lambda event: LateTicket()) if late else None
    status, headers, _ = call(ScopekeyWSGIMiddleware(app, keys), secret=secret)
    assert (503, "journal_unavailable", []) == (status, headers["scopekey-code"], app.calls)


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


def test_keys_that_cannot_be_opened_refuse_everything():
    class Closed:
        @property
        def verifier(self):
            raise OSError

    assert 503 == call(ScopekeyWSGIMiddleware(App(), Closed(), RULES), "/open")[0]


@pytest.mark.parametrize(
    "options", [{"realm": 'a"b'}, {"missing_permission_status": 200}, {"trusted_proxies": ["nonsense"]}]
)
def test_options_that_mean_nothing_are_refused_at_once(keys, options):
    with pytest.raises(ValueError):  # noqa: PT011 - each says another thing
        ScopekeyWSGIMiddleware(App(), keys, **options)


class QuietWsgiref(WSGIRequestHandler):
    def log_message(self, *args):
        return


class QuietWerkzeug(WerkzeugHandler):
    def log(self, *args):
        return


def waitress_serving(app):
    server = waitress.server.create_server(app, host="127.0.0.1", port=0, threads=2)
    return server.effective_port, server.run, server.close


def werkzeug_serving(app):
    server = werkzeug_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietWerkzeug)
    return server.server_port, server.serve_forever, server.shutdown


def wsgiref_serving(app):
    server = make_server("127.0.0.1", 0, app, handler_class=QuietWsgiref)
    return server.server_port, server.serve_forever, server.shutdown
