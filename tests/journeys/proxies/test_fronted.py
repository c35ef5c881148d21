"""Promise: behind each proxy, with the configuration as printed, the API sees only what was let through, and whose."""

import pytest

from scopekey.cli.main import PRINTED

pytestmark = pytest.mark.journey

DAY = 86_400_000
IDENTITY = ("scopekey-key-id", "scopekey-organization", "scopekey-environment", "scopekey-used")
# What only Scopekey or the proxy may say, in every spelling that an application reads as the same.
FORGED = (
    *(f"{name}: forged" for name in IDENTITY),
    *(f"{name.replace('-', '_')}: forged" for name in IDENTITY),
    "Scopekey-Missing: forged",
    "Scopekey-Code: forged",
    "Scopekey-Requires: forged",
    "Scopekey-Status: 200",
    "X-Original-Method: GET",
    "X-Original-URI: /forged",
    "X-Original-Client: 192.0.2.1",
    "X-Forwarded-Method: GET",
    "X-Forwarded-Uri: /forged",
    "X-Forwarded-For: 192.0.2.1",
    "X-Forwarded-Prefix: /forged",
    "X-Real-IP: 192.0.2.1",
    "Forwarded: for=192.0.2.1",
    "X-HTTP-Method-Override: DELETE",
    "X-Method-Override: DELETE",
    "X-Original-URL: /forged",
    "X-Rewrite-URL: /forged",
)


def identity(seen):
    """Who the API was told, and an empty name where nobody."""
    told = {name: seen.all(name) for name in IDENTITY}
    assert all(len(values) < 2 for values in told.values()), told
    return [(values or [b""])[0].decode() for values in told.values()]


def expected(keys, secret, used="datasets:read"):
    key = keys.key(secret)
    return [key.id, key.organization, "live", used]


@pytest.mark.parametrize("line", ["Authorization: Bearer {}", "authorization: bearer {}", "X-API-Key: {}"])
def test_an_allowed_call_arrives_with_who_calls_and_without_the_key(asked, line):
    secret = asked.keys.add("datasets:read")
    answer = asked.send("GET /datasets/1?page=2", line.format(secret), "Accept: text/plain")
    assert (200, b"served") == (answer.status, answer.body)
    assert expected(asked.keys, secret) == identity(asked.seen)
    assert [b"text/plain"] == asked.seen.all("accept")
    assert {"authorization", "x-api-key"}.isdisjoint(asked.seen.names())
    assert not PRINTED.search(str(asked.seen))


def test_a_public_call_arrives_with_nobody(asked):
    assert 200 == asked.send("GET /open", *FORGED).status
    assert ["", "", "", ""] == identity(asked.seen)


def test_nothing_that_a_client_made_up_arrives(asked):
    secret = asked.keys.add("datasets:read")
    assert 200 == asked.send("GET /datasets/1", *FORGED, key=secret).status
    assert expected(asked.keys, secret) == identity(asked.seen)
    assert "forged" not in str(asked.seen)
    assert "192.0.2.1" not in str(asked.seen)
    assert "DELETE" not in str(asked.seen)
    assert {b"127.0.0.1"} == set(asked.seen.all("x-forwarded-for"))
    assert "127.0.0.1" == asked.keys.events[-1].address


@pytest.mark.parametrize(
    "lines",
    [
        [f"Connection: {', '.join(IDENTITY)}"],
        [f"Connection: {name}" for name in IDENTITY],
        ["Connection: close, Scopekey-Key-Id, Authorization"],
        ["Connection: keep-alive", "connection: Scopekey-Key-Id", "Keep-Alive: timeout=5"],
        ["Proxy-Connection: Scopekey-Key-Id"],
        ["Connection: X-Original-URI, X-Forwarded-Uri, X-Forwarded-Method"],
    ],
)
def test_a_client_cannot_strip_who_it_is_on_the_way(asked, lines):
    secret = asked.keys.add("datasets:read")
    assert 200 == asked.send("GET /datasets/1", *lines, key=secret).status
    assert expected(asked.keys, secret) == identity(asked.seen)
    assert b"scopekey" not in b"".join(asked.seen.all("connection")).lower()


def test_a_caller_is_told_what_its_key_needs_and_when_it_ends(asked):
    answer = asked.send("GET /datasets/1", "X-Request-Id: mine-1", key=asked.keys.add("datasets:read", expires_in=DAY))
    assert "datasets:read" == answer.one("scopekey-requires")
    assert "2026-01-02T00:00:00.000Z" == answer.one("scopekey-key-expires")
    assert "mine-1" == answer.one("x-request-id")
    assert [b"mine-1"] == asked.seen.all("x-request-id")
    assert answer.one("scopekey-missing") is None


def test_nothing_is_told_where_there_is_nothing_to_say(asked):
    without_end = asked.send("GET /datasets/1", key=asked.keys.add("datasets:read"))
    assert ("datasets:read", None) == (without_end.one("scopekey-requires"), without_end.one("scopekey-key-expires"))
    public = asked.send("GET /open")
    assert ["x-request-id"] == [name for name, _ in public.fields if name.startswith(("scopekey", "x-"))]


def test_what_report_only_forgives_is_served_and_named(asked):
    secret = asked.keys.add("datasets:read")
    answer = asked.send("GET /reported", key=secret)
    assert (200, "datasets:write") == (answer.status, answer.one("scopekey-missing"))
    assert expected(asked.keys, secret, used="") == identity(asked.seen)


def test_the_request_id_of_the_api_is_left(asked, monkeypatch):
    monkeypatch.setattr(
        asked.echo,
        "answer",
        b"HTTP/1.1 201 Created\r\nX-Request-Id: theirs\r\nScopekey-Requires: theirs\r\nContent-Length: 2\r\n\r\nok",
    )
    answer = asked.send("GET /datasets/1", "X-Request-Id: mine", key=asked.keys.add("datasets:read"))
    assert (201, b"ok", "theirs") == (answer.status, answer.body, answer.one("x-request-id"))
    assert "datasets:read" == answer.one("scopekey-requires")


@pytest.mark.parametrize(
    "status", [b"401 Unauthorized", b"403 Forbidden", b"404 Not Found", b"500 Internal Server Error"]
)
def test_the_statuses_of_the_api_are_its_own(asked, monkeypatch, status):
    monkeypatch.setattr(asked.echo, "answer", b"HTTP/1.1 %s\r\nContent-Length: 4\r\n\r\nmine" % status)
    answer = asked.send("GET /datasets/1", key=asked.keys.add("datasets:read"))
    assert (int(status[:3]), b"mine") == (answer.status, answer.body)
