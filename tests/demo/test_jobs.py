"""Jobs: a query runs, ends, fails in words, and is stopped at its limits."""

import time

import pytest

ORDERS = {
    "name": "orders",
    "columns": [{"name": "country", "type": "string"}, {"name": "amount", "type": "number"}],
}
ROWS = [{"country": "NL", "amount": 10}, {"country": "NL", "amount": 2.5}, {"country": "FI", "amount": 1}]
FOREVER = "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r"


def start(client, sql):
    made = client.post("/queries", json={"name": "q", "sql": sql})
    assert 201 == made.status_code, made.text
    started = client.post(f"/queries/{made.json()['id']}/run")
    assert 202 == started.status_code, started.text
    assert f"/jobs/{started.json()['job_id']}" == started.headers["location"]
    return started.json()["job_id"]


def wait(client, job, states=("succeeded", "failed", "cancelled")):
    deadline = time.monotonic() + 30
    while (shown := client.get(f"/jobs/{job}").json())["state"] not in states:
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)
    return shown


def run(client, sql):
    job = start(client, sql)
    shown = wait(client, job)
    return shown, client.get(f"/jobs/{job}/result").json()


@pytest.fixture
def shop(engineer):
    engineer.post("/datasets", json=ORDERS)
    engineer.post("/datasets/1/upload", json=ROWS)
    return engineer


@pytest.fixture
def hasty_shop(hasty_platform):
    hasty_platform.post("/datasets", json=ORDERS)
    return hasty_platform


def test_a_query_over_a_dataset_succeeds_with_its_rows(shop):
    job, result = run(
        shop, "SELECT country, sum(amount) AS revenue FROM Orders GROUP BY country ORDER BY revenue DESC;"
    )
    assert ("succeeded", 2, None) == (job["state"], job["row_count"], job["error"])
    assert [["NL", 12.5], ["FI", 1.0]] == result["rows"]
    assert [("country", "VARCHAR"), ("revenue", "DOUBLE")] == [(c["name"], c["type"]) for c in result["columns"]]
    assert result["truncated"] is False


def test_a_name_given_by_with_may_be_a_datasets_own(shop):
    _, result = run(shop, "WITH orders AS (SELECT * FROM orders WHERE amount > 5) SELECT count(*) AS n FROM orders")
    assert [[1]] == result["rows"]


def test_a_dataset_with_quotes_in_its_name_can_be_queried(shop):
    shop.post("/datasets", json={"name": 'it\'s "new"', "columns": [{"name": 'a"b', "type": "integer"}]})
    shop.post("/datasets/2/upload", json=[{'a"b': 7}])
    assert [[7]] == run(shop, 'SELECT "a""b" FROM "it\'s ""new"""')[1]["rows"]


def test_values_of_every_kind_can_be_carried(shop):
    _, result = run(
        shop,
        "SELECT TIMESTAMPTZ '2026-01-01 00:00:00+00' AS t, [1, 2] AS l, {'a': 1} AS s, 1.50::DECIMAL(9, 2) AS d,"
        " 'nan'::DOUBLE AS n, 'ab'::BLOB AS b, INTERVAL 1 DAY AS i, NULL AS x, 2::HUGEINT ** 100 AS h -- end",
    )
    assert [1, 2] == result["rows"][0][1]
    assert "1.50" == result["rows"][0][3]
    assert "nan" == result["rows"][0][4]


def test_a_long_result_is_cut_and_says_so(shop):
    job, result = run(shop, "SELECT range AS n FROM range(1000000)")
    assert (10_000, True) == (job["row_count"], result["truncated"])


def test_a_wide_result_is_cut_and_says_so(shop):
    _, result = run(shop, "SELECT repeat('x', 100000) AS wide FROM range(1000)")
    assert (20, True) == (len(result["rows"]), result["truncated"])


def test_two_columns_of_one_name_are_refused(shop):
    job, result = run(shop, "SELECT 1 AS a, 2 AS A")
    assert ("failed", "sql_error") == (job["state"], job["error"])
    assert "give one another name" in result["detail"]


def test_an_unknown_dataset_is_named(shop):
    job, result = run(shop, "SELECT * FROM ordres")
    assert ("failed", "unknown_dataset") == (job["state"], job["error"])
    assert "There is no dataset named 'ordres'." == result["detail"]


