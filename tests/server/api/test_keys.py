"""Keys over HTTP: every call, what it answers, and every refusal that the contract names."""

import pytest

from tests.server.running import OWN, problem

ABSENT = "key_000000000000"


def test_a_new_key_is_answered_with_its_secret_and_the_secret_works_at_once(ask, api):
    answer = ask()
    assert 201 == answer.status_code
    assert answer.json()["key"]["id"] == api(answer.json()["secret"])("GET", "/v1/whoami").json()["key"]["id"]


def test_a_key_is_told_in_words(ask):
    key = ask(expires_in="90d", metadata={"team": "bi"}, allowed_networks=["10.0.0.0/8"]).json()["key"]
    told = {"name", "status", "environment", "permissions", "metadata", "allowed_networks", "version"}
    assert {
        "name": "Dashboard",
        "status": "active",
        "environment": "live",
        "permissions": ["datasets:read"],
        "metadata": {"team": "bi"},
        "allowed_networks": ["10.0.0.0/8"],
        "version": 1,
    } == {name: key[name] for name in told}
    assert "Read Datasets" in key["purpose"]


def test_a_secret_is_told_by_no_other_call(operator, ask):
    answer = ask().json()
    secret, path = answer["secret"], f"/v1/keys/{answer['key']['id']}"
    said = [operator("GET", "/v1/keys"), operator("GET", path), operator("PATCH", path, {"name": "b"})]
    said.append(operator("POST", f"{path}/revoke", {"reason": "other"}))
    assert [200] * 4 == [answer.status_code for answer in said]
    assert not [answer.url for answer in said if secret[-49:-6] in answer.text]


def test_every_change_tells_its_position_and_version(operator, ask, deployment):
    issued = ask()
    path = f"/v1/keys/{issued.json()['key']['id']}"
    changes = [
        issued,
        operator("PATCH", path, {"name": "b"}),
        operator("POST", f"{path}/rotate", {}),
        operator("POST", f"{path}/revoke", {"reason": "unused"}),
    ]
    positions = [answer.headers["scopekey-position"].rpartition("-") for answer in changes]
    first = int(positions[0][2])
    assert [first, first + 1, first + 2, first + 3] == [int(position) for _, _, position in positions]
    assert {deployment.node.index.place().feed_id} == {feed for feed, _, _ in positions}
    assert ['"1"', '"2"', '"3"', '"4"'] == [answer.headers["etag"] for answer in changes]


def test_a_preset_is_resolved_when_the_key_is_made(operator):
    answer = operator("POST", "/v1/keys", {"name": "a", "preset": "analytics"})
    assert ["datasets:read", "queries:read"] == answer.json()["key"]["permissions"]
    assert "analytics" == answer.json()["key"]["nearest_preset"]


@pytest.mark.parametrize(
    ("asked", "refusal", "field"),
    [
        ({"permissions": ["datasets:raed"]}, (400, "unknown_permission"), None),
        ({"permissions": None, "preset": "analytic"}, (422, "invalid_request"), "preset"),
        ({"permissions": None}, (422, "invalid_request"), "body"),
        ({"preset": "analytics"}, (422, "invalid_request"), "body"),
        ({"environment": "prod"}, (422, "invalid_request"), "environment"),
        ({"expires_in": "90 days"}, (422, "invalid_request"), "expires_in"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, (422, "invalid_request"), "expires_at"),
        ({"expires_at": "2101-01-01T00:00:00"}, (422, "invalid_request"), "expires_at"),
        ({"expires_at": 4_102_444_800}, (422, "invalid_request"), "expires_at"),
        ({"expires_in": "1d", "never_expires": True}, (422, "invalid_request"), "body"),
        ({"never_expires": "yes"}, (422, "invalid_request"), "never_expires"),
        ({"allowed_networks": ["10.0.0.1/8"]}, (422, "invalid_request"), "allowed_networks.0"),
        ({"name": ""}, (422, "invalid_request"), "name"),
        ({"name": 7}, (422, "invalid_request"), "name"),
        ({"metadata": {"a b": "c"}}, (422, "invalid_request"), "metadata.a b.[key]"),
        ({"scopes": ["datasets:read"]}, (422, "invalid_request"), "scopes"),
        ({"organization": "org_000000000000"}, (404, "not_found"), None),
    ],
)
def test_what_cannot_be_issued_is_refused_by_name(ask, deployment, asked, refusal, field):
    before = deployment.rows()
    answer = ask(**asked)
    assert refusal == problem(answer)
    assert field == answer.json().get("field")
    assert before == deployment.rows()


