"""The feed's bytes: what goes out comes back, and what is not understood is refused."""

import json
from ipaddress import ip_network

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopekey.core.catalog import Catalog, Preset, Resource
from scopekey.core.change import Change
from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.organization import Organization, Policy
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Mode, Operation, Rule, Rules
from scopekey.wire.changes import (
    UnreadableChangeError,
    catalog_digest,
    decode_change,
    decode_state,
    encode_change,
    encode_state,
    kind_of,
    rules_digest,
)

KEY = Key(
    KeyId("key_0123456789AB"),
    3,
    OrganizationId("org_0123456789AB"),
    "live",
    (Secret(b"\x01" * 32, PepperId("0a0b0c0d"), 1, 1_700_000_000_000), Secret(b"\x02" * 32, PepperId("0a0b0c0d"), 2)),
    1 << 200 | 5,
    1_600_000_000_000,
    1_800_000_000_000,
    (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")),
    1_750_000_000_000,
    4,
    1_760_000_000_000,
    ("objects",),
)
CATALOG = Catalog(
    "demo",
    (Resource("datasets", "Datasets", "Core", ("read", "write")), Resource("keys", "Keys", "Own", ("read", "write"))),
    (Preset("reading", "Reading", ("datasets:read",)),),
    implies={"write": ("read",)},
    own={"keys": "keys"},
)
READ, WRITE = Permission("datasets", "read"), Permission("datasets", "write")
RULES = Rules(
    (
        Rule(Operation.parse("GET /datasets/{id}"), Requirement(((READ,), (WRITE,))), "id", Mode.REPORT),
        Rule(Operation.parse("GET /open"), None),
        Rule(Operation.parse("GET /whoami"), Requirement(((),))),
        Rule(Operation.parse("GET /nobody"), Requirement(())),
    ),
    cors_preflight=True,
)
ORGANIZATION = Organization(OrganizationId("org_0123456789AB"), "Ünïon", True, True, Policy(5, True), 7)
STATES = {"key": KEY, "organization": ORGANIZATION, "catalog": Register.first(CATALOG), "rules": RULES}


@pytest.mark.parametrize("kind", STATES)
def test_every_kind_of_state_comes_back_as_it_was(kind):
    change = Change(12, bytes(range(16)), STATES[kind])
    assert kind == kind_of(change.state)
    assert change == decode_change(encode_change(change))


def test_the_line_of_a_key_is_these_bytes():
    key = Key(KEY.id, 1, KEY.organization, "live", (Secret(b"\x01" * 32, PepperId("0a0b0c0d")),), 5, 7)
    expected = (
        b'{"position":1,"mark":"00000000000000000000000000000000","kind":"key","body":{"id":"key_0123456789AB",'
        b'"version":1,"organization":"org_0123456789AB","environment":"live","secrets":[{"digest":'
        b'"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","pepper":"0a0b0c0d"}],"grant":"5","created":7}}'
    )
    assert expected == encode_change(Change(1, bytes(16), key))


def every_object(value, path=()):
    if isinstance(value, dict):
        yield path
        pairs = value.items()
    else:
        pairs = enumerate(value) if isinstance(value, list) else ()
    for name, inner in pairs:
        if name not in {"implies", "own", "bits"}:
            yield from every_object(inner, (*path, name))


@pytest.mark.parametrize("kind", STATES)
def test_an_unknown_field_anywhere_is_refused(kind):
    encoded = encode_change(Change(1, bytes(16), STATES[kind]))
    for path in every_object(json.loads(encoded)):
        document = json.loads(encoded)
        at = document
        for name in path:
            at = at[name]
        at["news"] = 1
        with pytest.raises(UnreadableChangeError, match="news"):
            decode_change(msgspec.json.encode(document))


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(UnreadableChangeError, match="'review'"):
        decode_state("review", b"{}")


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("key", b'"version":3', b'"version":"3"'),
        ("key", b"key_0123456789AB", b"key_0123456789A"),
        ("key", b'"probation":"4"', b'"probation":"-4"'),
        ("key", b"10.0.0.0/8", b"10.0.0.1/8"),
        ("catalog", b'"datasets:read":0', b'"datasets:read":1'),
        ("catalog", b'"datasets:read":0,', b""),
        ("catalog", b'"next_bit":', b'"next_bit":-'),
        ("catalog", b'"name":"datasets"', b'"name":"Data Sets"'),
        ("rules", b'"any_of":null', b'"object":null'),
        ("rules", b"GET /open", b"get /open"),
        ("rules", b"datasets:write", b"datasets"),
        ("organization", b'"suspended":true,', b""),
    ],
)
def test_a_body_that_says_something_else_is_refused(kind, old, new):
    encoded = encode_state(STATES[kind])
    damaged = encoded.replace(old, new, 1)
    assert damaged != encoded
    with pytest.raises(UnreadableChangeError):
        decode_state(kind, damaged)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b'{"position":0,"mark":"00000000000000000000000000000000","kind":"rules","body":{}}',
        b'{"position":1,"mark":"00","kind":"rules","body":{}}',
        b'{"position":1,"mark":"00000000000000000000000000000000","kind":"key","body":' + b"[" * 100_000,
        b'{"position":1,"mark":"00000000000000000000000000000000","kind":"\xff","body":{}}',
    ],
)
def test_a_line_that_is_no_change_is_refused(line):
    with pytest.raises(UnreadableChangeError):
        decode_change(line)


@given(st.permutations(RULES.rules))
def test_the_order_of_the_table_does_not_change_its_digest(order):
    assert rules_digest(RULES) == rules_digest(Rules(tuple(order), cors_preflight=True))


def test_digests_tell_tables_and_catalogs_apart():
    named = msgspec.structs.replace(RULES.rules[0], operation=Operation.parse("GET /datasets/{name}"), object=None)
    renamed = (named, *RULES.rules[1:])
    unnamed = (msgspec.structs.replace(RULES.rules[0], object=None), *RULES.rules[1:])
    tables = [RULES, Rules(unnamed, True), Rules(RULES.rules), Rules(RULES.rules[1:], True), Rules(renamed, True)]
    assert len(tables) == len({rules_digest(table) for table in tables})
    other = msgspec.structs.replace(CATALOG, implies={})
    assert catalog_digest(other) != catalog_digest(CATALOG)
    assert catalog_digest(CATALOG) == catalog_digest(msgspec.structs.replace(CATALOG))