def test_an_unknown_column_is_told_as_duckdb_tells_it(shop):
    job, result = run(shop, "SELECT contry FROM orders")
    assert "sql_error" == job["error"]
    assert "contry" in result["detail"]


def test_what_a_job_says_about_its_failure_never_quotes_the_data(shop):
    job, result = run(shop, "SELECT CAST(country AS INTEGER) AS x FROM orders")
    assert "sql_error" == job["error"]
    assert "NL" not in str(job)
    assert "NL" in result["detail"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM duckdb_tables",
        "SELECT * FROM 'orders.csv'",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM datasets",
        "SELECT * FROM dataset_1",
    ],
)
def test_only_datasets_can_be_read(shop, sql):
    assert "unknown_dataset" == run(shop, sql)[0]["error"]


@pytest.mark.parametrize(
    "sql",
    [
        FOREVER,
        "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000) c WHERE a.range + b.range + c.range = -1",
        "SELECT length(repeat('x', 4000000000)) AS n",
        "SELECT len(range(1000000000)) AS n",
        "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000)) AS n",
        "SELECT * FROM range(1000000000) ORDER BY hash(range)",
        "SELECT list(range) AS l FROM range(1000000000)",
    ],
)
def test_a_query_that_would_take_all_time_or_memory_is_stopped(hasty_shop, sql):
    began = time.monotonic()
    job, _ = run(hasty_shop, sql)
    assert "failed" == job["state"]
    assert job["error"] in {"time_limit", "memory_limit"}
    assert time.monotonic() - began < 10
    assert 200 == hasty_shop.get("/healthz").status_code


def test_a_running_job_is_cancelled_at_once(shop):
    job = start(shop, FOREVER)
    wait(shop, job, states=("running",))
    assert 202 == shop.post(f"/jobs/{job}/cancel").status_code
    assert ("cancelled", "cancelled") == tuple(wait(shop, job)[key] for key in ("state", "error"))
    assert (409, "job_cancelled") == (
        (answer := shop.get(f"/jobs/{job}/result")).status_code,
        answer.json()["code"],
    )


def test_a_waiting_job_is_cancelled_before_it_begins(shop):
    first, second, third = (start(shop, FOREVER) for _ in range(3))
    assert {"id": third, "state": "cancelled"} == shop.post(f"/jobs/{third}/cancel").json()
    assert shop.get(f"/jobs/{third}").json()["started_at"] is None
    for job in (first, second):
        shop.post(f"/jobs/{job}/cancel")
        wait(shop, job)


def test_a_job_that_ended_cannot_be_cancelled(shop):
    job = start(shop, "SELECT 1 AS one")
    wait(shop, job)
    assert (409, "job_ended") == ((answer := shop.post(f"/jobs/{job}/cancel")).status_code, answer.json()["code"])


def test_a_result_that_is_not_there_yet_is_a_conflict(shop):
    job = start(shop, FOREVER)
    assert "job_not_ended" == shop.get(f"/jobs/{job}/result").json()["code"]
    shop.post(f"/jobs/{job}/cancel")
    wait(shop, job)


def test_a_job_runs_the_query_as_it_was_when_it_was_started(shop):
    job = start(shop, "SELECT 1 AS one")
    shop.delete("/queries/1")
    assert "succeeded" == wait(shop, job)["state"]


def test_too_many_waiting_jobs_are_refused_with_a_time_to_come_back(small_platform):
    jobs = [start(small_platform, FOREVER)]
    wait(small_platform, jobs[0], states=("running",))
    jobs.append(start(small_platform, FOREVER))
    refused = small_platform.post("/queries/1/run")
    assert (503, "busy", "5") == (refused.status_code, refused.json()["code"], refused.headers["retry-after"])
    for job in jobs:
        small_platform.post(f"/jobs/{job}/cancel")


def test_only_the_latest_jobs_are_kept(small_platform):
    jobs = []
    for _ in range(5):
        jobs.append(start(small_platform, "SELECT 1 AS one"))
        wait(small_platform, jobs[-1])
    assert jobs[-3:] == [job["id"] for job in small_platform.get("/jobs").json()["items"]]
