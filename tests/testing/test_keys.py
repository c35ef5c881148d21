"""Keys written down in a test behave as real ones do."""

import pytest

from scopekey.core.catalog import Catalog, Resource, UnknownPermissionError
from scopekey.testing import START, Keys


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", "jobs:read")


def test_a_key_holds_what_was_written_down_and_nothing_else(keys):
    secret = keys.add("datasets:read")
    assert [True, False] == [bool(keys.check(secret, name)) for name in ("datasets:read", "datasets:write")]


def test_the_same_test_makes_the_same_keys_again(keys):
    again = Keys("datasets:read", "datasets:write", "jobs:read")
    assert [keys.add("datasets:read"), keys.add()] == [again.add("datasets:read"), again.add()]
    assert keys.add() != keys.add()


def test_an_unknown_permission_is_refused_and_makes_nothing(keys):
    with pytest.raises(UnknownPermissionError, match="did you mean 'datasets:read'"):
        keys.add("dataset:read", organization="new")
    assert 1 == keys.index.place().position


def test_a_revoked_key_stops_at_once(keys):
    secret = keys.add("datasets:read")
    keys.revoke(secret)
    assert "revoked_key" == keys.check(secret, "datasets:read").reason


def test_a_key_ends_when_the_clock_says_so(keys):
    secret = keys.add("datasets:read", expires_in=1_000)
    keys.now = START + 999
    assert keys.check(secret, "datasets:read")
    keys.now = START + 1_000
    assert "expired_key" == keys.check(secret, "datasets:read").reason


def test_an_edited_key_holds_the_new_permissions_with_the_same_secret(keys):
    secret = keys.add("datasets:read")
    keys.grant(secret, "jobs:read")
    assert [False, True] == [bool(keys.check(secret, name)) for name in ("datasets:read", "jobs:read")]


def test_a_key_bound_to_networks_is_refused_from_elsewhere(keys):
    secret = keys.add("jobs:read", networks=["10.0.0.0/8"])
    checks = [keys.check(secret, "jobs:read", address=address) for address in ("10.1.2.3", "192.0.2.1", None)]
    assert [True, False, False] == [bool(decision) for decision in checks]


def test_an_organization_can_be_suspended_and_its_cap_reaches_keys_already_made(keys):
    capped, suspended = keys.add("jobs:read", organization="a"), keys.add("jobs:read", organization="b")
    keys.organization("a", max_key_age=1_000)
    keys.organization("b", suspended=True)
    keys.now += 1_000
    reasons = [keys.check(secret, "jobs:read").reason for secret in (capped, suspended)]
    assert ["expired_key", "revoked_key"] == reasons


def test_a_new_catalog_leaves_keys_what_they_held(keys):
    secret = keys.add("jobs:read")
    keys.apply_catalog(Catalog("next", (Resource("jobs", "Jobs", "Core", ("write", "read")),)))
    assert [True, False] == [bool(keys.check(secret, name)) for name in ("jobs:read", "jobs:write")]


def test_levels_of_ones_own_need_no_catalog():
    keys = Keys("robots:drive")
    assert keys.check(keys.add("robots:drive"), "robots:drive")


def test_no_record_of_a_key_that_was_not_added_here(keys):
    for printed in ("nonsense", Keys("a:read").add("a:read")):
        with pytest.raises(KeyError):
            keys.key(printed)