def test_an_unknown_permission_is_answered_with_the_nearest_known_one(ask):
    document = ask(permissions=["datasets:raed"]).json()
    assert ("datasets:raed", "datasets:read") == (document["permission"], document["nearest"])
    assert "datasets:raed" in document["detail"]


def test_a_key_cannot_grant_what_it_does_not_hold(api, deployment, tenant):
    manager = api(deployment.key(*OWN, organization=tenant)[1])
    answer = manager("POST", "/v1/keys", {"name": "a", "permissions": ["datasets:read"]})
    assert (403, "exceeds_caller") == problem(answer)
    assert ["datasets:read"] == answer.json()["permissions"]


def test_a_repeat_answers_with_the_same_key_and_no_secret(ask, deployment):
    first = ask({"Idempotency-Key": "once"})
    before = deployment.rows()
    second = ask({"Idempotency-Key": "once"})
    assert (201, 200) == (first.status_code, second.status_code)
    assert (first.json()["key"], None) == (second.json()["key"], second.json()["secret"])
    assert "scopekey-position" not in second.headers
    assert before == deployment.rows()


def test_another_body_under_the_same_idempotency_key_is_a_conflict(ask):
    ask({"Idempotency-Key": "once"})
    assert (409, "conflict") == problem(ask({"Idempotency-Key": "once"}, name="Other"))


def test_two_callers_do_not_share_idempotency_keys(operator, admin):
    body = {"name": "a", "permissions": ["datasets:read"]}
    answers = [caller("POST", "/v1/keys", body, headers={"Idempotency-Key": "once"}) for caller in (operator, admin)]
    assert [201, 201] == [answer.status_code for answer in answers]


def test_a_repeated_rotation_makes_one_secret(operator, key):
    path = f"/v1/keys/{key['id']}/rotate"
    answers = [operator("POST", path, {"overlap": "1h"}, headers={"Idempotency-Key": "r"}) for _ in range(2)]
    assert [201, 200] == [answer.status_code for answer in answers]
    assert (None, 2) == (answers[1].json()["secret"], len(answers[1].json()["key"]["secrets"]))


@pytest.mark.parametrize("idempotency_key", ["", "a b", "x" * 101, "é".encode()])
def test_a_malformed_idempotency_key_is_refused(ask, idempotency_key):
    assert (422, "invalid_request") == problem(ask({"Idempotency-Key": idempotency_key}))


def test_pages_follow_one_another_and_hold_every_key_once(operator, ask):
    made = [ask(name=f"key {number}").json()["key"]["id"] for number in range(5)]
    found, cursor = [], None
    while True:
        page = operator("GET", "/v1/keys", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        assert len(page["items"]) <= 2
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert made == found[1:]


def test_filters_choose_keys(operator, ask):
    ids = {
        "plain": ask(name="Zulu plain").json()["key"]["id"],
        "writer": ask(name="Zulu writer", permissions=["datasets:write"]).json()["key"]["id"],
        "short": ask(name="Zulu short", expires_in="1h").json()["key"]["id"],
        "gone": ask(name="Zulu gone").json()["key"]["id"],
    }
    operator("POST", f"/v1/keys/{ids['gone']}/revoke", {"reason": "other"})
    names = {identity: name for name, identity in ids.items()}

    def found(**query):
        return [
            names[item["id"]] for item in operator("GET", "/v1/keys", params=query | {"text": "Zulu"}).json()["items"]
        ]

    assert ["plain", "writer", "short", "gone"] == found()
    assert ["gone"] == found(status="revoked")
    assert ["plain", "writer", "short"] == found(status="active")
    assert [] == found(status="expired")
    assert ["writer"] == found(permission="datasets:write")
    assert ["short"] == found(expiring_within="2h")


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "bm90IG91cnM"}, {"cursor": "é"}, {"status": "odd"},
     {"expiring_within": "soon"}, {"unused_since": "soon"}, {"unused_since": "2027-13-01T00:00:00Z"},
     {"organization": "acme"}, {"text": "a\x00b"}],
)  # fmt: skip
def test_a_query_that_makes_no_sense_names_its_parameter(operator, query):
    answer = operator("GET", "/v1/keys", params=query)
    assert (422, "invalid_request") == problem(answer)
    assert [answer.json()["field"]] == list(query)


