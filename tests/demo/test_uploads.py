"""Uploads: three formats, one reading of a cell, and nothing stored of a file that does not fit."""

import json

import duckdb
import pytest

CSV = {"Content-Type": "text/csv"}
PARQUET = {"Content-Type": "application/vnd.apache.parquet"}
COLUMNS = [
    {"name": "id", "type": "integer"},
    {"name": "name", "type": "string"},
    {"name": "price", "type": "number"},
    {"name": "paid", "type": "boolean"},
    {"name": "day", "type": "date"},
    {"name": "moment", "type": "timestamp"},
]
ROW = {
    "id": 1,
    "name": "tea, green",
    "price": 2.5,
    "paid": True,
    "day": "2026-11-30",
    "moment": "2026-11-30T08:15:00",
}


@pytest.fixture
def shop(engineer):
    engineer.post("/datasets", json={"name": "shop", "columns": COLUMNS})
    return engineer


def upload(client, body, headers):
    return client.post("/datasets/1/upload", content=body, headers=headers)


def stored(client):
    return client.get("/datasets/1").json()["row_count"]


@pytest.fixture
def parquet(tmp_path):
    def write(select):
        path = tmp_path / "rows.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()

    return write


def test_csv_is_read_by_its_header_in_any_order(shop):
    body = 'name,id,price,paid,day,moment\r\n"tea, green",1,2.5,true,2026-11-30,2026-11-30T09:15:00+01:00\r\n'
    assert {"dataset_id": 1, "rows": 1} == upload(shop, body, CSV).json()
    assert [ROW] == shop.get("/datasets/1/sample").json()["rows"]


def test_json_rows_may_leave_columns_out(shop):
    assert 2 == shop.post("/datasets/1/upload", json=[ROW, {"id": 2}]).json()["rows"]
    assert [ROW, dict.fromkeys(ROW) | {"id": 2}] == shop.get("/datasets/1/sample").json()["rows"]


def test_parquet_is_read_with_its_own_types(shop, parquet):
    body = parquet(
        "SELECT 1 AS id, 'tea, green' AS name, 2.5 AS price, true AS paid, DATE '2026-11-30' AS day,"
        " TIMESTAMPTZ '2026-11-30 08:15:00+00' AS moment"
    )
    assert 201 == upload(shop, body, PARQUET).status_code
    assert [ROW] == shop.get("/datasets/1/sample").json()["rows"]


def test_an_empty_csv_field_is_a_null(shop):
    upload(shop, "id,name,price,paid,day,moment\n1,,,,,\n", CSV)
    assert [dict.fromkeys(ROW) | {"id": 1}] == shop.get("/datasets/1/sample").json()["rows"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x,a,1,true,2026-11-30,", "Row 2, column 'id': 'x' is not an integer."),
        (
            "9223372036854775808,a,1,true,2026-11-30,",
            "Row 2, column 'id': '9223372036854775808' does not fit in 64 bits.",
        ),
        ("1,a,nan,true,2026-11-30,", "Row 2, column 'price': 'nan' is not a finite number."),
        ("1,a,1e999,true,2026-11-30,", "Row 2, column 'price': '1e999' is not a finite number."),
        ("1,a,1,maybe,2026-11-30,", "Row 2, column 'paid': 'maybe' is neither true nor false."),
        ("1,a,1,true,2026-02-30,", "Row 2, column 'day': '2026-02-30' is not a date such as 2026-11-30."),
        ("1,a,1,true,,noon", "Row 2, column 'moment': 'noon' is not a time such as 2026-11-30T08:15:00Z."),
        ("1,a", "Row 2 has 2 fields; the header has 6."),
        ("1,a,1,true,2026-11-30,,,", "Row 2 has 8 fields; the header has 6."),
        ('1,"a"b,1,true,,', "Row 2 is not CSV: ',' expected after '\"'."),
    ],
)
def test_a_row_that_does_not_fit_is_named_and_nothing_of_the_file_is_stored(shop, line, reason):
    refused = upload(shop, f"id,name,price,paid,day,moment\n1,good,1,true,2026-11-30,\n{line}\n", CSV)
    assert (422, f"{reason} Nothing was stored.") == (refused.status_code, refused.json()["detail"])
    assert 0 == stored(shop)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "The file is empty"),
        (b"id,name,price,paid,day,colour\n", "The dataset has no column 'colour'."),
        (b"id,name,price,paid,day,id,moment\n", "The file has the column 'id' more than once."),
        (b"id,name,price,paid,day\n", "The file lacks the column 'moment'."),
        (b"id,name,price,paid,day,moment\n1,a\0b,,,,\n", "The file holds a NUL character."),
        (b"id,name,price,paid,day,moment\n1,\xff,,,,\n", "The body is not UTF-8: byte 32"),
        (b'id,name,price,paid,day,moment\n1,"never closed', "Row 1 is not CSV"),
        (b"id,name,price,paid,day,moment\n1," + b"x" * 200_000 + b",,,,\n", "Row 1 is not CSV: field larger"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_refused_as_a_whole(shop, body, reason):
    refused = upload(shop, body, CSV)
    assert 422 == refused.status_code
    assert refused.json()["detail"].startswith(reason)
    assert 0 == stored(shop)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{}", "The body is a list of objects"),
        ("[1]", "Row 1 is not an object."),
        ('[{"id": 1}, {"colour": "red"}]', "Row 2: the dataset has no column 'colour'."),
        ('[{"id": 1.5}]', "Row 1, column 'id': 1.5 is not an integer."),
        ('[{"id": true}]', "Row 1, column 'id': True is not an integer."),
        ('[{"name": 5}]', "Row 1, column 'name': 5 is not a string."),
        ('[{"name": "a\\u0000b"}]', "Row 1, column 'name': 'a\\x00b' holds a NUL character."),
        ('[{"name": "\\ud800"}]', "Row 1, column 'name': '\\ud800' holds half a surrogate pair."),
        ('[{"price": NaN}]', "The body is not JSON: NaN is not a value."),
        ('[{"name": {"deep": 1}}]', "Row 1, column 'name': {'deep': 1} is not a string."),
        ("[" * 100_000, "The body is not JSON: it is nested too deeply."),
        ('[{"id": ' + "9" * 5_000 + "}]", "The body is not JSON"),
    ],
)
def test_json_that_does_not_fit_is_refused_as_a_whole(shop, body, reason):
    refused = upload(shop, body, {"Content-Type": "application/json"})
    assert 422 == refused.status_code
    assert refused.json()["detail"].startswith(reason)
    assert 0 == stored(shop)


