"""The platform's own database: locked, bounded, and all or nothing."""

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from scopekey.demo.columns import Column
from scopekey.demo.dataset_figures import DatasetFigures
from scopekey.demo.dataset_store import DatasetStore
from scopekey.demo.engine import Engine
from scopekey.demo.limits import Limits
from scopekey.demo.problems import Refused


@pytest.fixture
def engine():
    engine = Engine(None, Limits(statement_seconds=1.0))
    yield engine
    engine.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY platform.datasets TO '/tmp/stolen.csv'",
        "ATTACH '/tmp/other.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET memory_limit = '1TB'",
    ],
)
def test_nothing_outside_can_be_reached_even_by_our_own_statements(engine, sql):
    with pytest.raises(duckdb.Error), engine.writing() as cursor:
        cursor.execute(sql)


def test_reading_cannot_write(engine):
    with pytest.raises(duckdb.Error, match="read-only"):
        engine.read("INSERT INTO platform.queries VALUES (1, 'n', NULL, 's', now(), now())")


def test_a_statement_is_stopped_at_the_time_limit(engine):
    with pytest.raises(Refused) as refused:
        engine.read("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1")
    assert (503, "too_slow") == (refused.value.status_code, refused.value.code)
    assert [(1,)] == engine.read("SELECT 1")


def create_and_fail(engine):
    with engine.writing() as cursor:
        cursor.execute("CREATE TABLE data.half (i INT)")
        raise ZeroDivisionError


def test_what_fails_half_way_leaves_nothing(engine):
    with pytest.raises(ZeroDivisionError):
        create_and_fail(engine)
    assert [] == engine.read("SELECT * FROM duckdb_tables() WHERE table_name = 'half'")


def test_the_scratch_folder_is_gone_with_the_engine():
    engine = Engine(None, Limits())
    engine.close()
    assert not engine.scratch.exists()


def test_many_writers_and_readers_at_once_lose_nothing(engine):
    store = DatasetStore(engine)
    columns = [Column(name="id", type="integer")]

    def work(number):
        dataset = store.create(f"set {number % 10}-{number}", None, [], columns)
        store.append(dataset, [list(range(100))])
        store.update(dataset.id, {"tags": ["done"]})
        return DatasetFigures(engine).row_count(store.get(dataset.id)), store.get(dataset.id).tags

    with ThreadPoolExecutor(8) as pool:
        assert [(100, ["done"])] * 40 == list(pool.map(work, range(40)))
    assert list(range(1, 41)) == [dataset.id for dataset in store.page(after=0, limit=100)]
