"""The door of Caddy and Traefik reads `X-Forwarded-*` of its proxy, each once, the addresses from the right."""

import pytest

from scopekey.enforce.doors import forwarded
from scopekey.testing import Keys
from tests.enforce.doors.asking import IDENTITY, ask
from tests.enforce.doors.test_check import RULES

TOLD = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/datasets/7?limit=1", "X-Forwarded-For": "192.0.2.1"}


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", rules=RULES)


def asked(keys, secret, *more, **told):
    headers = [*(TOLD | {name.replace("_", "-"): value for name, value in told.items()}).items(), *more]
    headers.append(("Authorization", f"Bearer {secret}"))
    return ask(keys, forwarded, forwarded.PATH + "?uri=/open", [(n, v) for n, v in headers if v is not None])


def test_the_request_that_the_proxy_holds_is_decided(keys):
    secret = keys.add("datasets:read")
    status, told, body = asked(keys, secret)
    assert (200, b"") == (status, body)
    assert [keys.key(secret).id, keys.key(secret).organization, "live", "datasets:read"] == [told[n] for n in IDENTITY]
    assert ("GET /datasets/{id}", "7", "192.0.2.1") == tuple(
        getattr(keys.events[-1], name) for name in ("operation", "object", "address")
    )


def test_a_refusal_keeps_its_status_and_its_document(keys):
    status, told, body = asked(keys, keys.add("datasets:read"), X_Forwarded_Method="POST", X_Forwarded_Uri="/datasets")
    assert (401, "missing_permission", "datasets:write") == (status, told["scopekey-code"], told["scopekey-missing"])
    assert b'"missing":["datasets:write"]' in body
    status, told, body = asked(keys, keys.add("datasets:read"), X_Forwarded_Uri="/datasets//7")
    assert (400, "unreadable_target") == (status, told["scopekey-code"])
    assert b"empty segment" in body


@pytest.mark.parametrize("name", TOLD)
def test_each_field_is_there_exactly_once_or_nothing_is_decided(keys, name):
    for broken in (asked(keys, keys.add("datasets:read"), **{name: None}), asked(keys, "k", (name, TOLD[name]))):
        assert (400, "unreadable_target") == (broken[0], broken[1]["scopekey-code"])


def test_two_methods_are_none_and_a_target_may_hold_a_comma(keys):
    secret = keys.add("datasets:read")
    assert 400 == asked(keys, secret, X_Forwarded_Method="GET,POST")[0]
    assert 400 == asked(keys, secret, X_Forwarded_Method="get")[0]
    assert 200 == asked(keys, secret, X_Forwarded_Uri="/datasets/a,b")[0]


@pytest.mark.parametrize(
    ("clients", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("198.51.100.7, 192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, 10.0.0.3", "192.0.2.1"),
        ("192.0.2.1,10.0.0.3 ,127.0.0.1", "192.0.2.1"),
        ("10.0.0.3, 127.0.0.1", "10.0.0.3"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, nonsense", None),
        ("nonsense, 192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:80", None),
        ("", None),
        (",", None),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_trusted_proxy(keys, clients, address):
    bound = keys.add("datasets:read", networks=["192.0.2.0/24"])
    status, told, _ = asked(keys, bound, X_Forwarded_For=clients)
    assert address == keys.events[-1].address
    expected = (200, None) if address == "192.0.2.1" else (401, "address_not_allowed")
    assert expected == (status, told.get("scopekey-code"))


def test_fields_of_other_doors_are_not_looked_at(keys):
    others = [("X-Original-Method", "POST"), ("X-Original-URI", "/open"), ("X-Original-Client", "192.0.2.9")]
    assert 200 == asked(keys, keys.add("datasets:read"), *others)[0]
    assert 400 == asked(keys, keys.add("datasets:read"), *others, X_Forwarded_Uri=None)[0]


def test_a_preflight_passes_where_the_rules_let_preflights_pass(keys):
    preflight = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET")]
    assert 401 == asked(keys, "k", *preflight, X_Forwarded_Method="OPTIONS")[0]
    keys.apply_rules(type(RULES)(RULES.rules, cors_preflight=True))
    assert 200 == asked(keys, "k", *preflight, X_Forwarded_Method="OPTIONS")[0]
    assert 401 == asked(keys, "k", preflight[0], X_Forwarded_Method="OPTIONS")[0]
