"""Questions about another key: 200 for every well-formed one, and nothing told that is not the asker's."""

import pytest

from tests.server.running import problem


@pytest.fixture
def verify(operator):
    """Ask as the operator."""

    def verify(key, **question):
        answer = operator("POST", "/v1/verify", {"key": key, **question})
        assert 200 == answer.status_code
        return answer.json()

    return verify


def test_a_key_that_holds_what_is_asked_is_allowed(verify, deployment, tenant):
    identity, secret = deployment.key("datasets:read", organization=tenant, expires_in="1d")
    answer = verify(secret, permissions=["datasets:read"])
    assert (True, None, identity, tenant, "live", ["datasets:read"], []) == tuple(
        answer[name] for name in ("allowed", "code", "key_id", "organization", "environment", "permissions", "missing")
    )
    assert (deployment.node.index.place().position, False) == (answer["position"], answer["stale"])
    assert answer["expires_at"]


def test_what_is_missing_is_named(verify, deployment):
    _, secret = deployment.key("datasets:read")
    answer = verify(secret, permissions=["datasets:read", "queries:write"])
    assert (False, "missing_permission", ["queries:write"]) == tuple(answer[n] for n in ("allowed", "code", "missing"))


@pytest.mark.parametrize(
    ("operation", "allowed", "code"),
    [
        ("GET /datasets", True, None),
        ("POST /datasets", False, "missing_permission"),
        ("GET /nowhere", False, "unlisted_operation"),
        ("GET /datasets/../x", False, "unreadable_target"),
    ],
)
def test_an_operation_is_decided_by_the_applied_rules(verify, deployment, operation, allowed, code):
    answer = verify(deployment.key("datasets:read")[1], operation=operation)
    assert (allowed, code) == (answer["allowed"], answer["code"])


@pytest.mark.parametrize("operation", ["", "/datasets", "GET", "get /datasets", "GET /é", "G\u0000T /"])
def test_an_operation_that_is_none_is_refused(operator, deployment, operation):
    answer = operator("POST", "/v1/verify", {"key": deployment.operator, "operation": operation})
    if answer.status_code == 200:
        assert "unreadable_target" == answer.json()["code"]
    else:
        assert ((422, "invalid_request"), "operation") == (problem(answer), answer.json()["field"])


def test_a_key_that_cannot_be_used_is_told_why_and_nothing_more(verify, deployment):
    _, secret = deployment.key("datasets:read")
    typo = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    for presented in ("nonsense", typo):
        answer = verify(presented, permissions=["datasets:read"])
        assert (False, "malformed_key", None, []) == tuple(
            answer[name] for name in ("allowed", "code", "key_id", "permissions")
        )


def test_a_revoked_and_an_ended_key_are_told_apart(verify, deployment, operator):
    identity, secret = deployment.key("datasets:read")
    operator("POST", f"/v1/keys/{identity}/revoke", {"reason": "other"})
    answer = verify(secret, permissions=["datasets:read"])
    assert ("revoked_key", identity, []) == (answer["code"], answer["key_id"], answer["permissions"])
    _, short = deployment.key("datasets:read", expires_in="1ms")
    assert "expired_key" == verify(short, permissions=["datasets:read"])["code"]


def test_an_address_counts_where_the_key_is_bound_to_networks(verify, deployment):
    _, secret = deployment.key("datasets:read", allowed_networks=["10.0.0.0/8"])
    codes = [
        verify(secret, permissions=["datasets:read"], **where)["code"]
        for where in ({"address": "10.1.2.3"}, {"address": "192.0.2.1"}, {}, {"address": "nowhere"})
    ]
    assert [None, "address_not_allowed", "address_not_allowed", "address_not_allowed"] == codes


def test_another_organizations_key_is_unknown_except_to_the_operator(admin, verify, deployment):
    _, secret = deployment.key("datasets:read")
    foreign = admin("POST", "/v1/verify", {"key": secret, "permissions": ["datasets:read"]}).json()
    absent = deployment.node.settings.key_format.print("live", "key_000000000000", bytes(32))
    nobody = admin("POST", "/v1/verify", {"key": absent, "permissions": ["datasets:read"]}).json()
    assert "unknown_key" == foreign["code"]
    assert nobody == foreign
    theirs, secret = deployment.key("datasets:read", organization=deployment.tenant("Other"))
    assert theirs == verify(secret, permissions=["datasets:read"])["key_id"]


def test_an_unknown_permission_is_the_askers_mistake(operator, deployment):
    for key in (deployment.operator, "nonsense"):
        answer = operator("POST", "/v1/verify", {"key": key, "permissions": ["datasets:raed"]})
        assert (400, "unknown_permission") == problem(answer)
        assert "datasets:read" == answer.json()["nearest"]


@pytest.mark.parametrize("question", [{}, {"permissions": [], "operation": "GET /"}, {"permission": "datasets:read"}])
def test_a_question_is_one_of_the_two(operator, deployment, question):
    assert (422, "invalid_request") == problem(operator("POST", "/v1/verify", {"key": deployment.operator, **question}))


def test_the_question_itself_is_recorded_beside_what_was_decided(operator, deployment):
    identity, secret = deployment.key("datasets:read")
    operator("POST", "/v1/verify", {"key": secret, "operation": "GET /datasets"}, headers={"X-Request-Id": "asked-1"})
    deployment.node.hand_over()
    recorded = {entry.operation: entry.key for entry in deployment.entries() if entry.request_id == "asked-1"}
    own = operator("GET", "/v1/whoami").json()["key"]["id"]
    assert {"GET /datasets": identity, "POST /v1/verify": own} == recorded
