"""What any live key may ask: what it is, and what there is to hold."""

from tests.server.running import OWN, problem


def test_whoami_tells_what_the_key_is_holds_and_reaches(api, deployment, tenant):
    identity, secret = deployment.key("datasets:read", organization=tenant, expires_in="1d")
    answer = api(secret)("GET", "/v1/whoami").json()
    assert (identity, tenant, "Acme") == (answer["key"]["id"], answer["key"]["organization"], answer["organization"])
    assert ["GET /datasets"] == answer["reach"]["open"]
    assert ["datasets:read"] == answer["reach"]["permissions"]


def test_whoami_goes_without_any_permission(api, deployment):
    assert [] == api(deployment.key()[1])("GET", "/v1/whoami").json()["key"]["permissions"]


def test_a_key_hears_of_its_own_end_at_every_call(api, deployment):
    caller = api(deployment.key("datasets:read", expires_in="1d")[1])
    answer = caller("GET", "/v1/whoami")
    assert answer.json()["key"]["expires_at"][:19] == answer.headers["scopekey-key-expires"][:19]


def test_the_permissions_are_those_of_the_catalog_and_our_own(api, deployment):
    answer = api(deployment.key()[1])("GET", "/v1/permissions").json()
    assert "platform" == answer["catalog"]
    names = {permission["name"] for resource in answer["resources"] for permission in resource["permissions"]}
    assert {"datasets:read", "datasets:write", "queries:read", "queries:write", *OWN} <= names
    told = {"name": "datasets:read", "title": "Read Datasets", "level": "read", "observes": True}
    assert told.items() <= answer["resources"][0]["permissions"][0].items()


def test_the_presets_are_those_of_the_catalog(api, deployment):
    expected = {"name": "analytics", "title": "Analytics", "permissions": ["datasets:read", "queries:read"]}
    assert [expected] == api(deployment.key()[1])("GET", "/v1/presets").json()["items"]


def test_nothing_is_told_without_a_key(api):
    refused = [problem(api()("GET", f"/v1/{what}")) for what in ("whoami", "permissions", "presets")]
    assert [(401, "no_credential")] * 3 == refused
