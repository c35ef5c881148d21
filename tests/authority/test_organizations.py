"""Tenants and their policy: what reaches keys already issued, and who may look and change."""

import pytest

from scopekey.authority.organizations import list_organizations, show_organization
from scopekey.core.problem import ProblemError
from tests.authority.home import DAY, MANAGE, TENANTS, refused


def test_a_lowered_cap_reaches_keys_already_issued_at_the_next_check(either):
    tenant = either.tenant()
    old, new = (either.issue("datasets:read", organization=tenant, expires_in=end) for end in ("60d", "10d"))
    either.now += 20 * DAY
    young = either.issue("datasets:read", organization=tenant, expires_in="60d")
    assert ["allowed", "expired_key", "allowed"] == [
        either.check(issued.secret, "datasets:read") for issued in (old, new, young)
    ]
    either.edit_tenant(tenant, policy={"max_key_age": "20d"})
    assert ["expired_key", "expired_key", "allowed"] == [
        either.check(issued.secret, "datasets:read") for issued in (old, new, young)
    ]


def test_a_suspended_tenants_keys_are_refused_until_it_goes_on(home):
    tenant = home.tenant()
    issued = home.issue("datasets:read", MANAGE, organization=tenant)
    found = []
    for suspended in (True, False):
        home.edit_tenant(tenant, suspended=suspended)
        found.append(home.check(issued.secret, "datasets:read"))
    assert ["revoked_key", "allowed"] == found


def test_a_key_of_a_suspended_tenant_changes_nothing(home):
    tenant = home.tenant()
    by = home.caller(MANAGE, organization=tenant)
    home.edit_tenant(tenant, suspended=True)
    with refused("revoked_key"):
        home.issue(by=by)


def test_the_operator_cannot_be_suspended(home):
    operator = home.issue().key.organization
    with refused("conflict"):
        home.edit_tenant(operator, suspended=True)


def test_an_edit_keeps_what_was_not_sent_and_refuses_another_version(home):
    tenant = home.tenant("Acme", max_key_age="30d", never_expires=True)
    answer = home.edit_tenant(tenant, name="Acme Ltd", version=1)
    assert ("Acme Ltd", "30d", True, 2) == (
        answer.name,
        answer.policy.max_key_age,
        answer.policy.never_expires,
        answer.version,
    )
    with refused("version_conflict", version=2):
        home.edit_tenant(tenant, name="x", version=1)


@pytest.mark.parametrize("permissions", [(), (MANAGE,), ("scopekey_organizations:read",)])
def test_tenants_are_changed_only_with_the_permission_for_it(home, permissions):
    by, tenant = home.caller(*permissions), home.tenant()
    for act in (lambda: home.tenant("B", by=by), lambda: home.edit_tenant(tenant, by=by, name="B")):
        with refused("missing_permission", missing=[TENANTS]):
            act()


def test_a_tenants_key_sees_no_organization_not_even_whether_it_exists(home):
    tenant = home.tenant()
    by = home.caller(MANAGE, organization=tenant)
    told = []
    for identity in (tenant, "org_000000000000", "nonsense"):
        with pytest.raises(ProblemError) as caught:
            show_organization(home.authority, by, identity)
        told.append((caught.value.problem.code, caught.value.detail))
    assert 1 == len(set(told))


def test_organizations_are_listed_page_by_page(home):
    names = [f"T{number}" for number in range(5)]
    for name in names:
        home.now += 1
        home.tenant(name)
    seen, cursor = [], None
    while True:
        page = list_organizations(home.authority, home.machine, limit=2, cursor=cursor)
        seen += [item.name for item in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert ["Operator", *names] == seen


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"max_key_age": "5d"}, {}, "refused"),
        ({"max_key_age": "5d"}, {"max_key_age": "11d"}, "refused"),
        ({"max_key_age": "5d"}, {"max_key_age": "5d", "never_expires": True}, "refused"),
        ({"max_key_age": "5d"}, {"max_key_age": "10d"}, "done"),
        ({"max_key_age": "50d"}, {"max_key_age": "20d"}, "done"),
        ({}, {"never_expires": True}, "done"),
    ],
    ids=["no cap", "a cap beyond", "no end", "a cap within", "a lower cap", "nothing was capped"],
)
def test_a_key_that_ends_loosens_no_policy_beyond_its_own_end(home, before, after, expected):
    tenant = home.tenant(**before)
    key = home.issue("datasets:read", organization=tenant).key
    by = home.caller(TENANTS, expires_in="10d")
    if expected == "done":
        assert 2 == home.edit_tenant(tenant, by=by, policy=after).version
        return
    with refused("exceeds_caller"):
        home.edit_tenant(tenant, by=by, policy=after)
    assert 1 == home.key(key.id).version


def test_a_capped_key_of_the_operator_cannot_lift_its_own_cap(home):
    by = home.caller(TENANTS, expires_in="100d")
    operator = home.key(by.id).organization
    home.edit_tenant(operator, policy={"max_key_age": "5d"})
    with refused("exceeds_caller"):
        home.edit_tenant(operator, by=by, policy={})
