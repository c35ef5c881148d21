"""Assertions hold what they say, and say what they found."""

import pytest

from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Mode, Operation, Rule, Rules
from scopekey.testing import (
    Keys,
    assert_allowed,
    assert_needs,
    assert_public,
    assert_refused,
    assert_requires,
    used_permissions,
)

READ, WRITE, JOBS = (Permission.parse(name) for name in ("datasets:read", "datasets:write", "jobs:write"))
RULES = Rules(
    (
        Rule(Operation.parse("GET /datasets/{id}"), Requirement.all_of(READ), "id"),
        Rule(Operation.parse("POST /datasets/{id}/copy"), Requirement.all_of(READ, WRITE)),
        Rule(Operation.parse("POST /runs"), Requirement(((WRITE,), (READ, JOBS)))),
        Rule(Operation.parse("POST /trial"), Requirement.all_of(JOBS), mode=Mode.REPORT),
        Rule(Operation.parse("GET /whoami"), Requirement.all_of()),
        Rule(Operation.parse("GET /nobody"), Requirement(())),
        Rule(Operation.parse("GET /healthz"), None),
    )
)


@pytest.fixture
def keys():
    return Keys(rules=RULES)


def send(keys, operation, headers):
    """One request, as an adapter asks about it."""
    method, _, target = operation.partition(" ")
    printed = headers["Authorization"].removeprefix("Bearer ")
    keys.verifier.applied.request(method, target.encode(), printed, address=None, request_id="r")


def failing(check, *arguments, **options):
    with pytest.raises(AssertionError) as raised:
        check(*arguments, **options)
    return str(raised.value)


def test_with_neither_names_nor_a_catalog_there_are_the_permissions_of_the_rules(keys):
    assert {"datasets:read", "datasets:write", "jobs:write"} <= {str(name) for name in keys.catalog.permissions}


def test_headers_are_those_of_a_new_key_that_holds_exactly_this(keys):
    printed = keys.headers("jobs:write", organization="other", environment="test", expires_in=1_000)["Authorization"]
    key = keys.key(printed.removeprefix("Bearer "))
    assert ("test", keys.organization("other").id, key.created + 1_000) == (
        key.environment,
        key.organization,
        key.expires,
    )
    assert ["jobs:write"] == list(keys.register.names(key.grant))


def test_an_allowed_call_tells_its_operation_and_what_it_used(keys):
    send(keys, "GET /datasets/7", keys.headers("datasets:read", "jobs:write"))
    decided = assert_allowed(keys, "GET /datasets/{id}", used="datasets:read")
    assert ("7", ("datasets:read",), ("datasets:read", "jobs:write")) == (decided.object, decided.used, decided.holds)
    assert decided.event is keys.events[-1]


def test_a_refused_call_tells_what_was_missing(keys):
    send(keys, "POST /datasets/7/copy", keys.headers("jobs:write"))
    expected = ["datasets:write", "datasets:read"]
    decided = assert_refused(keys, "POST /datasets/{id}/copy", missing=expected, code="missing_permission")
    assert (False, ()) == (decided.allowed, decided.used)


def test_an_assertion_that_fails_shows_the_decision(keys):
    send(keys, "GET /datasets/7", keys.headers("datasets:read"))
    line = "GET /datasets/{id} (7): allowed, used datasets:read; key_000000000001 holds datasets:read"
    assert f"the last call was not refused:\n  {line}" == failing(assert_refused, keys)
    assert f"the last call did not use jobs:write:\n  {line}" == failing(assert_allowed, keys, used="jobs:write")
    assert f"the last call was not GET /runs:\n  {line}" == failing(assert_allowed, keys, "GET /runs")
    send(keys, "POST /datasets/7/copy", keys.headers("datasets:read"))
    line = "POST /datasets/{id}/copy: refused, missing datasets:write; key_000000000002 holds datasets:read"
    assert f"the last call was not allowed:\n  {line}" == failing(assert_allowed, keys)
    said = failing(assert_refused, keys, missing=["datasets:read", "datasets:write"])
    assert f"the last call was not refused for want of datasets:read, datasets:write:\n  {line}" == said
    assert f"the last call was not refused with revoked_key:\n  {line}" == failing(
        assert_refused, keys, code="revoked_key"
    )


