"""What a key was used for is told from the log, to those who may know of the key."""

from scopekey.audit.entry import Entry, canonical
from scopekey.authority.actor import Caller
from scopekey.authority.find_key import KeyQuery, list_keys, show_key
from scopekey.authority.key_usage import key_usage
from scopekey.wire.times import from_millis, rfc3339
from tests.authority.home import DAY, HOUR, NOW, refused


def decided(home, key, *, at=NOW, secret=1, used=None, missing=None):
    """One decision about a key, sealed."""
    entry = Entry(
        nonce=home.authority.random(16).hex(),
        at=at,
        kind="decision",
        organization=key.organization,
        key=key.id,
        secret=secret,
        used=used,
        missing=missing,
        allowed=missing is None,
        code="missing_permission" if missing else None,
    )
    with home.store.writing() as tx:
        tx.entries.append([canonical(entry)])
    home.seal()


def test_each_permission_that_is_held_is_told_with_its_use_or_that_there_was_none(either):
    key = either.issue("datasets:read", "queries:read").key
    decided(either, key, at=NOW + 5, used=["datasets:read"])
    decided(either, key, at=NOW + DAY, used=["datasets:read"])
    decided(either, key, at=NOW + DAY, missing=["jobs:write"])
    either.now = NOW + DAY
    found = key_usage(either.authority, either.machine, key.id)
    told = {one.permission: (one.held, one.uses, one.refusals, one.last_used) for one in found.permissions}
    assert {
        "datasets:read": (True, 2, 0, from_millis(NOW + DAY)),
        "jobs:write": (False, 0, 1, None),
        "queries:read": (True, 0, 0, None),
    } == told
    assert (2, 1, from_millis(NOW + 5)) == (found.uses, found.refusals, found.first_used)
    assert [(1, 0), (1, 1)] == [(day.uses, day.refusals) for day in found.days]
    assert from_millis(NOW) == found.through


def test_a_secret_that_is_no_longer_used_is_told_apart(home):
    key = home.issue("datasets:read").key
    decided(home, key, used=["datasets:read"])
    home.rotate(key.id)
    decided(home, key, at=NOW + 9, secret=2, used=["datasets:read"])
    found = key_usage(home.authority, home.machine, key.id)
    assert [(1, 1, NOW, True), (2, 1, NOW + 9, True)] == [
        (one.number, one.uses, int(one.last_used.timestamp() * 1000), one.live) for one in found.secrets
    ]
    home.now += 25 * HOUR
    assert [False, True] == [one.live for one in key_usage(home.authority, home.machine, key.id).secrets]


def test_days_go_back_as_far_as_asked(home):
    key = home.issue("datasets:read").key
    for ago in (0, 1, 89, 90):
        decided(home, key, at=NOW - ago * DAY, used=["datasets:read"])
    assert [1, 2, 3, 4] == [
        len(key_usage(home.authority, home.machine, key.id, days=days).days) for days in (1, 2, 90, 91)
    ]


def test_what_is_not_sealed_yet_is_not_counted_and_the_time_says_so(empty):
    empty.begin()
    key = empty.issue("datasets:read").key
    found = key_usage(empty.authority, empty.machine, key.id)
    assert (None, 0) == (found.through, found.uses)


def test_another_organizations_key_is_not_there(home):
    key = home.issue("datasets:read").key
    stranger = home.issue("scopekey_usage:read", organization=home.tenant()).key
    with refused("not_found"):
        key_usage(home.authority, Caller("key", stranger.id), key.id)


def test_who_may_not_look_at_use_is_refused(home):
    key = home.issue("datasets:read", "scopekey_keys:read").key
    with refused("missing_permission"):
        key_usage(home.authority, Caller("key", key.id), key.id)


def test_a_key_is_shown_and_listed_with_its_last_use(home):
    key, other = home.issue("datasets:read").key, home.issue("datasets:read").key
    decided(home, key, at=NOW + 5, used=["datasets:read"])
    assert from_millis(NOW + 5) == show_key(home.authority, home.machine, key.id).last_used
    listed = {one.id: one.last_used for one in list_keys(home.authority, home.machine, KeyQuery()).items}
    assert (from_millis(NOW + 5), None) == (listed[key.id], listed[other.id])


def test_keys_that_were_not_used_since_are_listed(either):
    used, idle, young = (either.issue("datasets:read").key for _ in range(3))
    either.now = NOW + 10 * DAY
    young = either.issue("datasets:read").key
    decided(either, used, at=NOW + 5 * DAY, used=["datasets:read"])

    def unused(since):
        return {one.id for one in list_keys(either.authority, either.machine, KeyQuery(unused_since=since)).items}

    assert {idle.id} == unused("7d") & {used.id, idle.id, young.id}
    assert {used.id, idle.id} == unused("3d") & {used.id, idle.id, young.id}
    assert unused("7d") == unused(rfc3339(NOW + 3 * DAY))
