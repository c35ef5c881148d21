"""Revoking: final, known at once, and always open to the key itself."""

import shutil

import pytest

from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.store.engine import Store
from tests.authority.home import DAY, MANAGE, Home, refused


def test_a_revoked_key_is_refused_when_the_call_has_returned(either):
    issued = either.issue("datasets:read")
    answer = either.revoke(issued.key.id, reason="compromised", comment="seen in a log")
    assert ("revoked", "compromised", "seen in a log") == (
        answer.status,
        answer.revocation.reason,
        answer.revocation.comment,
    )
    assert "revoked_key" == either.check(issued.secret, "datasets:read")


def test_a_key_may_revoke_itself_whatever_it_holds_and_no_other(home):
    by, other = home.caller(), home.issue().key
    with refused("missing_permission", missing=[MANAGE]):
        home.revoke(other.id, by=by)
    assert "revoked" == home.revoke(by.id, by=by).status
    with refused("revoked_key"):
        home.issue(by=by)


def test_who_manages_keys_may_revoke_what_they_do_not_cover(home):
    key = home.issue("datasets:write", never_expires=True).key
    by = home.caller(MANAGE, environment="test", expires_in="1d", allowed_networks=["10.0.0.0/8"])
    assert "revoked" == home.revoke(key.id, by=by).status


def test_revoking_again_changes_nothing_and_answers_as_before(home):
    key = home.issue().key
    first = home.revoke(key.id, reason="unused")
    position, entries = home.position(), len(home.entries())
    home.now += DAY
    assert first == home.revoke(key.id, reason="compromised")
    assert (position, entries) == (home.position(), len(home.entries()))


def test_the_last_live_key_that_can_manage_its_organizations_keys_is_warned_about(home):
    tenant = home.tenant()
    managers = [home.caller(MANAGE, organization=tenant) for _ in range(2)]
    plain = home.caller("datasets:read", organization=tenant)
    warned = [len(home.revoke(key.id).warnings) for key in (plain, *managers)]
    assert [0, 0, 1] == warned


def test_a_key_that_had_ended_is_no_last_manager(home):
    by = home.caller(MANAGE, organization=home.tenant(), expires_in="1d")
    home.now += DAY
    assert [] == home.revoke(by.id).warnings


def test_the_largest_key_that_can_be_made_can_be_narrowed_rotated_and_revoked(home):
    # Before and after, twice as much as was issued, would not fit into one entry of the log.
    metadata = {f"{number:02}".ljust(64, "k"): "\U0001f600" * 500 for number in range(20)}
    networks = [f"2001:db8:ffff:ffff:ffff:ffff:ffff:{number:x}/128" for number in range(1_000, 1_100)]
    key = home.issue("datasets:read", "datasets:write", metadata=metadata, allowed_networks=networks).key
    home.edit(key.id, permissions=["datasets:read"])
    home.rotate(key.id)
    assert "revoked" == home.revoke(key.id, reason="compromised").status


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "lmdb"])
def test_after_an_older_copy_was_put_back_a_revoked_key_is_refused(home, path, tmp_path, durable):
    if durable:
        home = Home(home.store, LmdbIndex(tmp_path / "replica"), seed=8)
        home.catch_up()
    kept, gone = home.issue("datasets:read"), home.issue("datasets:read")
    home.store.close()
    copy = shutil.copy(path, tmp_path / "copy.db")
    later = home.issue("datasets:read")
    home.edit(kept.key.id, permissions=["queries:read"])
    home.store.close()
    shutil.move(copy, path)
    again = Home(Store.open(f"sqlite:///{path}"), home.index, seed=9)
    generation = home.index.now().generation
    again.revoke(gone.key.id)
    assert (generation + 1, ["revoked_key", "allowed", "unknown_key"]) == (
        again.index.now().generation,
        [again.check(issued.secret, "datasets:read") for issued in (gone, kept, later)],
    )
    again.store.close()
    if durable:
        home.index.close()
