"""The contract's table of refusals, row by row."""

import json

import pytest

from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.enforce.respond import JOURNAL_UNAVAILABLE, UNAVAILABLE, refuse, refuse_unchecked, told
from scopekey.replica.verifier import Absent
from scopekey.testing import Keys

READ, WRITE, JOBS = Permission("datasets", "read"), Permission("datasets", "write"), Permission("jobs", "write")
RULES = Rules(
    (
        Rule(Operation.parse("GET /datasets"), Requirement.all_of(READ)),
        Rule(Operation.parse("POST /runs"), Requirement(((READ, WRITE, JOBS), (WRITE, JOBS)))),
        Rule(Operation.parse("GET /nobody"), Requirement(())),
        Rule(Operation.parse("GET /open"), None),
    )
)
COMMON = {"content-type", "content-length", "cache-control", "scopekey-code", "x-request-id"}
DOCUMENT = {"type", "title", "status", "detail", "code", "request_id"}
LIVE = DOCUMENT | {"key_id", "operation", "required", "missing"}
INVALID = 'Bearer realm="scopekey", error="invalid_token"'


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", "jobs:write", rules=RULES)


def asked(keys, credential, method="GET", target=b"/datasets", address=None):
    event, _ = keys.verifier.applied.request(method, target, credential, address=address, request_id="req_1")
    return event


def revoked(keys):
    secret = keys.add("datasets:read")
    keys.revoke(secret)
    return asked(keys, secret)


def expired(keys):
    secret = keys.add("datasets:read", expires_in=1_000)
    keys.now += 1_000
    return asked(keys, secret)


def stale(keys):
    keys.index.pend(b"x", keys.now)
    keys.now += 900_001
    return asked(keys, keys.add("datasets:read"))


def wrong_secret(keys):
    secret = keys.add("datasets:read")
    forged = keys.verifier.key_format.print("live", keys.key(secret).id, bytes(32))
    return asked(keys, forged)


