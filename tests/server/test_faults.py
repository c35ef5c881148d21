"""The store fails, in the ways stores do: changes are refused with 503, checks go on, and it heals by itself."""

import contextlib
import sqlite3

import pytest
from sqlalchemy import event

from tests.server.running import problem

ASKED = {"name": "a", "permissions": ["datasets:read"]}
CHANGES = [
    ("POST", "/v1/keys", ASKED),
    ("PATCH", "/v1/keys/{key}", {"name": "b"}),
    ("POST", "/v1/keys/{key}/rotate", {}),
    ("POST", "/v1/keys/{key}/revoke", {"reason": "other"}),
    ("POST", "/v1/keys/self/revoke", {"reason": "other"}),
    ("POST", "/v1/organizations", {"name": "a"}),
]


@contextlib.contextmanager
def locked(deployment):
    """Another process in the middle of a long write."""
    with contextlib.closing(sqlite3.connect(deployment.database(), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextlib.contextmanager
def told(deployment, pragma):
    """Tell every connection of the store what it may do, as a full or read-only disk would."""
    database = deployment.node.store._database

    def tell(connection, *_):
        connection.execute(pragma)

    database.close()
    event.listen(database._engine, "checkout", tell)
    try:
        yield
    finally:
        event.remove(database._engine, "checkout", tell)
        database.close()


def full(deployment):
    """No room for another page."""
    with contextlib.closing(sqlite3.connect(deployment.database())) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    return told(deployment, f"PRAGMA max_page_count = {pages}")


def read_only(deployment):
    """Nothing can be written."""
    return told(deployment, "PRAGMA query_only = ON")


@pytest.fixture
def key(deployment):
    return deployment.key("datasets:read")


@pytest.mark.parametrize("call", CHANGES, ids=[f"{method} {path}" for method, path, _ in CHANGES])
def test_a_change_while_the_store_is_locked_is_refused_and_does_not_happen(operator, deployment, key, call):
    method, path, body = call
    before = deployment.rows()
    with locked(deployment):
        answer = operator(method, path.format(key=key[0]), body)
        assert (503, "unavailable") == problem(answer)
        assert int(answer.headers["retry-after"]) > 0
    assert before == deployment.rows()
    assert operator(method, path.format(key=key[0]), body).is_success


def test_checks_and_questions_go_on_while_the_store_is_locked(operator, api, deployment, key):
    with locked(deployment):
        operator("POST", "/v1/keys", ASKED)
        answer = operator("POST", "/v1/verify", {"key": key[1], "permissions": ["datasets:read"]})
        assert (200, True) == (answer.status_code, answer.json()["allowed"])
        assert (401, "missing_permission") == problem(api(key[1])("GET", "/v1/keys"))
        assert 200 == operator("GET", f"/v1/keys/{key[0]}").status_code, "SQLite's readers do not wait for its writer"
        assert 200 == operator("GET", "/readyz").status_code


def test_decisions_made_while_the_store_was_locked_are_recorded_after(operator, deployment, key):
    with locked(deployment):
        operator("POST", "/v1/verify", {"key": key[1], "operation": "GET /datasets"}, headers={"X-Request-Id": "mine"})
    deployment.node.hand_over()
    assert {"GET /datasets", "POST /v1/verify"} == {e.operation for e in deployment.entries() if e.request_id == "mine"}


@pytest.mark.parametrize("fault", [full, read_only])
def test_a_full_or_read_only_database_refuses_changes_whole_and_heals(operator, deployment, key, fault):
    before = deployment.rows()
    big = {**ASKED, "metadata": {str(number): "x" * 500 for number in range(20)}}
    with fault(deployment):
        answers = [operator("POST", "/v1/keys", big) for _ in range(3)]
        assert {(503, "unavailable")} == {problem(answer) for answer in answers}
        allowed = operator("POST", "/v1/verify", {"key": key[1], "permissions": ["datasets:read"]}).json()["allowed"]
        assert allowed
    assert before == deployment.rows()
    assert 201 == operator("POST", "/v1/keys", big).status_code


def test_a_revocation_that_was_refused_has_not_half_happened(operator, api, deployment, key):
    with locked(deployment):
        assert 503 == operator("POST", f"/v1/keys/{key[0]}/revoke", {"reason": "other"}).status_code
        assert 200 == api(key[1])("GET", "/v1/whoami").status_code
    operator("POST", f"/v1/keys/{key[0]}/revoke", {"reason": "other"})
    assert (401, "revoked_key") == problem(api(key[1])("GET", "/v1/whoami"))


def test_a_store_that_lost_its_file_refuses_and_the_checks_go_on(operator, deployment, key):
    deployment.node.store.close()
    database = deployment.database()
    aside = database.with_name("aside")
    for ending in ("", "-wal", "-shm"):
        if (file := database.with_name(database.name + ending)).exists():
            file.rename(aside.with_name(aside.name + ending))
    database.mkdir()
    assert (503, "unavailable") == problem(operator("POST", "/v1/keys", ASKED))
    assert operator("POST", "/v1/verify", {"key": key[1], "permissions": ["datasets:read"]}).json()["allowed"]
    deployment.node.store.close()
    database.rmdir()
    for ending in ("", "-wal", "-shm"):
        if (file := aside.with_name(aside.name + ending)).exists():
            file.rename(database.with_name(database.name + ending))
    assert 201 == operator("POST", "/v1/keys", ASKED).status_code
