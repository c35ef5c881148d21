"""What a key was used for is told from the log, to those who may know of the key."""

from scopekey.audit.entry import Entry, canonical
from scopekey.authority.actor import Caller
from scopekey.authority.find_key import KeyQuery, list_keys, show_key
from scopekey.authority.key_usage import key_usage
from scopekey.core.catalog import Catalog, Resource
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
    assert [(1, 1, from_millis(NOW), True), (2, 1, from_millis(NOW + 9), True)] == [
        (one.number, one.uses, one.last_used, one.live) for one in found.secrets
    ]
    assert [(from_millis(NOW), from_millis(NOW + 24 * HOUR)), (from_millis(NOW), None)] == [
        (one.created_at, one.until) for one in found.secrets
    ]
    (permission,) = found.permissions
    assert [(1, 1), (2, 1)] == [(one.number, one.uses) for one in permission.secrets]
    home.now += 25 * HOUR
    assert [False, True] == [one.live for one in key_usage(home.authority, home.machine, key.id).secrets]


def test_a_secret_that_is_gone_is_told_by_its_use_alone(home):
    key = home.issue("datasets:read").key
    decided(home, key, used=["datasets:read"])
    for _ in range(2):
        home.rotate(key.id, overlap="0s")
    found = key_usage(home.authority, home.machine, key.id)
    assert [(1, None, None, False), (3, from_millis(NOW), None, True)] == [
        (one.number, one.created_at, one.until, one.live) for one in found.secrets
    ]


def test_what_is_held_and_never_used_is_named(home):
    key = home.issue("datasets:read", "queries:read", "jobs:read").key
    decided(home, key, used=["datasets:read"])
    decided(home, key, missing=["jobs:write"])
    assert ["jobs:read", "queries:read"] == key_usage(home.authority, home.machine, key.id).unused
    home.edit(key.id, permissions=["queries:read"])
    found = key_usage(home.authority, home.machine, key.id)
    assert ["queries:read"] == found.unused
    assert {"datasets:read": (False, None), "jobs:write": (False, None), "queries:read": (True, from_millis(NOW))} == {
        one.permission: (one.held, one.granted_at) for one in found.permissions
    }


def test_what_a_permission_brings_along_is_a_use_of_it_unless_that_is_held_too(empty):
    """With `implies`, what was used may be held through another permission alone."""
    resource = Resource("datasets", "Datasets", "Data", ("read", "write"))
    empty.begin(Catalog("platform", (resource,), implies={"write": ("read",)}))
    through, both = empty.issue("datasets:write").key, empty.issue("datasets:write", "datasets:read").key
    for key in (through, both):
        decided(empty, key, used=["datasets:read"])
    found = key_usage(empty.authority, empty.machine, through.id)
    assert [] == found.unused
    assert {"datasets:read": (False, ["datasets:write"]), "datasets:write": (True, [])} == {
        one.permission: (one.held, one.implied_by) for one in found.permissions
    }
    assert ["datasets:write"] == key_usage(empty.authority, empty.machine, both.id).unused


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


def test_a_change_of_a_key_answers_with_its_last_use_too(home):
    key = home.issue("datasets:read").key
    decided(home, key, at=NOW + 5, used=["datasets:read"])
    answers = [home.edit(key.id, name="b"), home.rotate(key.id).key, home.revoke(key.id), home.revoke(key.id)]
    assert [from_millis(NOW + 5)] * 4 == [answer.last_used for answer in answers]


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
