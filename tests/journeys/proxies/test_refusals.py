"""Promise: whatever is refused, the client is told what Scopekey says itself, and the API hears nothing of it."""

import pytest

from scopekey.testing import Keys
from scopekey.wire.rules_file import read_rules
from tests.journeys.proxies.echo import deciding, echoing
from tests.journeys.proxies.fronting import front
from tests.journeys.proxies.raw import send

pytestmark = pytest.mark.journey

REASONS = ("www-authenticate", "scopekey-code", "scopekey-missing", "scopekey-requires", "scopekey-key-expires")
TOLD = (*REASONS, "retry-after", "x-request-id", "cache-control", "content-type")


def a_revoked(keys):
    secret = keys.add("datasets:read")
    keys.revoke(secret)
    return secret


def an_expired(keys):
    return keys.add("datasets:read", expires_in=0)


def one_from_elsewhere(keys):
    return keys.add("datasets:read", networks=["192.0.2.0/24"])


def a_suspended(keys):
    secret = keys.add("datasets:read", organization="gone")
    keys.organization("gone", suspended=True)
    return secret


def a_reader(keys):
    return keys.add("datasets:read", expires_in=1_000)


CASES = {
    "no key": ("GET", "/datasets/1", None, 401, "no_credential"),
    "not a key": ("GET", "/datasets/1", lambda _: "letmein", 401, "malformed_key"),
    "a revoked key": ("GET", "/datasets/1", a_revoked, 401, "revoked_key"),
    "an expired key": ("GET", "/datasets/1", an_expired, 401, "expired_key"),
    "a key of another network": ("GET", "/datasets/1", one_from_elsewhere, 401, "address_not_allowed"),
    "a suspended organization": ("GET", "/datasets/1", a_suspended, 401, "revoked_key"),
    "a permission too few": ("POST", "/datasets", a_reader, 401, "missing_permission"),
    "an operation that is not listed": ("DELETE", "/datasets/1", a_reader, 401, "unlisted_operation"),
    "a path that reads in two ways": ("GET", "/datasets/%2e%2e/1", a_reader, 400, "unreadable_target"),
    "a question without a key": ("OPTIONS", "/datasets/1", None, 401, "no_credential"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_refusal_arrives_as_scopekey_says_it(asked, case):
    method, target, make, status, code = CASES[case]
    secret = make(asked.keys) if make else ""
    said = asked.decided(method, target, "X-Request-Id: the-same", key=secret)
    assert (status, code) == (said.status, said.one("scopekey-code"))
    answer = asked.send(f"{method} {target}", "X-Request-Id: the-same", key=secret)
    assert said.status == answer.status
    assert said.body == answer.body
    assert {name: said.one(name) for name in TOLD} == {name: answer.one(name) for name in TOLD}
    assert [] == asked.echo.seen


def test_a_missing_permission_is_named(asked):
    answer = asked.send("POST /datasets", "Content-Length: 2", body=b"{}", key=a_reader(asked.keys))
    assert (401, "datasets:write", ["datasets:write"]) == (
        answer.status,
        answer.one("scopekey-missing"),
        answer.document["missing"],
    )


def test_a_platform_that_answers_403_gets_403(asked, monkeypatch):
    monkeypatch.setattr(asked.keys, "missing_permission_status", 403)
    answer = asked.send("POST /datasets", "Content-Length: 2", body=b"{}", key=a_reader(asked.keys))
    assert (403, 403) == (answer.status, answer.document["status"])
    assert 'error="insufficient_scope"' in answer.one("www-authenticate")


def test_two_keys_are_refused(asked):
    good = asked.keys.add("datasets:read")
    for lines in (
        [f"Authorization: Bearer {good}", f"X-API-Key: {good}"],
        [f"Authorization: Bearer {good}", f"Authorization: Bearer {good}"],
        [f"Authorization: Bearer {good}", "Authorization: Basic eDp5"],
        [f"Authorization: Bearer {good}, Bearer {good}"],
    ):
        assert 400 == asked.send("GET /datasets/1", *lines).status
    assert [] == asked.echo.seen


def test_of_two_lines_of_the_other_field_neither_arrives(asked):
    good, bad = asked.keys.add("datasets:read"), asked.keys.add()
    answer = asked.send("GET /datasets/1", f"X-API-Key: {bad}", f"X-API-Key: {good}")
    # nginx before 1.23 tells the first line only: one key is decided on, and none is handed on.
    assert (401 if asked.proxy == "nginx" else 400) == answer.status
    assert [] == asked.echo.seen


def test_a_decision_that_cannot_be_recorded_is_a_503(asked, monkeypatch):
    monkeypatch.setattr(asked.keys, "journal_fails", True)
    answer = asked.send("GET /datasets/1", key=asked.keys.add("datasets:read"))
    assert (503, "journal_unavailable", "5") == (
        answer.status,
        answer.document["code"],
        answer.one("retry-after"),
    )
    assert [] == asked.echo.seen


def test_head_is_refused_without_a_document(asked):
    answer = asked.send("HEAD /datasets/1")
    assert (401, "no_credential", b"") == (answer.status, answer.one("scopekey-code"), answer.body)


def test_a_reason_too_long_for_a_header_field_is_told_in_short(proxy, tmp_path):
    names = [f"resource_{number}_{'x' * 40}:read" for number in range(60)]
    keys = Keys(*names)
    requires = ", ".join(f'"{name}"' for name in names)
    keys.apply_rules(
        read_rules(f'[[rule]]\noperation = "GET /all"\nrequires = [{requires}]\n', "rules.toml", keys.register.catalog)
    )
    with (
        echoing() as (echo, api),
        deciding(keys) as gateway,
        front(proxy, tmp_path / "proxy", gateway=gateway, api=api) as address,
    ):
        answer = send(address, "GET /all", key=keys.add())
    assert (401, "missing_permission", 401) == (answer.status, answer.document["code"], answer.document["status"])
    assert [] == echo.seen
