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
    ("cap", "creator", "days"),
    [
        (None, {"never_expires": True}, 90),
        ("30d", {"never_expires": True}, 30),
        ("200d", {"expires_in": "10d"}, 10),
        ("200d", {"expires_in": "150d"}, 90),
    ],
    ids=["the default", "the cap", "the creator's end", "the default, before the others"],
)
def test_without_an_end_a_key_gets_the_earliest_of_default_cap_and_creators_end(home, cap, creator, days):
    tenant = home.tenant(never_expires=True, **({"max_key_age": cap} if cap else {}))
    by = home.caller("datasets:read", MANAGE, organization=tenant, **creator)
    assert NOW + days * DAY == ends(home.issue("datasets:read", by=by))


def test_a_preset_is_resolved_when_the_key_is_made(home):
    issued = home.issue(preset="analytics")
    assert (["datasets:read", "queries:read"], "analytics") == (issued.key.permissions, issued.key.nearest_preset)


def test_an_unknown_permission_or_preset_names_the_nearest_known_one(home):
    with refused("unknown_permission", permission="dataset:read", nearest="datasets:read"):
        home.issue("queries:read", "dataset:read")
    with refused("invalid_request", field="preset") as caught:
        home.issue(preset="analytic")
    assert "Did you mean analytics?" in caught.value.detail


@pytest.mark.parametrize("name", ["scopekey_organizations:read", "scopekey_changes:read", "scopekey_journal:write"])
def test_what_reaches_across_organizations_is_only_for_keys_of_the_operator(home, name):
    tenant = home.tenant()
    with refused("invalid_request", field="permissions"):
        home.issue(name, organization=tenant)
    key = home.caller("datasets:read", organization=tenant)
    with refused("invalid_request", field="permissions"):
        home.edit(key.id, permissions=[name])
    assert [name] == home.issue(name).key.permissions


def test_the_environment_is_asked_for_or_the_callers_or_the_first(home):
    by = home.caller(MANAGE, environment="test")
    assert ["live", "test", "test"] == [
        home.issue().key.environment,
        home.issue(environment="test").key.environment,
        home.issue(by=by).key.environment,
    ]
    with refused("invalid_request", field="environment"):
        home.issue(environment="staging")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"permissions": ["datasets:read", "datasets:write"]}, "datasets:write"),
        ({"environment": "live"}, "'test'"),
        ({"allowed_networks": ["10.0.0.0/7"]}, "networks"),
        ({"allowed_networks": []}, "networks"),
        ({"allowed_networks": ["10.0.0.0/8", "::/0"]}, "networks"),
        ({"expires_in": "11d"}, "outlive"),
        ({"never_expires": True}, "outlive"),
    ],
    ids=["permission", "environment", "network", "any network", "another family", "end", "no end"],
)
def test_a_key_beyond_its_creator_is_refused_and_says_by_what(home, more, told):
    limits = {"environment": "test", "allowed_networks": ["10.0.0.0/8"]}
    by = home.caller("datasets:read", MANAGE, expires_in="10d", **limits)
    within = {"permissions": ["datasets:read"], "expires_in": "10d", **limits}
    assert "active" == home.issue(by=by, **within).key.status
    asked = {name: value for name, value in within.items() if not (name == "expires_in" and "never_expires" in more)}
    with refused("exceeds_caller") as caught:
        home.issue(by=by, **(asked | more))
    assert told in caught.value.detail


def test_a_key_works_only_from_its_networks(home):
    secret = home.issue("datasets:read", allowed_networks=["10.0.0.0/8", "2001:db8::/32"]).secret
    assert ["allowed", "allowed", "address_not_allowed", "address_not_allowed"] == [
        home.check(secret, "datasets:read", address) for address in ("10.9.9.9", "2001:db8::1", "11.0.0.1", None)
    ]


def test_an_end_that_policy_or_time_does_not_allow_is_refused(home):
    tenant = home.tenant(max_key_age="30d")
    for field, asked in (
        ("never_expires", {"never_expires": True}),
        ("expires_in", {"expires_in": "31d"}),
        ("expires_in", {"expires_in": "0s"}),
        ("expires_at", {"expires_at": "2020-01-01T00:00:00Z"}),
        ("expires_at", {"expires_at": "9999-12-31T23:59:59-12:00"}),
    ):
        with refused("invalid_request", field=field):
            home.issue(organization=tenant, **asked)
    assert NOW + 30 * DAY == ends(home.issue(organization=tenant, expires_in="30d"))
    # The operator's own policy allows it: the first key never ends either.
    assert ends(home.issue(never_expires=True)) is None


def test_a_key_for_another_organization_takes_the_operator_and_the_permission_for_tenants(home):
    tenant, other = home.tenant("A"), home.tenant("B")
    operator, weak = home.caller("datasets:read", MANAGE, TENANTS), home.caller("datasets:read", MANAGE)
    assert tenant == home.issue("datasets:read", by=operator, organization=tenant).key.organization
    with refused("missing_permission", missing=[TENANTS]):
        home.issue("datasets:read", by=weak, organization=tenant)
    stranger = home.caller("datasets:read", MANAGE, organization=other)
    with refused("not_found") as theirs:
        home.issue("datasets:read", by=stranger, organization=tenant)
    nowhere = "org_000000000000"
    with refused("not_found") as nothing:
        home.issue("datasets:read", by=stranger, organization=nowhere)
    assert theirs.value.detail == nothing.value.detail.replace(nowhere, tenant)


def test_issuing_takes_the_permission_to_manage_keys(home):
    with refused("missing_permission", missing=[MANAGE]):
        home.issue("datasets:read", by=home.caller("datasets:read", "scopekey_keys:read"))


def test_a_key_of_nothing_can_be_issued_and_opens_nothing(home):
    issued = home.issue()
    assert ("missing_permission", "Nothing: it holds no permission.") == (
        home.check(issued.secret, "datasets:read"),
        issued.key.purpose,
    )
