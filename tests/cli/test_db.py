"""`scopekey db upgrade`, and a deployment on PostgreSQL."""

import pytest

from tests.cli.reading import rows


def test_a_sqlite_home_is_up_to_date_by_itself(command, operator):
    ended = command("db", "upgrade")
    assert (0, "The schema is up to date.\n") == (ended.code, ended.err)


def test_a_database_of_another_kind_is_refused(command, folder):
    ended = command("db", "upgrade", database_url="mysql://user:canary@127.0.0.1/db")
    assert 2 == ended.code
    assert "canary" not in ended.err


@pytest.mark.postgres
def test_on_postgresql_the_schema_is_made_first_then_the_deployment(command, folder, postgres_url):
    words = ("init", "--key-file", "first")
    early = command(*words, database_url=postgres_url)
    assert 2 == early.code
    assert "scopekey db upgrade" in early.err
    assert [] == list(folder.iterdir())
    assert 0 == command("db", "upgrade", database_url=postgres_url).code
    assert 0 == command("db", "upgrade", database_url=postgres_url).code
    assert 0 == command(*words, database_url=postgres_url).code
    printed = (folder / "first").read_text()
    assert 1 == len(rows(command("keys", "list", database_url=postgres_url).out))
    assert 0 == command("check", "-", "scopekey_keys:read", stdin=printed, database_url=postgres_url).code
    assert not (folder / ".scopekey" / "scopekey.db").exists()


@pytest.mark.postgres
def test_a_second_node_with_a_pepper_of_its_own_is_refused(command, folder, postgres_url):
    command("db", "upgrade", database_url=postgres_url)
    command("init", "--key-file", "first", database_url=postgres_url)
    again = command("init", "--key-file", "second", database_url=postgres_url, home=folder / "other")
    assert 2 == again.code
    assert "initialised before" in again.err
    assert not (folder / "second").exists()
    assert not (folder / "other").exists()
    foreign = {"pepper": "ab" * 32, "signing_key": "cd" * 32, "home": folder / "other"}
    assert 2 == command("keys", "list", database_url=postgres_url, **foreign).code
