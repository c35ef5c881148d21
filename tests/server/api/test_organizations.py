"""Organizations over HTTP: for the operator, and nobody else."""

import pytest

from tests.server.running import problem


@pytest.fixture
def acme(operator):
    """An organization whose keys live thirty days at most, as its creation answered."""
    return operator("POST", "/v1/organizations", {"name": "Acme", "policy": {"max_key_age": "30d"}})


def test_an_organization_is_made_and_shown(operator, acme):
    assert 201 == acme.status_code
    assert {"name": "Acme", "operator": False, "suspended": False, "version": 1} == {
        name: acme.json()[name] for name in ("name", "operator", "suspended", "version")
    }
    assert {"max_key_age": "30d", "never_expires": False} == acme.json()["policy"]
    assert acme.json() == operator("GET", f"/v1/organizations/{acme.json()['id']}").json()
    assert acme.headers["etag"] == '"1"'
    assert "scopekey-position" in acme.headers


def test_organizations_are_listed_page_by_page(operator):
    made = [operator("POST", "/v1/organizations", {"name": f"Tenant {number}"}).json()["id"] for number in range(3)]
    first = operator("GET", "/v1/organizations", params={"limit": 2}).json()
    second = operator("GET", "/v1/organizations", params={"limit": 2, "cursor": first["next"]}).json()
    assert made == [item["id"] for item in first["items"] + second["items"]][1:]
    assert second["next"] is None


def test_a_lowered_cap_reaches_keys_already_issued(operator, acme, deployment, api):
    _, secret = deployment.key("datasets:read", organization=acme.json()["id"], expires_in="20d")
    before = api(secret)("GET", "/v1/whoami").json()["key"]
    operator("PATCH", f"/v1/organizations/{acme.json()['id']}", {"policy": {"max_key_age": "1d"}})
    after = api(secret)("GET", "/v1/whoami").json()["key"]
    assert before["expires_at"] > after["expires_at"] > after["created_at"]


def test_a_suspended_organization_is_refused_until_it_is_let_in_again(operator, acme, deployment, api):
    path = f"/v1/organizations/{acme.json()['id']}"
    caller = api(deployment.key("datasets:read", organization=acme.json()["id"])[1])
    operator("PATCH", path, {"suspended": True})
    assert 401 == caller("GET", "/v1/whoami").status_code
    operator("PATCH", path, {"suspended": False})
    assert 200 == caller("GET", "/v1/whoami").status_code


def test_an_overtaken_version_is_refused(operator, acme):
    path = f"/v1/organizations/{acme.json()['id']}"
    assert 200 == operator("PATCH", path, {"name": "b"}, headers={"If-Match": '"1"'}).status_code
    assert (412, "version_conflict") == problem(operator("PATCH", path, {"name": "c"}, headers={"If-Match": '"1"'}))


def test_the_operator_cannot_suspend_itself(operator):
    own = operator("GET", "/v1/organizations").json()["items"][0]
    assert own["operator"]
    assert (409, "conflict") == problem(operator("PATCH", f"/v1/organizations/{own['id']}", {"suspended": True}))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "a", "policy": {"max_key_age": "0s"}}, "max_key_age"),
        ({"name": "a", "policy": {"max_age": "1d"}}, "policy.max_age"),
        ({"name": "a", "policy": "none"}, "policy"),
        ({"name": "a\u0000"}, "name"),
    ],
)
def test_a_malformed_organization_is_refused_by_field(operator, deployment, body, field):
    before = deployment.rows()
    answer = operator("POST", "/v1/organizations", body)
    assert ((422, "invalid_request"), field) == (problem(answer), answer.json()["field"])
    assert before == deployment.rows()


def test_what_is_not_there_is_not_found(operator):
    for identity in ("org_000000000000", "acme", "key_000000000000"):
        assert (404, "not_found") == problem(operator("GET", f"/v1/organizations/{identity}"))
        assert (404, "not_found") == problem(operator("PATCH", f"/v1/organizations/{identity}", {"name": "b"}))


def test_no_tenants_key_can_hold_what_reaches_across_organizations(operator, acme):
    asked = {"name": "a", "permissions": ["scopekey_organizations:read"], "organization": acme.json()["id"]}
    assert (422, "invalid_request") == problem(operator("POST", "/v1/keys", asked))


def test_a_tenant_sees_no_organizations_not_even_its_own(admin, tenant):
    answers = [admin("GET", "/v1/organizations"), admin("GET", f"/v1/organizations/{tenant}")]
    assert [(401, "missing_permission")] * 2 == [problem(answer) for answer in answers]


def test_a_key_that_ends_cannot_loosen_a_policy_beyond_its_own_end(api, deployment, acme):
    ending = api(deployment.key("scopekey_organizations:write", expires_in="10d")[1])
    answer = ending("PATCH", f"/v1/organizations/{acme.json()['id']}", {"policy": {"max_key_age": "90d"}})
    assert (403, "exceeds_caller") == problem(answer)
