"""Editing: narrowing is anybody's who manages keys, widening only theirs who cover the key before and after."""

import pytest

from tests.authority.home import DAY, MANAGE, NOW, TENANTS, refused


def test_what_was_not_sent_stays(home):
    asked = {"allowed_networks": ["10.0.0.0/8"], "metadata": {"team": "a"}, "expires_in": "9d"}
    before = home.issue("datasets:read", **asked).key
    after = home.edit(before.id, name="another name")
    assert before.model_copy(update={"name": "another name", "version": 2}) == after


def test_an_edit_reaches_the_secret_already_handed_out(either):
    issued = either.issue("datasets:read")
    either.edit(issued.key.id, permissions=["queries:read"])
    assert ["missing_permission", "allowed"] == [
        either.check(issued.secret, permission) for permission in ("datasets:read", "queries:read")
    ]


def test_narrowing_takes_only_the_permission_to_manage_keys(home):
    key = home.issue("datasets:read", "datasets:write", "queries:read", never_expires=True).key
    by = home.caller(MANAGE, environment="test", allowed_networks=["10.0.0.0/8"], expires_in="1d")
    narrowed = home.edit(
        key.id, by=by, permissions=["datasets:read"], allowed_networks=["192.0.2.0/24"], expires_in="2d", name="less"
    )
    assert (["datasets:read"], ["192.0.2.0/24"]) == (narrowed.permissions, narrowed.allowed_networks)
    with refused("missing_permission", missing=[MANAGE]):
        home.edit(key.id, by=home.caller("datasets:read"), permissions=[])


@pytest.mark.parametrize(
    "asked",
    [
        {"permissions": ["datasets:read", "queries:read"]},
        {"permissions": ["queries:read"]},
        {"allowed_networks": []},
        {"allowed_networks": ["10.0.0.0/8", "192.0.2.1"]},
        {"expires_in": "6d"},
        {"never_expires": True},
    ],
    ids=["one more", "another one", "any network", "one more network", "later", "never"],
)
def test_widening_takes_who_covers_the_key_before_and_after(home, asked):
    key = home.issue("datasets:read", allowed_networks=["10.0.0.0/8"], expires_in="5d").key
    everything = ("datasets:read", "queries:read", MANAGE)
    covers = home.caller(*everything, never_expires=True)
    covers_only_before = home.caller("datasets:read", MANAGE, allowed_networks=["10.0.0.0/8"], expires_in="5d")
    covers_only_after = home.caller("queries:read", MANAGE, never_expires=True)
    for by in (covers_only_before, covers_only_after):
        with refused("exceeds_caller"):
            home.edit(key.id, by=by, **asked)
    assert key.version + 1 == home.edit(key.id, by=covers, **asked).version


def test_a_key_of_another_environment_is_narrowed_but_not_widened(home):
    key = home.issue("datasets:read", environment="live").key
    by = home.caller("datasets:read", "datasets:write", MANAGE, environment="test")
    with refused("exceeds_caller", environment="live"):
        home.edit(key.id, by=by, permissions=["datasets:read", "datasets:write"])
    assert [] == home.edit(key.id, by=by, permissions=[]).permissions


def test_a_tenants_key_is_widened_only_with_the_permission_for_tenants(home):
    key = home.issue("datasets:read", organization=home.tenant()).key
    weak = home.caller("datasets:read", "datasets:write", MANAGE)
    strong = home.caller("datasets:read", "datasets:write", MANAGE, TENANTS)
    wider = {"permissions": ["datasets:read", "datasets:write"]}
    with refused("exceeds_caller"):
        home.edit(key.id, by=weak, **wider)
    assert 2 == home.edit(key.id, by=strong, **wider).version
    assert [] == home.edit(key.id, by=weak, permissions=[]).permissions


def test_a_key_cannot_widen_or_renew_itself(home):
    by = home.caller("datasets:read", MANAGE, expires_in="5d")
    with refused("exceeds_caller", permissions=["datasets:write"]):
        home.edit(by.id, by=by, permissions=["datasets:read", "datasets:write", MANAGE])
    with refused("exceeds_caller"):
        home.edit(by.id, by=by, expires_in="6d")


def test_a_key_that_has_ended_can_be_renewed(home):
    issued = home.issue("datasets:read", expires_in="5d")
    home.now += 5 * DAY
    assert "expired_key" == home.check(issued.secret, "datasets:read")
    home.edit(issued.key.id, expires_in="1d")
    assert "allowed" == home.check(issued.secret, "datasets:read")


def test_a_cap_counts_from_the_keys_creation(home):
    key = home.issue(organization=home.tenant(max_key_age="30d"), expires_in="5d").key
    home.now += 4 * DAY
    with refused("invalid_request", field="expires_in"):
        home.edit(key.id, expires_in="27d")
    home.edit(key.id, expires_in="26d")
    assert NOW + 30 * DAY == home.key(key.id).expires


def test_an_edit_of_another_version_is_refused(home):
    key = home.issue().key
    home.edit(key.id, name="two", version=1)
    with refused("version_conflict", version=2):
        home.edit(key.id, name="three", version=1)


def test_a_revoked_key_is_not_edited(home):
    key = home.issue().key
    home.revoke(key.id)
    with refused("conflict"):
        home.edit(key.id, name="again")


def test_the_time_since_when_a_permission_is_held_stays_with_it(home):
    key = home.issue("datasets:read").key
    home.now += DAY
    home.edit(key.id, permissions=["datasets:read", "queries:read"])
    with home.store.reading() as tx:
        assert [NOW, NOW + DAY] == sorted(tx.keys.get(key.id).granted_at.values())
