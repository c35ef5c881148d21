"""Saved queries over HTTP."""

import pytest

QUERY = {"name": "Everything", "sql": "SELECT * FROM orders"}


def test_a_query_is_saved_and_found_again(engineer):
    assert 201 == engineer.post("/queries", json=QUERY | {"description": "All of it."}).status_code
    shown = engineer.get("/queries/1").json()
    assert ("Everything", "All of it.", "SELECT * FROM orders") == tuple(
        shown[k] for k in ("name", "description", "sql")
    )
    assert [shown] == engineer.get("/queries").json()["items"]


def test_a_change_leaves_alone_what_it_does_not_name(engineer):
    engineer.post("/queries", json=QUERY)
    assert {"id", "updated_at"} == engineer.patch("/queries/1", json={"sql": "SELECT 1"}).json().keys()
    shown = engineer.get("/queries/1").json()
    assert ("Everything", "SELECT 1") == (shown["name"], shown["sql"])


@pytest.mark.parametrize("change", [{"sql": "DROP TABLE x"}, {"sql": ""}, {"name": None}, {"owner": 1}])
def test_a_change_that_cannot_be_made_changes_nothing(engineer, change):
    engineer.post("/queries", json=QUERY)
    before = engineer.get("/queries/1").json()
    assert 422 == engineer.patch("/queries/1", json=change).status_code
    assert before == engineer.get("/queries/1").json()


def test_a_deleted_query_is_gone(engineer):
    engineer.post("/queries", json=QUERY)
    assert 204 == engineer.delete("/queries/1").status_code
    assert [404] * 4 == [
        engineer.get("/queries/1").status_code,
        engineer.delete("/queries/1").status_code,
        engineer.patch("/queries/1", json={"name": "x"}).status_code,
        engineer.post("/queries/1/run").status_code,
    ]


def test_saving_a_query_does_not_tell_which_datasets_there_are(engineer):
    engineer.post("/datasets", json={"name": "orders", "columns": [{"name": "id", "type": "integer"}]})
    answers = [
        engineer.post("/queries", json={"name": "q", "sql": f"SELECT * FROM {t}"}) for t in ("orders", "nothing")
    ]
    assert [201, 201] == [answer.status_code for answer in answers]


def test_sql_that_is_not_a_query_is_refused_with_its_reason(engineer):
    refused = engineer.post("/queries", json={"name": "q", "sql": "SELECT 1; SELECT 2"})
    assert (422, "body.sql: A query is one statement; this text has 2.") == (
        refused.status_code,
        refused.json()["detail"],
    )