def test_every_decision_is_one_line_of_the_list(keys):
    for operation in ("GET /healthz", "GET /nowhere", "POST /trial"):
        send(keys, operation, keys.headers())
    send(keys, "GET /whoami", {"Authorization": "Bearer nonsense"})
    keys.verifier.ask(keys.add(), ["jobs:write"])
    assert [
        "GET /healthz: allowed, public",
        "GET: refused, unlisted_operation; key_000000000002 holds nothing",
        "POST /trial: let through by report-only, missing jobs:write; key_000000000003 holds nothing",
        "GET /whoami: refused, malformed_key",
        "a check: refused, missing jobs:write; key_000000000004 holds nothing",
    ] == [str(decided) for decided in keys.decisions]
    assert "<GET /healthz: allowed, public>" == repr(keys.decisions[0])


def test_what_report_only_lets_through_was_not_allowed(keys):
    send(keys, "POST /trial", keys.headers())
    assert "let through by report-only" in failing(assert_allowed, keys)
    assert assert_refused(keys, missing="jobs:write").reported


def test_where_nothing_was_decided_every_assertion_fails_and_says_so(keys):
    for check in (assert_allowed, assert_refused):
        assert "nothing was decided with these keys" in failing(check, keys)
    assert "made no request" in failing(assert_needs, keys, lambda headers: None, "datasets:read")


def test_what_calls_have_used_is_what_a_key_for_them_must_hold(keys):
    everything = keys.headers("datasets:read", "datasets:write", "jobs:write")
    assert set() == used_permissions(keys)
    for operation in ("GET /healthz", "GET /datasets/7", "GET /nowhere", "POST /runs"):
        send(keys, operation, everything)
    assert {"datasets:read", "datasets:write"} == used_permissions(keys)


def test_a_call_needs_each_permission_that_is_named_and_no_other(keys):
    def both(headers):
        send(keys, "GET /datasets/7", headers)
        send(keys, "POST /datasets/7/copy", headers)

    assert_needs(keys, both, "datasets:read", "datasets:write")
    assert "datasets:read is not enough:\n  POST /datasets/{id}/copy: refused, missing datasets:write" in failing(
        assert_needs, keys, both, "datasets:read"
    )
    said = failing(assert_needs, keys, both, "datasets:read", "datasets:write", "jobs:write")
    assert said.startswith("jobs:write is not needed: without it\n  GET /datasets/{id} (7): allowed")
    assert_needs(keys, lambda headers: send(keys, "GET /whoami", headers))


def test_a_table_is_held_to_what_an_operation_requires(keys):
    for table in (RULES, keys):
        assert_requires(table, "POST /datasets/{id}/copy", "datasets:write", "datasets:read")
        assert_requires(table, "POST /runs", any_of=[["jobs:write", "datasets:read"], "datasets:write"])
        assert_requires(table, "GET /whoami")
        assert_public(table, "GET /healthz")


@pytest.mark.parametrize(
    ("expected", "check", "operation", "permissions"),
    [
        ("GET /healthz does not need a:read: it is public", assert_requires, "GET /healthz", ["a:read"]),
        ("GET /whoami does not need a:read: it needs any live key", assert_requires, "GET /whoami", ["a:read"]),
        ("GET /nobody does not need any live key: it is open to nobody", assert_requires, "GET /nobody", []),
        ("GET /datasets/{id} is not public: it needs datasets:read", assert_public, "GET /datasets/{id}", []),
        (
            "POST /runs does not need datasets:write: it needs datasets:write; datasets:read, jobs:write",
            assert_requires, "POST /runs", ["datasets:write"],
        ),
        ("no rule lists GET /dataset/{id}; nearest are GET /datasets/{id}", assert_public, "GET /dataset/{id}", []),
    ],
)  # fmt: skip
def test_a_table_that_says_something_else_is_shown(expected, check, operation, permissions):
    assert failing(check, RULES, operation, *permissions).startswith(expected)