@pytest.mark.parametrize("body", [b"", b"PAR1", b"PAR1" + b"\xff" * 500 + b"PAR1", b"id,name\n1,a\n"])
def test_a_damaged_parquet_file_is_refused(shop, body):
    refused = upload(shop, body, PARQUET)
    assert (422, "The file cannot be read as Parquet: it is damaged. Nothing was stored.") == (
        refused.status_code,
        refused.json()["detail"],
    )
    assert 0 == stored(shop)


def test_a_parquet_file_cut_anywhere_is_refused(shop, parquet):
    whole = parquet("SELECT range AS id FROM range(10)")
    for length in range(1, len(whole), 97):
        assert 422 == upload(shop, whole[:length], PARQUET).status_code


def test_a_small_parquet_file_that_unpacks_to_very_much_is_refused(shop, parquet):
    packed = parquet(
        "SELECT range AS id, repeat('x', 1000000) AS name, NULL::DOUBLE AS price, NULL::BOOLEAN AS paid,"
        " NULL::DATE AS day, NULL::TIMESTAMP AS moment FROM range(1000)"
    )
    assert len(packed) < 5_000_000
    assert upload(shop, packed, PARQUET).status_code in {413, 422}
    assert 0 == stored(shop)


def test_a_parquet_value_of_a_shape_no_column_has_is_refused(shop, parquet):
    nested = parquet(
        "SELECT 1 AS id, [1, 2] AS name, NULL::DOUBLE AS price, NULL::BOOLEAN AS paid,"
        " NULL::DATE AS day, NULL::TIMESTAMP AS moment"
    )
    assert "Row 1, column 'name': [1, 2] is not a string." in upload(shop, nested, PARQUET).json()["detail"]


def test_more_than_ten_megabytes_are_refused_announced_or_not(shop):
    body = b"id,name,price,paid,day,moment\n" + b"1,,,,,\n" * 1_600_000
    refused = upload(shop, body, CSV)
    assert (413, "too_large") == (refused.status_code, refused.json()["code"])
    pieces = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    assert 413 == upload(shop, pieces, CSV).status_code
    assert 413 == shop.post("/datasets", content=iter([b" " * 11_000_000])).status_code
    assert 0 == stored(shop)


def test_more_rows_than_an_upload_may_have_are_refused(small_platform):
    small_platform.post("/datasets", json={"name": "shop", "columns": COLUMNS[:1]})
    assert 201 == small_platform.post("/datasets/1/upload", json=[{"id": 1}] * 10).status_code
    assert 413 == small_platform.post("/datasets/1/upload", json=[{"id": 1}] * 11).status_code
    assert 10 == stored(small_platform)


def test_more_parquet_rows_than_an_upload_may_have_are_refused(small_platform, parquet):
    small_platform.post("/datasets", json={"name": "shop", "columns": COLUMNS[:1]})
    assert 201 == upload(small_platform, parquet("SELECT range AS id FROM range(10)"), PARQUET).status_code
    assert 413 == upload(small_platform, parquet("SELECT range AS id FROM range(11)"), PARQUET).status_code


@pytest.mark.parametrize("kind", ["text/html", "", "application/octet-stream"])
def test_another_kind_of_file_is_refused_naming_the_kinds_there_are(shop, kind):
    refused = upload(shop, "x", {"Content-Type": kind})
    assert 415 == refused.status_code
    assert "text/csv" in refused.json()["detail"]


def test_many_rows_arrive_in_order(shop):
    rows = [{"id": number, "name": f"row {number}"} for number in range(12_345)]
    assert 12_345 == upload(shop, json.dumps(rows), {"Content-Type": "application/json; charset=utf-8"}).json()["rows"]
    figures = shop.get("/datasets/1/stats").json()["columns"]
    assert (12_345, 0, 12_344) == (figures[0]["distinct"], figures[0]["min"], figures[0]["max"])
