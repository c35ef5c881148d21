"""Promise: what Scopekey is asked about is what the API is sent, whatever the bytes, and nothing of it is kept back."""

import socket

import msgspec
import pytest

from tests.journeys.proxies.raw import PATIENCE, read_answer, send, written

pytestmark = pytest.mark.journey

# As each arrives at the API: as it was written (None), written otherwise, or not at all (0).
TARGETS = {
    "/a?b=c&d": {},
    "/a//b": {},
    "//a/b": {},
    "/a/%2e%2e/b": {},
    "/a/%2Fb?x=%2F": {},
    "/a;x=1/b": {},
    "/a/../b": {},
    "/a/./b": {},
    "/../b": {"nginx": 0},
    "/%61/B": {},
    "/a?": {},
    "/a?b?c;d": {},
    "/a%00b": {"nginx": 0},
    "/a%zzb": {"nginx": 0, "caddy": 0},
    "/a\\b": {"caddy": "/a%5Cb"},
    "/a|^{}<>": {"caddy": "/a%7C%5E%7B%7D%3C%3E"},
    "/caf\xc3\xa9": {"caddy": "/caf%C3%A9", "haproxy": 0},
    "/a#b": {"caddy": "/a%23b", "haproxy": 0},
    "/" + "a" * 4000: {},
    "http://api.example/a//b?c": dict.fromkeys(("nginx", "caddy", "haproxy"), "/a//b?c"),
    "http://other.example/a": {"nginx": "/a", "caddy": "/a", "haproxy": 0},
    "a/b": dict.fromkeys(("nginx", "caddy", "haproxy"), 0),
    "/_scopekey_check": {"nginx": 0},
    "/check/nginx": {},
}


def asked_about(agreed):
    """The method and the target of the one question that was asked."""
    assert 1 == len(agreed.asked.seen)
    told = {
        name.removeprefix(b"x-original-").removeprefix(b"x-forwarded-"): v for name, v in agreed.asked.seen[0].fields
    }
    return told[b"method"], told[b"uri"]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: ascii(target)[1:30])
def test_the_target_that_is_asked_about_is_the_one_that_is_served(agreed, target):
    answer = send(agreed.address, f"GET {target}")
    arrives = TARGETS[target].get(agreed.proxy, target)
    if arrives == 0:
        assert 400 <= answer.status < 500
        assert [] == agreed.served.seen
    else:
        assert 200 == answer.status
        assert [arrives.encode("latin-1")] == [seen.target for seen in agreed.served.seen]
        assert (b"GET", arrives.encode("latin-1")) == asked_about(agreed)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "DELETE", "PROPFIND", "QUERY"])
def test_the_method_that_is_asked_about_is_the_one_that_is_served(agreed, method):
    assert 200 == send(agreed.address, f"{method} /a").status
    assert (method.encode(), b"/a") == asked_about(agreed)
    assert [method.encode()] == [seen.method for seen in agreed.served.seen]


@pytest.mark.parametrize("line", ["OPTIONS *", "CONNECT api.example:80", "TRACE /a"])
def test_what_has_no_path_is_never_served(agreed, line):
    answer = send(agreed.address, line)
    if agreed.proxy != "haproxy" or line != "TRACE /a":
        assert [] == agreed.served.seen
    # Go answers `OPTIONS *` itself, with nothing.
    assert answer.status == 200 or 400 <= answer.status < 500


def test_the_question_is_a_get_with_nothing_of_the_body(agreed):
    body = b"x" * 3000
    send(agreed.address, "POST /a", f"Content-Length: {len(body)}", "Cookie: a=b", body=body)
    question = agreed.asked.seen[0]
    assert (b"GET", b"", []) == (question.method, question.body, question.all("cookie"))
    assert question.target in {b"/check/nginx", b"/check/haproxy", b"/check/forwarded"}
    assert {b"0"} >= set(question.all("content-length"))
    assert [] == question.all("transfer-encoding")


def test_the_question_tells_what_scopekey_looks_at(agreed):
    fields = {
        "Authorization": "Bearer one",
        "X-API-Key": "two",
        "X-Request-Id": "three",
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "PUT",
        "Scopekey-Position": "feed:12",
    }
    send(agreed.address, "OPTIONS /a", *(f"{name}: {value}" for name, value in fields.items()))
    question = agreed.asked.seen[0]
    assert list(fields.values()) == [b",".join(question.all(name.lower())).decode() for name in fields]
    assert [] == agreed.served.seen[0].all("scopekey-position")


def test_the_question_says_whose_address_it_is(agreed):
    send(agreed.address, "GET /a", "X-Forwarded-For: 192.0.2.7", "X-Original-Client: 192.0.2.7")
    question = agreed.asked.seen[0]
    assert [b"127.0.0.1"] == question.all("x-forwarded-for" if agreed.proxy == "caddy" else "x-original-client")
    assert b"192.0.2.7" not in b"".join(value for _, value in question.fields)


