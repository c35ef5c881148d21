"""Which SQL is a query, and which is refused."""

import pytest

from scopekey.demo.select_only import RefusedSql, read_select


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT * FROM orders", {"orders"}),
        ("FROM orders", {"orders"}),
        ("TABLE orders;", {"orders"}),
        ("SELECT * FROM orders -- all of it", {"orders"}),
        ('SELECT "a""b" FROM "o""rders"', {'o"rders'}),
        ("SELECT 1", set()),
        ("VALUES (1), (2)", set()),
        ("SELECT * FROM a JOIN b USING (id) UNION ALL SELECT * FROM c", {"a", "b", "c"}),
        ("SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b) AND x IN (SELECT x FROM c)", {"a", "b", "c"}),
        ("WITH a AS (SELECT * FROM a) SELECT * FROM a", {"a"}),
        ("SELECT * FROM range(3), unnest([1, 2]), generate_series(1, 2)", set()),
        ("FROM (PIVOT orders ON country IN ('NL') USING sum(amount))", {"orders"}),
        ("SELECT count(*) FILTER (x > 1), row_number() OVER (ORDER BY y) FROM t QUALIFY 1 = 1", {"t"}),
    ],
)
def test_a_select_names_the_tables_it_reads(sql, tables):
    assert tables == read_select(sql).tables


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "-- nothing",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE orders",
        "ATTACH 'other.db'",
        "COPY orders TO 'stolen.csv'",
        "COPY (SELECT 1) TO 'stolen.csv'",
        "COPY orders FROM '/etc/passwd'",
        "EXPORT DATABASE 'x'",
        "PRAGMA database_list",
        "PRAGMA disable_optimizer",
        "CALL pragma_version()",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '100GB'",
        "RESET threads",
        "CREATE TABLE x (i INT)",
        "CREATE TEMP TABLE x AS SELECT 1",
        "CREATE MACRO f() AS 1",
        "CREATE SECRET (TYPE s3)",
        "INSERT INTO orders VALUES (1)",
        "UPDATE orders SET id = 1",
        "DELETE FROM orders",
        "DROP TABLE orders",
        "ALTER TABLE orders ADD COLUMN x INT",
        "BEGIN",
        "CHECKPOINT",
        "VACUUM",
        "EXPLAIN SELECT 1",
        "DESCRIBE orders",
        "SUMMARIZE orders",
        "SHOW TABLES",
        "FROM (SHOW TABLES)",
        "FROM (DESCRIBE orders)",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone",
        "WITH made AS (INSERT INTO orders VALUES (1) RETURNING *) SELECT * FROM made",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM READ_TEXT('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM main.range(3)",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM pragma_table_info('orders')",
        "SELECT * FROM query('DROP TABLE orders')",
        "SELECT * FROM query_table('orders')",
        "SELECT * FROM json_execute_serialized_sql('{}')",
        "SELECT (SELECT count(*) FROM read_csv('/etc/passwd'))",
        "SELECT current_setting('memory_limit')",
        "SELECT getenv('HOME')",
        "SELECT * FROM platform.datasets",
        "SELECT * FROM data.dataset_1",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM orders LIMIT ?",
        "SELECT $name",
        "SELECT 'a\0b'",
        "SELEC 1",
        "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
        "SELECT " + "1 + " * 900 + "1",
    ],
)
def test_anything_else_is_refused(sql):
    with pytest.raises(RefusedSql):
        read_select(sql)