def test_the_operator_lists_a_named_organization_and_else_its_own(operator, deployment, tenant):
    theirs, _ = deployment.key("datasets:read", organization=tenant)
    named = operator("GET", "/v1/keys", params={"organization": tenant}).json()["items"]
    assert [theirs] == [item["id"] for item in named]
    assert theirs not in operator("GET", "/v1/keys").text


def test_an_edit_changes_what_is_sent_and_nothing_else(operator, key):
    edited = operator("PATCH", f"/v1/keys/{key['id']}", {"name": "Board", "metadata": {"a": "b"}}).json()
    assert {**key, "name": "Board", "metadata": {"a": "b"}, "version": 2} == edited


def test_a_version_that_was_overtaken_is_refused(operator, key):
    path = f"/v1/keys/{key['id']}"
    fresh = operator("PATCH", path, {"name": "b"}, headers={"If-Match": '"1"'})
    stale = operator("PATCH", path, {"name": "c"}, headers={"If-Match": '"1"'})
    anything = operator("PATCH", path, {"name": "d"}, headers={"If-Match": "*"})
    assert [200, (412, "version_conflict"), 200] == [fresh.status_code, problem(stale), anything.status_code]
    assert (412, "version_conflict") == problem(
        operator("POST", f"{path}/rotate", {}, headers={"If-Match": fresh.headers["etag"]})
    )


@pytest.mark.parametrize("if_match", ["one", '"-1"', '"1", "2"', '"' + "9" * 40 + '"', '"²"'.encode("latin-1")])
def test_an_if_match_that_is_no_version_is_refused(operator, key, if_match):
    answer = operator("PATCH", f"/v1/keys/{key['id']}", {"name": "b"}, headers={"If-Match": if_match})
    assert (422, "invalid_request") == problem(answer)


def test_both_secrets_work_until_the_overlap_ends(operator, ask, api):
    issued = ask().json()
    path = f"/v1/keys/{issued['key']['id']}/rotate"
    second = operator("POST", path, {"overlap": "1h"}).json()["secret"]
    works = [api(secret)("GET", "/v1/whoami").status_code for secret in (issued["secret"], second)]
    third = operator("POST", path, {"overlap": "0s", "replace": "old"}).json()["secret"]
    after = [api(secret)("GET", "/v1/whoami").status_code for secret in (issued["secret"], second, third)]
    assert ([200, 200], [401, 401, 200]) == (works, after)


def test_a_third_secret_waits_for_a_choice(operator, key):
    path = f"/v1/keys/{key['id']}/rotate"
    operator("POST", path, {"overlap": "1h"})
    assert (409, "rotation_in_progress") == problem(operator("POST", path, {}))
    assert 201 == operator("POST", path, {"replace": "new"}).status_code


def test_a_revoked_key_is_refused_at_once_and_stays_so(operator, ask, api):
    issued = ask().json()
    path = f"/v1/keys/{issued['key']['id']}"
    revoked = operator("POST", f"{path}/revoke", {"reason": "compromised", "comment": "found in a log"})
    assert ("revoked", "compromised") == (revoked.json()["status"], revoked.json()["revocation"]["reason"])
    assert (401, "revoked_key") == problem(api(issued["secret"])("GET", "/v1/whoami"))
    again = operator("POST", f"{path}/revoke", {"reason": "other"})
    assert revoked.json() == again.json()
    assert (409, "conflict") == problem(operator("PATCH", path, {"name": "b"}))
    assert (409, "conflict") == problem(operator("POST", f"{path}/rotate", {}))


@pytest.mark.parametrize("body", [{}, {"reason": "bored"}, {"reason": "other", "comment": "a\x1bb"}])
def test_a_revocation_needs_a_reason_from_the_list(operator, key, body):
    assert (422, "invalid_request") == problem(operator("POST", f"/v1/keys/{key['id']}/revoke", body))


