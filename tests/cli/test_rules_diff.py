"""`scopekey rules diff`."""

import json

import pytest

CATALOG = 'name = "small"\n[[resource]]\nname = "datasets"\n'
OLD = '[[rule]]\noperation = "GET /datasets"\nrequires = "datasets:write"\n'
NEW = OLD.replace("write", "read")


@pytest.fixture
def compared(command, folder):
    (folder / "catalog.toml").write_text(CATALOG)
    (folder / "old.toml").write_text(OLD)
    (folder / "new.toml").write_text(NEW)

    def compared(*words):
        return command("rules", "diff", *words)

    return compared


def test_a_change_is_told_with_both_sides_and_an_example(compared):
    ended = compared("old.toml", "new.toml", "--catalog", "catalog.toml")
    assert 0 == ended.code
    assert "moved\tGET /datasets\tdatasets:write\tdatasets:read\tGET /datasets\n" == ended.out
    assert "1 moved; 1 widened; 0 of 0 keys" in ended.err


def test_a_widening_can_end_with_1(compared):
    assert 1 == compared("old.toml", "new.toml", "--fail-on-widening").code
    assert 0 == compared("old.toml", "old.toml", "--fail-on-widening").code


def test_keys_that_are_written_down_are_judged(compared):
    keys = ("--key", "etl=datasets:read", "--key", "all=datasets:read,datasets:write")
    ended = compared("old.toml", "new.toml", "--catalog", "catalog.toml", "--json", *keys)
    answer = json.loads(ended.out)
    assert [{"key": "etl", "gains": ["GET /datasets"], "loses": []}] == answer["keys"]
    assert [("moved", True)] == [(one["kind"], one["widens"]) for one in answer["differences"]]


def test_an_unknown_permission_of_a_key_ends_with_2(compared):
    ended = compared("old.toml", "new.toml", "--catalog", "catalog.toml", "--key", "etl=dataset:read")
    assert 2 == ended.code
    assert "did you mean 'datasets:read'?" in ended.err


def test_a_catalog_that_implies_more_is_a_widening(compared, folder):
    (folder / "more.toml").write_text(CATALOG.replace("[[", '[implies]\nwrite = ["read"]\n[[', 1))
    ended = compared("new.toml", "new.toml", "--catalog", "catalog.toml", "--new-catalog", "more.toml")
    assert ended.out.startswith("wider\tGET /datasets")


def test_live_keys_of_the_home_folder_are_judged_against_the_applied_rules(compared, issue, folder):
    reader, _ = issue("datasets:read", name="Reader")
    issue("jobs:read", name="Other")
    ended = compared("new.toml")
    assert f"key {reader} Reader: gains 1, loses 0" in ended.out
    assert "  + GET /datasets (as in GET /datasets)" in ended.out
    assert "Other" not in ended.out


def test_without_a_home_folder_one_file_is_not_enough(compared):
    ended = compared("new.toml")
    assert 2 == ended.code
    assert "name two rules files" in ended.err
