"""HAProxy's door is told a request as nginx's is, and gives every answer as it is."""

import pytest

from scopekey.enforce.doors import haproxy, nginx
from scopekey.testing import Keys
from tests.enforce.doors.asking import IDENTITY, ask
from tests.enforce.doors.test_check import RULES


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", rules=RULES)


def asked(keys, target, *more, door=haproxy, **options):
    headers = [("X-Original-Method", "GET"), ("X-Original-URI", target), ("X-Original-Client", "192.0.2.1"), *more]
    return ask(keys, door, door.PATH, headers, **options)


def test_a_refusal_keeps_its_status_and_its_document(keys):
    status, told, body = asked(keys, "/datasets/../x")
    assert (400, "unreadable_target", str(len(body))) == (status, told["scopekey-code"], told["content-length"])
    assert b"dot segment" in body
    assert not {"scopekey-status", "scopekey-problem"} & set(told)


def test_nginx_is_told_the_same_document_in_a_header_field(keys):
    keys.journal_fails = True
    reader = ("X-API-Key", keys.add("datasets:read"))
    _, plain, body = asked(keys, "/datasets/1", reader, ("X-Request-Id", "r-1"))
    status, told, nothing = asked(
        keys, "/datasets/1", reader, ("X-Request-Id", "r-1"), door=nginx, only_401_and_403=True
    )
    assert (403, "503", b"") == (status, told["scopekey-status"], nothing)
    assert body.decode() == told["scopekey-problem"]
    assert plain["retry-after"] == told["retry-after"]


def test_who_is_let_through_is_named(keys):
    status, told, _ = asked(keys, "/datasets/1", ("X-API-Key", keys.add("datasets:read")))
    assert (200, True) == (status, all(told[name] for name in IDENTITY))
