"""Hostile bodies and headers: always a problem document with a listed code, never a fault, nothing half-written."""

import json
import logging
import socket

import pytest

from scopekey.core.problem import PROBLEMS
from tests.server.running import problem

JSON = {"Content-Type": "application/json"}
CANARY = "CANARY0secret0CANARY"

GOOD = '{"name": "a", "permissions": ["datasets:read"]}'
BODIES = {
    "empty": b"",
    "not JSON": b"name=a",
    "half": b'{"name": "a", "permiss',
    "a number": b"7",
    "null": b"null",
    "an array": b"[]",
    "a string": b'"name"',
    "an unknown field": b'{"name": "a", "permissions": [], "nmae": "b"}',
    "an unknown field of odd characters": b'{"name": "a", "permissions": [], "\\u0000<b>": 1}',
    "an unknown field of surrogates": b'{"name": "a", "permissions": [], "\\ud800": 1}',
    "wrong types": b'{"name": ["a"], "permissions": "datasets:read"}',
    "a number for a word": b'{"name": 7, "permissions": []}',
    "NUL": b'{"name": "a\\u0000b", "permissions": []}',
    "raw NUL": b'{"name": "a\x00b", "permissions": []}',
    "a lone surrogate": b'{"name": "a\\ud800", "permissions": []}',
    "a lone surrogate in a name": b'{"name": "a", "permissions": [], "metadata": {"\\udfff": "b"}}',
    "a lone surrogate in a value": b'{"name": "a", "permissions": [], "metadata": {"b": "\\udfff"}}',
    "a lone surrogate in a permission": b'{"name": "a", "permissions": ["\\ud800:read"]}',
    "invalid UTF-8": b'{"name": "\xff\xfe", "permissions": []}',
    "UTF-16": GOOD.encode("utf-16")[:-1],
    "a huge number": b'{"name": "a", "permissions": [], "expires_at": ' + b"9" * 5_000 + b"}",
    "an infinite number": b'{"name": "a", "permissions": [], "expires_at": 1e999}',
    "not a number": b'{"name": "a", "permissions": [], "expires_at": NaN}',
    "nesting": b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "open nesting": b"[" * 100_000,
    "nesting of objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "control characters": b'{"name": "a\\u001b[2J", "permissions": []}',
    "many permissions": json.dumps({"name": "a", "permissions": ["datasets:read"] * 1_001}).encode(),
    "much metadata": json.dumps({"name": "a", "permissions": [], "metadata": {str(n): "" for n in range(21)}}).encode(),
    "duplicate members that disagree": b'{"name": "a", "permissions": [], "permissions": 7}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_body_that_is_no_request_is_refused_and_changes_nothing(operator, deployment, body):
    before = deployment.rows()
    answer = operator("POST", "/v1/keys", content=body, headers=JSON)
    assert (422, "invalid_request") == problem(answer)
    assert not set("\x00\x1b\ufffd\ud800<") & set(answer.text), "what was sent came back as it was"
    assert before == deployment.rows()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_a_body_of_another_type_is_refused(operator, deployment, kind):
    before = deployment.rows()
    answer = operator("POST", "/v1/keys", content=GOOD.encode(), headers={"Content-Type": kind} if kind else {})
    assert (422, "invalid_request") == problem(answer)
    assert before == deployment.rows()


def test_ten_megabytes_are_not_read(operator, deployment):
    before = deployment.rows()
    body = json.dumps({"name": "a", "permissions": [], "metadata": {"a": "x" * 10_000_000}}).encode()
    assert (413, "too_large") == problem(operator("POST", "/v1/keys", content=body, headers=JSON))
    assert before == deployment.rows()


def test_a_body_without_a_length_is_not_read_beyond_the_limit(operator, deployment):
    before = deployment.rows()
    answer = operator("POST", "/v1/keys", content=(b" " * 65_536 for _ in range(17)), headers=JSON)
    assert (413, "too_large") == problem(answer)
    assert before == deployment.rows()


def test_a_body_in_pieces_is_read_whole(operator):
    pieces = (GOOD.encode()[at : at + 5] for at in range(0, len(GOOD), 5))
    assert 201 == operator("POST", "/v1/keys", content=pieces, headers=JSON).status_code


def test_half_a_body_is_no_body(url, deployment, operator):
    """A caller that goes away in the middle must not have a shorter request carried out for it."""
    host, port = url.removeprefix("http://").split(":")
    before = deployment.rows()
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /v1/keys HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {deployment.operator}\r\n"
        head += "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n"
        connection.sendall(head.encode() + GOOD.encode())
    assert 200 == operator("GET", "/v1/whoami").status_code
    assert before == deployment.rows()


@pytest.mark.parametrize("path", ["/v1/keys//", "/v1/keys/a%2Fb", "/v1/keys/..", "/v1/keys/%ff", "/v1/keys/a;b"])
def test_a_target_with_two_readings_is_refused(url, deployment, path):
    assert (
        b" 400 " in _raw(url, f"GET {path} HTTP/1.1", f"Authorization: Bearer {deployment.operator}").split(b"\r\n")[0]
    )


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer ", "Bearer \xff\xfe", "Bearer " + "a" * 10_000, "Basic YTpi"]
)
def test_a_credential_that_is_none_is_refused(url, authorization):
    assert b" 401 " in _raw(url, "GET /v1/keys HTTP/1.1", f"Authorization: {authorization}").split(b"\r\n")[0]


def test_two_credentials_are_one_too_many(operator, deployment):
    answer = operator("GET", "/v1/keys", headers={"X-API-Key": deployment.operator})
    assert (400, "ambiguous_credential") == problem(answer)


def test_every_refusal_names_its_request(operator):
    answer = operator("GET", "/v1/keys/nothing", headers={"X-Request-Id": "mine-1"})
    assert ("mine-1", "mine-1") == (answer.headers["x-request-id"], answer.json()["request_id"])


def test_a_fault_of_our_own_is_answered_without_its_words(operator, deployment, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(type(deployment.node.authority.store), "reading", broken)
    answer = operator("GET", "/v1/keys")
    assert (503, "unavailable") == problem(answer)
    assert CANARY not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text, "a fault that nobody hears of is never mended"


def test_no_secret_gets_into_a_log_or_another_answer(operator, api, deployment, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG, "scopekey")
    _, secret = deployment.key("datasets:read")
    core = secret[-49:-6]
    said = [
        operator("POST", "/v1/verify", {"key": secret, "permissions": ["datasets:read"]}),
        operator("POST", "/v1/verify", {"key": secret, "permissions": 7}),
        operator("POST", "/v1/verify", {"key": secret + " ", "permissions": ["datasets:read"]}),
        operator("POST", "/v1/verify", {"key": secret}),
        operator("POST", "/v1/keys", {"name": secret}),
        api(secret)("GET", "/v1/keys"),
        api(secret[:-1])("GET", "/v1/keys"),
        api()("GET", "/v1/keys", headers={"X-API-Key": secret, "X-Request-Id": secret}),
        api()("GET", f"/v1/whoami?key={secret}"),
    ]
    assert {200, 401, 422} == {answer.status_code for answer in said}
    deployment.node.hand_over()
    logged = caplog.text + repr([vars(record) for record in caplog.records])
    assert not [answer.url for answer in said if core in answer.text + str(answer.headers)]
    assert core not in logged
    assert core.encode() not in deployment.database().read_bytes()
    assert [] == [entry for entry in deployment.entries() if core in repr(entry)]


def test_every_code_of_the_list_has_a_status_of_its_own_kind():
    assert {400, 401, 403, 404, 405, 409, 410, 412, 413, 422, 429, 503} == {each.status for each in PROBLEMS.values()}


def _raw(url, line, *headers):
    """Send a request that a client library would mend first."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        lines = [line, "Host: a", "Connection: close", *headers]
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        return b"".join(iter(lambda: connection.recv(65_536), b""))
