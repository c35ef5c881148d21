"""Datasets over HTTP, as a data engineer meets them."""

import pytest

ORDERS = {
    "name": "orders",
    "columns": [{"name": "order_id", "type": "integer"}, {"name": "country", "type": "string"}],
}


def test_a_dataset_is_made_with_its_schema_and_found_again(engineer):
    made = engineer.post("/datasets", json=ORDERS | {"description": "Of the shop.", "tags": ["shop"]})
    assert 201 == made.status_code
    assert "/datasets/1" == made.headers["location"]
    shown = engineer.get("/datasets/1").json()
    assert ("orders", "Of the shop.", ["shop"], 0) == tuple(
        shown[k] for k in ("name", "description", "tags", "row_count")
    )
    assert ["order_id", "country"] == [column["name"] for column in shown["columns"]]


def test_an_answer_to_a_write_tells_no_more_than_was_sent(engineer):
    assert {"id", "updated_at"} == engineer.post("/datasets", json=ORDERS).json().keys()
    assert {"id", "updated_at"} == engineer.patch("/datasets/1", json={"tags": ["x"]}).json().keys()


def test_a_change_leaves_alone_what_it_does_not_name(engineer):
    engineer.post("/datasets", json=ORDERS | {"description": "Before.", "tags": ["kept"]})
    engineer.patch("/datasets/1", json={"description": "After."})
    shown = engineer.get("/datasets/1").json()
    assert ("After.", ["kept"]) == (shown["description"], shown["tags"])


def test_a_deleted_dataset_is_gone_and_its_number_is_not_used_again(engineer):
    engineer.post("/datasets", json=ORDERS)
    assert 204 == engineer.delete("/datasets/1").status_code
    assert 404 == engineer.get("/datasets/1").status_code
    assert 404 == engineer.delete("/datasets/1").status_code
    assert 2 == engineer.post("/datasets", json=ORDERS).json()["id"]


@pytest.mark.parametrize("name", ["orders", "ORDERS", "Orders"])
def test_names_that_differ_in_case_only_are_one_name(engineer, name):
    engineer.post("/datasets", json=ORDERS)
    refused = engineer.post("/datasets", json=ORDERS | {"name": name})
    assert (409, "name_taken") == (refused.status_code, refused.json()["code"])


@pytest.mark.parametrize("name", ['o"rders', "o'rders; DROP TABLE platform.datasets; --", "日本 語", "data.dataset_1"])
def test_a_name_may_hold_quotes(engineer, name):
    columns = [{"name": name, "type": "string"}, {"name": '""', "type": "integer"}]
    assert 201 == engineer.post("/datasets", json={"name": name, "columns": columns}).status_code
    assert 201 == engineer.post("/datasets/1/upload", json=[{name: "it's", '""': 1}]).status_code
    assert [{name: "it's", '""': 1}] == engineer.get("/datasets/1/sample").json()["rows"]
    assert [name, '""'] == [column["name"] for column in engineer.get("/datasets/1/stats").json()["columns"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "body.name"),
        ({"name": "a\0b"}, "body.name"),
        ({"name": " padded"}, "body.name"),
        ({"name": "two\nlines"}, "body.name"),
        ({"name": 7}, "body.name"),
        ({"columns": []}, "body.columns"),
        ({"columns": [{"name": "a", "type": "blob"}]}, "body.columns.0.type"),
        ({"columns": [{"name": "a", "type": "string"}, {"name": "A", "type": "string"}]}, "body.columns"),
        ({"tags": ["x\u0007"]}, "body.tags.0"),
        ({"owner": "me"}, "body.owner"),
    ],
)
def test_bad_input_is_refused_naming_the_field(engineer, change, field):
    refused = engineer.post("/datasets", json=ORDERS | change)
    assert (422, "application/problem+json") == (refused.status_code, refused.headers["content-type"])
    assert field == refused.json()["errors"][0]["field"]
    assert [] == engineer.get("/datasets").json()["items"]


@pytest.mark.parametrize(
    "body",
    [b'{"name": "\\ud800", "columns": []}', b"{", b"[" * 50_000, b"\xff\xfe", b'{"\\ud800": 1}', b"null", b"NaN", b""],
)
def test_a_body_that_is_no_json_is_a_problem_and_never_a_fault(engineer, body):
    refused = engineer.post("/datasets", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code in {400, 422}
    assert "application/problem+json" == refused.headers["content-type"]


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999999999999999"])
def test_a_number_that_no_dataset_can_have_is_refused(engineer, number):
    assert 422 == engineer.get(f"/datasets/{number}").status_code


def test_a_list_comes_in_pages(engineer):
    for number in range(5):
        engineer.post("/datasets", json=ORDERS | {"name": f"orders {number}"})
    first = engineer.get("/datasets", params={"limit": 3}).json()
    assert ([1, 2, 3], 3) == ([item["id"] for item in first["items"]], first["next"])
    last = engineer.get("/datasets", params={"limit": 3, "after": first["next"]}).json()
    assert ([4, 5], None) == ([item["id"] for item in last["items"]], last["next"])


def test_a_sample_shows_as_many_rows_as_asked_for(engineer):
    engineer.post("/datasets", json=ORDERS)
    engineer.post("/datasets/1/upload", json=[{"order_id": number} for number in range(50)])
    assert 10 == len(engineer.get("/datasets/1/sample").json()["rows"])
    assert 3 == len(engineer.get("/datasets/1/sample", params={"limit": 3}).json()["rows"])
    assert 422 == engineer.get("/datasets/1/sample", params={"limit": 101}).status_code


def test_statistics_count_values_nulls_and_differences(engineer):
    engineer.post("/datasets", json=ORDERS)
    rows = [{"order_id": 1, "country": "NL"}, {"order_id": 4, "country": "NL"}, {"country": "FI"}, {}]
    engineer.post("/datasets/1/upload", json=rows)
    numbers, words = engineer.get("/datasets/1/stats").json()["columns"]
    wanted = ("count", "nulls", "distinct", "min", "max", "mean")
    assert (2, 2, 2, 1, 4, 2.5) == tuple(numbers[key] for key in wanted)
    assert (3, 1, 2, "FI", "NL", None) == tuple(words[key] for key in wanted)


def test_statistics_of_an_empty_dataset_are_zero_and_null(engineer):
    engineer.post("/datasets", json=ORDERS)
    numbers, _ = engineer.get("/datasets/1/stats").json()["columns"]
    assert (0, 0, None, None) == tuple(numbers[key] for key in ("count", "distinct", "min", "mean"))
