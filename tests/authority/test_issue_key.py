"""Issuing: who may, what a key holds and until when, and what is refused."""

import pytest

from scopekey.wire.times import to_millis
from tests.authority.home import DAY, MANAGE, NOW, TENANTS, refused


def ends(issued):
    return None if issued.key.expires_at is None else to_millis(issued.key.expires_at)


def test_an_issued_key_opens_what_it_was_issued_for_and_nothing_else(either):
    issued = either.issue("datasets:read")
    assert ["allowed", "missing_permission", "missing_permission"] == [
        either.check(issued.secret, permission) for permission in ("datasets:read", "datasets:write", "queries:read")
    ]


def test_only_the_keyed_digest_of_a_secret_is_stored(home, path):
    issued = home.issue("datasets:read")
    home.store.close()
    stored = b"".join(file.read_bytes() for file in path.parent.glob("scopekey.db*"))
    assert (True, False) == (
        home.authority.pepper.digest(issued.secret) in stored,
        issued.secret[-49:-6].encode() in stored,
    )


@pytest.mark.parametrize(
    ("cap", "creator", "expected"),
    [(None, None, 90), ("30d", None, 30), (None, "10d", 10), ("5d", "10d", 5), ("200d", "150d", 90)],
    ids=["the default", "the cap", "the creator's end", "the cap, before the creator's end", "the default, before both"],
)
def test_without_an_end_a_key_gets_the_earliest_of_default_cap_and_creators_end(home, cap, creator, expected):
    tenant = home.tenant(max_key_age=cap, never_expires=True)
    lifetime = {"expires_in": creator} if creator else {"never_expires": True}
    by = home.caller("datasets:read", MANAGE, organization=tenant)
    home.edit(by.id, **lifetime) if creator is None or cap is None or creator < cap else None
    if creator and cap and creator >= cap:
        by = home.caller("datasets:read", MANAGE, organization=tenant, expires_in=min(creator, cap, key=len))
    assert NOW + expected * DAY == ends(home.issue("datasets:read", by=by))
