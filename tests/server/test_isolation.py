"""Nothing of one organization can be seen by another: "not yours" and "not there" are the same bytes."""

import re

import pytest

from tests.server.running import DATA, OWN

ABSENT_KEY, ABSENT_ORGANIZATION = "key_000000000000", "org_000000000000"

_VARYING = [
    (re.compile(r"(key|org|req)_[0-9A-Za-z]+"), r"\1"),
    (re.compile(r"sck_live_[0-9A-Za-z]+"), "secret"),
    (re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z"), "time"),
    (re.compile(r'"position":\d+'), "position"),
    (re.compile(r'"next":"[^"]+"'), "next"),
]


def without_what_varies(answer):
    """An answer without ids, secrets, times, positions and cursors."""
    text = answer.text
    for pattern, name in _VARYING:
        text = pattern.sub(name, text)
    kept = ("content-type", "etag", "scopekey-code", "scopekey-requires", "www-authenticate", "cache-control")
    return answer.status_code, text, {name: answer.headers.get(name) for name in kept}


def script(caller):
    """Whatever an administrator does in a day."""
    made = [caller("POST", "/v1/keys", {"name": f"key {n}", "permissions": [DATA[n]]}) for n in range(3)]
    path = f"/v1/keys/{made[0].json()['key']['id']}"
    yield from made
    yield caller("GET", "/v1/keys")
    yield caller("GET", "/v1/keys", params={"limit": 2})
    yield caller("GET", "/v1/keys", params={"text": "key", "status": "active"})
    yield caller("GET", path)
    yield caller("PATCH", path, {"name": "renamed"})
    yield caller("POST", f"{path}/rotate", {"overlap": "1h"})
    yield caller("GET", f"{path}/reach")
    yield caller("GET", f"{path}/usage")
    yield caller("GET", "/v1/keys", params={"unused_since": "1d"})
    yield caller("POST", "/v1/verify", {"key": made[1].json()["secret"], "permissions": ["datasets:write"]})
    yield caller("POST", f"{path}/revoke", {"reason": "other"})
    yield caller("GET", "/v1/organizations")
    yield caller("GET", "/v1/whoami")
    yield caller("GET", "/v1/permissions")


def test_an_organization_answers_alike_whether_another_one_is_empty_or_full(api, deployment):
    other = deployment.tenant("Other")
    answers = []
    for full in (False, True):
        if full:
            for number in range(20):
                deployment.key("datasets:read", organization=other, name=f"key {number}")
        admin = api(deployment.key(*OWN, *DATA, organization=deployment.tenant("Acme"))[1])
        answers.append([without_what_varies(answer) for answer in script(admin)])
    assert answers[0] == answers[1]
    assert {200, 201, 401} == {status for status, _, _ in answers[0]}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/keys/{key}", None),
        ("PATCH", "/v1/keys/{key}", {"name": "b"}),
        ("PATCH", "/v1/keys/{key}", {"permissions": []}),
        ("POST", "/v1/keys/{key}/rotate", {}),
        ("POST", "/v1/keys/{key}/revoke", {"reason": "other"}),
        ("GET", "/v1/keys/{key}/reach", None),
        ("GET", "/v1/keys/{key}/usage", None),
        ("GET", "/v1/keys?organization={organization}", None),
        ("POST", "/v1/keys", {"name": "a", "permissions": ["datasets:read"], "organization": "{organization}"}),
    ],
)
def test_what_is_anothers_is_answered_byte_by_byte_as_what_is_not_there(admin, deployment, method, path, body):
    other = deployment.tenant("Other")
    theirs, _ = deployment.key("datasets:read", organization=other)
    before = deployment.rows()

    def answer(**ids):
        filled = body and {
            name: value.format(**ids) if isinstance(value, str) else value for name, value in body.items()
        }
        said = admin(method, path.format(**ids), filled, headers={"X-Request-Id": "same"})
        varying = {"date", "scopekey-key-expires"}
        return said.status_code, said.content, {k: v for k, v in said.headers.items() if k not in varying}

    found = answer(key=theirs, organization=other)
    assert 404 == found[0]
    assert answer(key=ABSENT_KEY, organization=ABSENT_ORGANIZATION) == found
    assert before == deployment.rows()


def test_the_operator_reaches_every_key(operator, deployment, tenant):
    theirs, _ = deployment.key("datasets:read", organization=tenant)
    assert tenant == operator("GET", f"/v1/keys/{theirs}").json()["organization"]
    assert "revoked" == operator("POST", f"/v1/keys/{theirs}/revoke", {"reason": "other"}).json()["status"]
