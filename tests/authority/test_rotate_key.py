"""Rotating: a new secret, and how long the old one goes on."""

import pytest

from scopekey.wire.times import to_millis
from tests.authority.home import DAY, HOUR, MANAGE, NOW, TENANTS, refused


def codes(home, *secrets):
    return [home.check(secret, "datasets:read") for secret in secrets]


def untils(answer):
    return {secret.number: secret.until and to_millis(secret.until) - NOW for secret in answer.key.secrets}


def test_the_old_secret_works_until_the_overlap_ends(either):
    old = either.issue("datasets:read")
    new = either.rotate(old.key.id, overlap="1h")
    assert (old.key.id, {1: HOUR, 2: None}) == (new.key.id, untils(new))
    assert ["allowed", "allowed"] == codes(either, old.secret, new.secret)
    either.now += HOUR - 1
    assert ["allowed", "allowed"] == codes(either, old.secret, new.secret)
    either.now += 1
    assert ["expired_key", "allowed"] == codes(either, old.secret, new.secret)


def test_an_overlap_of_nothing_ends_the_old_secret_now(home):
    old = home.issue("datasets:read")
    new = home.rotate(old.key.id, overlap="0s")
    assert ["expired_key", "allowed"] == codes(home, old.secret, new.secret)
    assert {2: None} == untils(new)


def test_the_old_secret_never_outlives_the_key(home):
    tenant = home.tenant(max_key_age="5d")
    key = home.issue("datasets:read", organization=tenant, expires_in="2d").key
    assert {1: 2 * DAY, 2: None} == untils(home.rotate(key.id, overlap="3d"))
    home.edit_tenant(tenant, policy={"max_key_age": "1d"})
    assert {2: DAY, 3: None} == untils(home.rotate(key.id, overlap="3d", replace="old"))


def test_a_second_rotation_while_two_are_live_asks_which_one_to_replace(home):
    first = home.issue("datasets:read")
    second = home.rotate(first.key.id)
    with refused("rotation_in_progress"):
        home.rotate(first.key.id)
    assert ["allowed", "allowed"] == codes(home, first.secret, second.secret)
    home.now += DAY
    assert {2: 2 * DAY, 3: None} == untils(home.rotate(first.key.id))


def test_replacing_the_old_one_ends_it_and_keeps_the_newer(home):
    first = home.issue("datasets:read")
    second = home.rotate(first.key.id)
    third = home.rotate(first.key.id, replace="old")
    assert ["unknown_key", "allowed", "allowed"] == codes(home, first.secret, second.secret, third.secret)


def test_replacing_the_new_one_ends_it_and_keeps_the_older(home):
    first = home.issue("datasets:read")
    second = home.rotate(first.key.id)
    third = home.rotate(first.key.id, replace="new")
    assert ["allowed", "unknown_key", "allowed"] == codes(home, first.secret, second.secret, third.secret)


@pytest.mark.parametrize("replace", ["new", "old"])
def test_no_rotation_gives_a_secret_more_time_than_it_had(home, replace):
    key = home.issue("datasets:read").key
    home.rotate(key.id, overlap="1h")
    expected = {1: HOUR, 3: None} if replace == "new" else {2: 2 * DAY, 3: None}
    assert expected == untils(home.rotate(key.id, overlap="2d", replace=replace))


def test_the_answer_lists_secrets_as_every_later_one_does(home):
    key = home.issue("datasets:read").key
    assert home.rotate(key.id).key.secrets == home.edit(key.id, name="x").secrets


def test_a_key_that_ended_or_was_revoked_is_not_rotated(home):
    ended, revoked = home.issue(expires_in="1d").key.id, home.issue().key.id
    home.revoke(revoked)
    home.now += DAY
    for key_id in (ended, revoked):
        with refused("conflict"):
            home.rotate(key_id)


def test_a_new_secret_is_only_for_who_covers_the_whole_key(home):
    key = home.issue("datasets:read", "queries:read").key
    with refused("exceeds_caller", permissions=["queries:read"]):
        home.rotate(key.id, by=home.caller("datasets:read", MANAGE))
    with refused("missing_permission", missing=[MANAGE]):
        home.rotate(key.id, by=home.caller("datasets:read", "queries:read"))
    assert 2 == home.rotate(key.id, by=home.caller("datasets:read", "queries:read", MANAGE)).key.version


def test_a_tenants_key_is_rotated_only_with_the_permission_for_tenants(home):
    key = home.issue("datasets:read", organization=home.tenant()).key
    with refused("exceeds_caller"):
        home.rotate(key.id, by=home.caller("datasets:read", MANAGE))
    assert 2 == home.rotate(key.id, by=home.caller("datasets:read", MANAGE, TENANTS)).key.version


def test_a_key_may_rotate_itself(home):
    by = home.caller("datasets:read", MANAGE)
    assert "allowed" == home.check(home.rotate(by.id, by=by).secret, "datasets:read")


def test_a_rotation_of_another_version_is_refused(home):
    key = home.issue().key
    home.edit(key.id, name="two")
    with refused("version_conflict", version=2):
        home.rotate(key.id, version=1)