ROWS = [
    ("unreadable_target", 400, None, DOCUMENT, lambda k: asked(k, k.add("datasets:read"), target=b"/a//b")),
    ("no_credential", 401, 'Bearer realm="scopekey"', DOCUMENT, lambda k: asked(k, Absent.NONE)),
    ("ambiguous_credential", 400, 'Bearer realm="scopekey", error="invalid_request"', DOCUMENT,
     lambda k: asked(k, Absent.AMBIGUOUS)),
    ("malformed_key", 401, INVALID, DOCUMENT, lambda k: asked(k, "nonsense")),
    ("malformed_key", 401, INVALID, DOCUMENT, lambda k: asked(k, "sck_live_" + "0" * 61)),
    ("unknown_key", 401, INVALID, DOCUMENT, wrong_secret),
    ("unknown_key", 401, INVALID, DOCUMENT, lambda k: asked(k, Keys("a:read").add("a:read"))),
    ("stale_replica", 503, None, DOCUMENT, stale),
    ("revoked_key", 401, INVALID, DOCUMENT | {"key_id"}, revoked),
    ("expired_key", 401, INVALID, DOCUMENT | {"key_id"}, expired),
    ("address_not_allowed", 401, INVALID, DOCUMENT | {"key_id"},
     lambda k: asked(k, k.add("datasets:read", networks=["10.0.0.0/8"]), address="192.0.2.1")),
    ("unlisted_operation", 401, 'Bearer realm="scopekey", error="insufficient_scope"', LIVE,
     lambda k: asked(k, k.add("datasets:read"), target=b"/elsewhere")),
    ("missing_permission", 401, 'Bearer realm="scopekey", error="insufficient_scope", scope="datasets:read"', LIVE,
     lambda k: asked(k, k.add("jobs:write"))),
    ("missing_permission", 401,
     'Bearer realm="scopekey", error="insufficient_scope", scope="datasets:read datasets:write jobs:write"', LIVE,
     lambda k: asked(k, k.add("datasets:read", "jobs:write"), "POST", b"/runs")),
    ("missing_permission", 401, 'Bearer realm="scopekey", error="insufficient_scope"', LIVE,
     lambda k: asked(k, k.add("datasets:read"), target=b"/nobody")),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_each_refusal_is_told_as_the_contract_has_it(keys, row):
    code, status, challenge, members, case = row
    refusal = refuse(case(keys))
    headers = {name.decode(): value.decode() for name, value in refusal.headers}
    body = json.loads(refusal.body)
    assert (status, status, code, members) == (refusal.status, body["status"], body["code"], set(body))
    assert challenge == headers.get("www-authenticate")
    assert headers.keys() >= COMMON
    assert ("application/problem+json", "no-store", code, "req_1", str(len(refusal.body))) == tuple(
        headers[name] for name in ("content-type", "cache-control", "scopekey-code", "x-request-id", "content-length")
    )
    assert (status == 503) == ("retry-after" in headers)
    assert (members == LIVE) or not {n for n in headers if n.startswith("scopekey-")} - {"scopekey-code"}


def test_the_words_are_the_same_for_a_wrong_id_and_a_wrong_secret(keys):
    stranger = refuse(asked(keys, Keys("a:read").add("a:read")))
    assert stranger == refuse(wrong_secret(keys))


def test_a_missing_permission_names_what_is_missing_in_peoples_words(keys):
    body = json.loads(refuse(asked(keys, keys.add("datasets:read"), "POST", b"/runs")).body)
    assert (
        "This call needs Write Datasets (datasets:write) and Write Jobs (jobs:write); the key does not hold them. "
        "Ask for it to be added, or use another key."
    ) == body["detail"]
    assert [["datasets:read", "datasets:write", "jobs:write"], ["datasets:write", "jobs:write"]] == body["required"]
    assert ("POST /runs", ["datasets:write", "jobs:write"]) == (body["operation"], body["missing"])


def test_a_live_key_is_told_what_is_required_when_it_ends_and_what_is_missing(keys):
    secret = keys.add("jobs:write", expires_in=90 * 86_400_000)
    expected = [
        (b"scopekey-requires", b"datasets:read, datasets:write, jobs:write; datasets:write, jobs:write"),
        (b"scopekey-key-expires", b"2026-04-01T00:00:00.000Z"),
        (b"scopekey-missing", b"datasets:write"),
    ]
    assert expected == told(asked(keys, secret, "POST", b"/runs"))


def test_a_key_that_never_ends_has_no_expiry_header(keys):
    assert [(b"scopekey-requires", b"datasets:read")] == told(asked(keys, keys.add("datasets:read")))


def test_nobody_is_told_anything_about_a_public_operation(keys):
    assert [] == told(asked(keys, keys.add("datasets:read"), target=b"/open"))


def test_a_platform_may_answer_a_missing_permission_with_403_and_nothing_else_changes(keys):
    event = asked(keys, keys.add("jobs:write"))
    refusal = refuse(event, missing_permission_status=403)
    assert (403, 403) == (refusal.status, json.loads(refusal.body)["status"])
    assert 401 == refuse(asked(keys, Absent.NONE), missing_permission_status=403).status


def test_an_allowed_request_has_no_refusal(keys):
    with pytest.raises(ValueError, match="no refusal"):
        refuse(asked(keys, keys.add("datasets:read")))


@pytest.mark.parametrize(
    ("code", "problem"), [("journal_unavailable", JOURNAL_UNAVAILABLE), ("unavailable", UNAVAILABLE)]
)
def test_what_could_not_be_checked_or_recorded_is_a_503(code, problem):
    refusal = refuse_unchecked(problem, "req_1")
    headers = dict(refusal.headers)
    assert (503, code, DOCUMENT) == (refusal.status, json.loads(refusal.body)["code"], set(json.loads(refusal.body)))
    assert (b"5", code.encode(), None) == tuple(
        headers.get(n) for n in (b"retry-after", b"scopekey-code", b"www-authenticate")
    )