def test_any_live_key_may_revoke_itself(api, deployment):
    identity, secret = deployment.key("datasets:read")
    caller = api(secret)
    answer = caller("POST", "/v1/keys/self/revoke", {"reason": "compromised"})
    assert (200, identity, "revoked") == (answer.status_code, answer.json()["id"], answer.json()["status"])
    assert (401, "revoked_key") == problem(caller("POST", "/v1/keys/self/revoke", {"reason": "compromised"}))


def test_the_last_key_that_can_manage_keys_goes_with_a_warning(admin):
    warnings = admin("POST", "/v1/keys/self/revoke", {"reason": "other"}).json()["warnings"]
    assert ["scopekey keys create --local"] == [warning.rpartition(": ")[2] for warning in warnings]


def test_the_reach_of_a_key_is_told_and_what_it_would_be_if(operator, key):
    def reach(**query):
        return operator("GET", f"/v1/keys/{key['id']}/reach", params=query).json()

    assert (["GET /datasets"], ["GET /status"], 2) == tuple(
        reach()[part] for part in ("open", "public", "closed_count")
    )
    assert ["GET /datasets", "POST /queries/{query_id}/run"] == reach(**{"with": ["queries:write"]})["open"]
    assert [] == reach(without="datasets:read")["open"]
    refused = operator("GET", f"/v1/keys/{key['id']}/reach", params={"with": "datasets:all"})
    assert (400, "unknown_permission") == problem(refused)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"name": "b"}),
        ("POST", "/rotate", {}),
        ("POST", "/revoke", {"reason": "other"}),
        ("GET", "/reach", None),
        ("GET", "/usage", None),
    ],
)
@pytest.mark.parametrize("identity", [ABSENT, "key_0", "key_%00%00", "%C3%A9", "0" * 3000])
def test_a_key_that_is_not_there_is_not_found(operator, method, path, body, identity):
    answer = operator(method, f"/v1/keys/{identity}{path}", body)
    assert problem(answer) in {(404, "not_found"), (400, "unreadable_target")}
    assert (404 == answer.status_code) or "%" in identity


@pytest.mark.parametrize(
    ("call", "needed"),
    [
        (("POST", "/v1/keys", {"name": "a", "permissions": []}), "scopekey_keys:write"),
        (("GET", "/v1/keys", None), "scopekey_keys:read"),
        (("GET", f"/v1/keys/{ABSENT}", None), "scopekey_keys:read"),
        (("PATCH", f"/v1/keys/{ABSENT}", {}), "scopekey_keys:write"),
        (("POST", f"/v1/keys/{ABSENT}/rotate", {}), "scopekey_keys:write"),
        (("POST", f"/v1/keys/{ABSENT}/revoke", {"reason": "other"}), "scopekey_keys:write"),
        (("GET", f"/v1/keys/{ABSENT}/reach", None), "scopekey_keys:read"),
        (("GET", f"/v1/keys/{ABSENT}/usage", None), "scopekey_usage:read"),
        (("POST", "/v1/verify", {"key": "a", "permissions": []}), "scopekey_verifications:write"),
        (("GET", "/v1/organizations", None), "scopekey_organizations:read"),
        (("POST", "/v1/organizations", {"name": "a"}), "scopekey_organizations:write"),
    ],
)
def test_a_call_without_its_permission_is_refused_and_told_what_is_missing(api, deployment, call, needed):
    answer = api(deployment.key("datasets:read")[1])(*call)
    assert (401, "missing_permission") == problem(answer)
    assert [needed] == answer.json()["missing"]
    assert needed == answer.headers["scopekey-missing"]


def test_a_call_without_a_key_is_refused(api):
    answer = api()("GET", "/v1/keys")
    assert (401, "no_credential") == problem(answer)
    assert 'Bearer realm="scopekey"' == answer.headers["www-authenticate"]


def test_an_operation_that_is_not_there_is_unlisted_whatever_the_method(operator):
    assert [(401, "unlisted_operation")] * 3 == [
        problem(operator(*call)) for call in (("GET", "/v1/nothing"), ("DELETE", "/v1/keys"), ("PUT", "/v1/whoami"))
    ]
