"""The frame of the check doors, and nginx's door in it: what a proxy tells, and what it is answered."""

import asyncio

import pytest

from scopekey.core.network import parse_network
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Mode, Operation, Rule, Rules
from scopekey.enforce.doors import nginx
from scopekey.enforce.doors.check import CheckDoor
from scopekey.testing import Keys

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
LOOPBACK = (parse_network("127.0.0.0/8"),)
IDENTITY = ("scopekey-key-id", "scopekey-organization", "scopekey-environment", "scopekey-used")


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", rules=RULES)


def ask(
    keys,
    secret=None,
    method="GET",
    target="/datasets/7",
    client="192.0.2.1",
    *,
    more=(),
    less=(),
    peer=("127.0.0.1", 1),
):
    """What nginx asks and is answered: status, headers, body."""
    told = {"x-original-method": method, "x-original-uri": target, "x-original-client": client}
    headers = [(name.encode(), value.encode("latin-1")) for name, value in told.items() if name not in less]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in more]
    if secret:
        headers.append((b"authorization", f"Bearer {secret}".encode()))
    scope = {
        "type": "http",
        "method": "GET",
        "path": nginx.PATH,
        "headers": headers,
        "query_string": b"target=/elsewhere",
        "client": peer,
    }
    door = CheckDoor(keys, nginx.read, fields=nginx.FIELDS, trusted_proxies=LOOPBACK, only_401_and_403=True)
    sent = []

    async def receive():
        raise AssertionError("a check has no body to be read")

    async def send(message):
        sent.append(message)

    asyncio.run(door(scope, receive, send))
    start, body = sent
    named = [name for name, _ in start["headers"]]
    assert len(named) == len(set(named)), "no field is answered twice"
    return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, body["body"]


def test_who_is_let_through_is_named_and_nothing_else_is_said(keys):
    secret = keys.add("datasets:read", "datasets:write", expires_in=1_000)
    status, told, body = ask(keys, secret)
    key = keys.key(secret)
    assert (200, b"", "0") == (status, body, told["content-length"])
    assert [key.id, key.organization, "live", "datasets:read"] == [told[name] for name in IDENTITY]
    assert ("datasets:read", True) == (told["scopekey-requires"], "scopekey-key-expires" in told)
    assert ("GET /datasets/{id}", "7", "192.0.2.1") == (
        keys.events[-1].operation,
        keys.events[-1].object,
        keys.events[-1].address,
    )


def test_a_public_operation_has_all_identity_fields_empty(keys):
    for secret in (None, keys.add("datasets:read")):
        status, told, _ = ask(keys, secret, target="/open")
        assert (200, [""] * 4) == (status, [told[name] for name in IDENTITY])


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (401, "no_credential", {}),
        (401, "malformed_key", {"secret": "nonsense"}),
        (401, "missing_permission", {"secret": "reader", "method": "POST", "target": "/datasets"}),
        (401, "unlisted_operation", {"secret": "reader", "target": "/nowhere"}),
        (403, "unreadable_target", {"secret": "reader", "target": "/datasets/../x"}),
        (403, "unreadable_target", {"secret": "reader", "target": ""}),
        (403, "unreadable_target", {"secret": "reader", "method": "get"}),
        (403, "unreadable_target", {"secret": "reader", "method": "GET, POST"}),
        (403, "ambiguous_credential", {"secret": "reader", "more": [("x-api-key", "k")]}),
        (403, "ambiguous_credential", {"secret": "reader", "more": [("authorization", "Bearer k")]}),
        *(
            (403, "unreadable_target", {"secret": "reader", "less": [name]})
            for name in ("x-original-method", "x-original-uri", "x-original-client")
        ),
        *(
            (403, "unreadable_target", {"secret": "reader", "more": [(name, value)]})
            for name, value in (
                ("x-original-method", "GET"),
                ("x-original-uri", "/open"),
                ("x-original-client", "192.0.2.1"),
            )
        ),
    ],
)
def test_every_refusal_leaves_as_401_or_403_with_its_code_and_no_body(keys, status, code, told):
    if told.get("secret") == "reader":
        told = told | {"secret": keys.add("datasets:read")}
    answered, headers, body = ask(keys, **told)
    assert (status, code, b"", "0") == (answered, headers["scopekey-code"], body, headers["content-length"])
    assert not set(IDENTITY) & set(headers)
    assert code == keys.events[-1].decision.reason


def test_what_is_missing_is_told_in_fields_that_a_proxy_can_pass_on(keys):
    _, told, _ = ask(keys, keys.add("datasets:read"), method="POST", target="/datasets")
    assert ("datasets:write", "datasets:write") == (told["scopekey-missing"], told["scopekey-requires"])
    assert 'scope="datasets:write"' in told["www-authenticate"]


@pytest.mark.parametrize(("peer", "trusted"), [(("127.0.0.9", 1), True), (("192.0.2.1", 1), False), (None, True)])
def test_only_a_trusted_proxy_is_answered_and_a_unix_socket_is_one(keys, peer, trusted):
    status, told, _ = ask(keys, keys.add("datasets:read"), peer=peer)
    assert ((200, None) if trusted else (403, "untrusted_proxy")) == (status, told.get("scopekey-code"))
    assert trusted is bool(keys.events), "who is not answered is not recorded either"


def test_a_key_that_is_bound_to_networks_is_checked_against_the_address_that_the_proxy_saw(keys):
    secret = keys.add("datasets:read", networks=["192.0.2.0/24"])
    assert 200 == ask(keys, secret)[0]
    for client in ("198.51.100.1", "192.0.2.1, 198.51.100.1", "", "127.0.0.1"):
        status, told, _ = ask(keys, secret, client=client)
        assert (401, "address_not_allowed") == (status, told["scopekey-code"])


def test_headers_of_other_doors_and_the_query_of_the_request_are_not_looked_at(keys):
    secret = keys.add("datasets:read")
    more = [("x-forwarded-method", "POST"), ("x-forwarded-uri", "/datasets"), ("x-forwarded-for", "198.51.100.1")]
    assert 200 == ask(keys, secret, more=more)[0]
    assert 403 == ask(keys, secret, more=more, less=["x-original-uri"])[0]


def test_a_rule_that_only_reports_lets_through_and_says_what_is_missing(keys):
    secret = keys.add("datasets:read")
    status, told, _ = ask(keys, secret, method="POST", target="/trial")
    assert (200, "datasets:write", "", keys.key(secret).id) == (
        status,
        told["scopekey-missing"],
        told["scopekey-used"],
        told["scopekey-key-id"],
    )
    assert not keys.events[-1].decision


def test_what_cannot_be_recorded_or_decided_is_refused(keys, monkeypatch, caplog):
    secret = keys.add("datasets:read")
    keys.journal_fails = True
    status, told, _ = ask(keys, secret)
    assert (403, "journal_unavailable") == (status, told["scopekey-code"])
    monkeypatch.setattr(keys.index, "now", lambda: 1 / 0)
    status, told, _ = ask(keys, secret)
    assert (403, "unavailable") == (status, told["scopekey-code"])
    assert "ZeroDivisionError" in caplog.text
    assert secret not in caplog.text