def test_a_body_arrives_whole(agreed):
    body = bytes(range(256)) * 16_384
    send(agreed.address, "POST /a", f"Content-Length: {len(body)}", body=body)
    assert body == agreed.served.seen[0].body


def test_a_chunked_body_arrives_whole(agreed):
    chunks = b"5\r\nhello\r\n1000\r\n" + b"x" * 4096 + b"\r\n0\r\n\r\n"
    send(agreed.address, "POST /a", "Transfer-Encoding: chunked", body=chunks)
    assert b"hello" + b"x" * 4096 == agreed.served.seen[0].body


def test_a_caller_that_waits_for_a_go_ahead_is_refused_without_its_body(asked):
    refused = asked.send("POST /datasets", "Content-Length: 4", "Expect: 100-continue")
    # nginx says `100 Continue` all the same, and throws the body away.
    assert (401, "no_credential") == (refused.status, refused.one("scopekey-code"))
    assert [] == asked.echo.seen


def test_a_refusal_does_not_wait_for_the_body(asked):
    answer = asked.send("POST /datasets", "Content-Length: 5000000")
    assert (401, "no_credential") == (answer.status, answer.one("scopekey-code"))
    assert [] == asked.echo.seen


def test_a_preflight_passes_where_the_rules_say_so(asked):
    preflight = ("OPTIONS /datasets/1", "Origin: https://app.example", "Access-Control-Request-Method: GET")
    assert 401 == asked.send(*preflight).status
    rules = asked.keys.verifier.index.rules()
    asked.keys.apply_rules(msgspec.structs.replace(rules, cors_preflight=True))
    try:
        passed, alone = asked.send(*preflight), asked.send("OPTIONS /datasets/1")
    finally:
        asked.keys.apply_rules(rules)
    assert (200, 401) == (passed.status, alone.status)
    assert (b"OPTIONS", [b"https://app.example"]) == (asked.seen.method, asked.seen.all("origin"))


def test_requests_of_one_connection_are_decided_one_by_one(asked):
    secret = asked.keys.add("datasets:read")
    requests = [
        written("GET /datasets/1", key=secret),
        written("GET /datasets/2"),
        written("POST /datasets", "Content-Length: 4", body=b"body", key=secret),
        written("GET /datasets/3", key=secret),
    ]
    with socket.create_connection(asked.address, PATIENCE) as connection, connection.makefile("rb") as stream:
        connection.sendall(b"".join(requests))
        statuses = [read_answer(stream).status for _ in requests]
    assert [200, 401, 401, 200] == statuses
    assert [b"/datasets/1", b"/datasets/3"] == [seen.target for seen in asked.echo.seen]
    assert 2 == sum(bool(event.decision) for event in asked.keys.events)


def test_who_called_before_on_a_connection_is_forgotten(asked):
    secret = asked.keys.add("datasets:read", expires_in=86_400_000)
    with socket.create_connection(asked.address, PATIENCE) as connection, connection.makefile("rb") as stream:
        for request in (written("GET /datasets/1", key=secret), written("GET /open")):
            connection.sendall(request)
            answer = read_answer(stream)
    assert {b""} >= {value for name, value in asked.echo.seen[1].fields if name.startswith(b"scopekey")}
    assert None is answer.one("scopekey-key-expires")


WEBSOCKET = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def test_a_websocket_is_let_through_with_who_calls(asked):
    secret = asked.keys.add("datasets:read")
    with socket.create_connection(asked.address, PATIENCE) as connection, connection.makefile("rb") as stream:
        fields = (*WEBSOCKET, "Connection: Scopekey-Key-Id")
        connection.sendall(written("GET /datasets/1", *fields, key=secret))
        assert 101 == read_answer(stream).status
        connection.sendall(b"back and forth\n")
        assert b"back and forth\n" == stream.readline()
    assert [asked.keys.key(secret).id.encode()] == asked.seen.all("scopekey-key-id")
    assert [b"upgrade"] == [value.lower() for value in asked.seen.all("connection")]


def test_a_websocket_is_refused_like_anything_else(asked):
    answer = asked.send("GET /datasets/1", *WEBSOCKET)
    assert (401, "no_credential") == (answer.status, answer.document["code"])
    assert [] == asked.echo.seen


@pytest.mark.parametrize(
    "upgrade",
    [["h2c"], ["h2c, websocket"], ["h2c", "websocket"], ["websocket", "h2c"], ["websocket, h2c"], ["TLS/1.0"]],
    ids=" and ".join,
)
def test_nothing_else_is_upgraded(asked, upgrade):
    secret = asked.keys.add("datasets:read")
    fields = ("Connection: Upgrade, HTTP2-Settings", *(f"Upgrade: {one}" for one in upgrade), *WEBSOCKET[2:])
    answer = asked.send("GET /datasets/1", *fields, "HTTP2-Settings: AAMAAABkAAQAAP__", key=secret)
    assert answer.status in {101, 200, 400}
    arrived = [value for seen in asked.echo.seen for value in seen.all("upgrade")]
    assert arrived in ([], [b"websocket"])
    assert (answer.status == 101) == bool(arrived)
