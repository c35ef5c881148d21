"""`scopekey catalog …`: look at the permissions there are, and change them."""

import json

import pytest

from scopekey.demo.platform import CATALOG
from scopekey.wire.catalog_file import read_catalog
from tests.cli.reading import rows

GOOD = 'name = "small"\n[[resource]]\nname = "datasets"\n'


def test_show_lists_each_permission_with_what_it_covers(command, operator):
    found = {row[2]: row for row in rows(command("catalog", "show").out)}
    assert ["Core Data", "Datasets", "datasets:read"] == found["datasets:read"][:3]
    assert {4} == {len(row) for row in found.values()}


def test_show_toml_is_the_applied_catalog(command, operator):
    shown = command("catalog", "show", "--toml").out
    assert read_catalog(CATALOG.read_text(), "a") == read_catalog(shown, "b")


def test_show_json_is_the_permissions_reference(command, operator):
    reference = json.loads(command("catalog", "show", "--json").out)
    assert "data_platform" == reference["catalog"]


def test_apply_asks_and_names_the_permissions_that_no_key_holds_yet(command, operator, folder):
    grown = CATALOG.read_text() + '\n[[resource]]\nname = "turbines"\n'
    (folder / "catalog.toml").write_text(grown)
    ended = command("catalog", "apply", "catalog.toml")
    assert 2 == ended.code
    assert "2 permissions new, 0 gone" in ended.err
    assert "turbines" not in command("catalog", "show").out
    ended = command("catalog", "apply", "catalog.toml", "--yes")
    assert 0 == ended.code
    assert "turbines:read, turbines:write" in ended.err
    assert 1 == command("check", "-", "turbines:read", stdin=operator).code


def test_the_same_catalog_again_changes_nothing(command, operator):
    ended = command("catalog", "apply", CATALOG)
    assert 0 == ended.code
    assert "already" in ended.err


def test_a_permission_that_the_applied_rules_need_cannot_go(command, operator, folder):
    (folder / "rules.toml").write_text('[[rule]]\noperation = "GET /jobs"\nrequires = "jobs:read"\n')
    command("rules", "apply", "rules.toml", "--yes")
    (folder / "catalog.toml").write_text(GOOD)
    ended = command("catalog", "apply", "catalog.toml", "--yes")
    assert 1 == ended.code
    assert "jobs:read" in ended.err


def test_a_key_may_not_and_the_machine_may(command, operator, folder):
    (folder / "catalog.toml").write_text(CATALOG.read_text() + '\n[[resource]]\nname = "turbines"\n')
    assert 1 == command("catalog", "apply", "catalog.toml", "--yes", api_key=operator).code
    assert 0 == command("catalog", "apply", "catalog.toml", "--yes", "--local", api_key=operator).code


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD + '[[resource]]\nname = "datasets"\n', (5, "datasets")),
        (GOOD + '[[resource]]\nname = "scopekey_keys"\n', (5, "scopekey_")),
        (GOOD + 'levels = ["read", "fly"]\n', (4, "fly")),
        (GOOD + '[[preset]]\nname = "all"\npermissions = ["datasets:read", "dataset:write"]\n', (6, "dataset:write")),
        ("name = [\n", (1, "this is not TOML")),
    ],
)
def test_a_bad_catalog_is_refused_with_file_and_line(command, operator, folder, text, fault):
    (folder / "bad.toml").write_text(text)
    line, said = fault
    ended = command("catalog", "apply", "bad.toml", "--yes")
    assert 2 == ended.code
    assert f"bad.toml:{line}: " in ended.err
    assert said in ended.err


def test_typescript_names_every_permission_of_the_applied_catalog(command, operator):
    lines = command("catalog", "typescript").out.splitlines()
    permissions = read_catalog(CATALOG.read_text(), "a").permissions
    assert '  "datasets:read": "Read Datasets",' in lines
    assert set(permissions) <= {line.split('"')[1] for line in lines if line.startswith('  "')}


def test_typescript_of_a_file_needs_no_home_folder(command, folder):
    (folder / "catalog.toml").write_text(GOOD + '[[preset]]\nname = "look"\npermissions = ["datasets:read"]\n')
    ended = command("catalog", "typescript", "catalog.toml")
    assert 0 == ended.code, ended.err
    assert '  "look": ["datasets:read"],' in ended.out.splitlines()
