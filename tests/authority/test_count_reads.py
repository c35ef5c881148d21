"""Allowed reads are counted instead of kept one by one, and nothing else is."""

import itertools

from scopekey.audit.entry import Entry, Who
from scopekey.authority.count_reads import count_reads

OBSERVING = frozenset({"datasets:read", "queries:read"})
_numbers = itertools.count()


def decision(**members):
    usual = {
        "at": 60_000,
        "actor": Who("key", "key_a", "org_a"),
        "organization": "org_a",
        "key": "key_a",
        "secret": 1,
        "operation": "GET /datasets",
        "used": ["datasets:read"],
        "allowed": True,
        "request_id": f"req_{next(_numbers)}",
        "address": "192.0.2.1",
        "position": 7,
    }
    return Entry(**{"nonce": f"{next(_numbers):032x}", "kind": "decision", **usual, **members})


def counted(*entries):
    return list(count_reads(entries, OBSERVING, bytes))


def test_alike_reads_are_one_entry_that_says_how_many_and_from_when_to_when():
    (found,) = counted(decision(at=60_100), decision(at=60_000), decision(at=119_999, position=9))
    assert ("reads", 3, 60_000, 119_999, 9) == (found.kind, found.count, found.first, found.at, found.position)
    assert (["datasets:read"], "key_a", 1, "GET /datasets", True) == (
        *(found.used, found.key, found.secret, found.operation, found.allowed),
    )


def test_what_differed_from_one_to_the_next_is_given_up():
    (found,) = counted(decision(object="1"), decision(object="2"))
    assert (None, None, None) == (found.object, found.address, found.request_id)


def test_reads_that_differ_in_what_use_is_told_of_are_counted_apart():
    different = [
        decision(),
        decision(at=120_000),
        decision(key="key_b"),
        decision(secret=2),
        decision(operation="GET /queries"),
        decision(used=["queries:read"]),
        decision(node="0123456789abcdef"),
        decision(stale=True),
    ]
    assert [1] * len(different) == [entry.count for entry in counted(*different)]


def test_everything_else_stays_as_it_is():
    others = [
        decision(used=["datasets:write"]),
        decision(used=["datasets:read", "datasets:write"]),
        decision(used=None),
        decision(used=None, allowed=False, code="missing_permission", missing=["datasets:read"]),
        decision(kind="refusals", count=3),
        Entry(nonce="0" * 32, at=1, kind="change", action="key.issue"),
    ]
    assert others == counted(*others)


def test_a_read_that_is_counted_keeps_no_nonce_of_its_own():
    given = decision()
    (found,) = counted(given)
    assert "0" * 32 == found.nonce != given.nonce
