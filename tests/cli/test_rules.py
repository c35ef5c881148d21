"""`scopekey rules …`: propose, explain, apply."""

import json
from pathlib import Path

import pytest

from scopekey.demo.platform import CATALOG
from scopekey.wire.catalog_file import read_catalog
from scopekey.wire.rules_file import read_rules

REAL = Path(__file__).parents[3] / "shared" / "reference" / "narrative-openapi.json"
SMALL = {
    "openapi": "3.1.0",
    "info": {"title": "Small", "version": "1"},
    "security": [{"bearer": []}],
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "paths": {
        "/datasets/{dataset_id}": {
            "get": {"tags": ["Datasets"], "x-required-permissions": ["datasets:read"], "responses": {}},
            "delete": {"tags": ["Datasets"], "responses": {}},
        },
        "/health": {"get": {"security": [], "responses": {}}},
    },
}
TABLE = '[[rule]]\noperation = "GET /datasets/{id}"\nrequires = "datasets:read"\n'


@pytest.fixture
def small(folder):
    (folder / "openapi.json").write_text(json.dumps(SMALL))
    return folder


@pytest.fixture
def table(folder):
    (folder / "rules.toml").write_text(TABLE)
    (folder / "catalog.toml").write_text('name = "small"\n[[resource]]\nname = "datasets"\n')
    return folder


class TestImport:
    def test_rules_and_a_proposed_catalog_beside_them_can_be_read(self, command, small):
        ended = command("rules", "import", "openapi.json", "-o", "rules.toml")
        assert 0 == ended.code
        catalog = read_catalog((small / "catalog.toml").read_text(), "catalog.toml")
        rules = read_rules((small / "rules.toml").read_text(), "rules.toml", catalog)
        assert 3 == len(rules.rules)
        assert "3 operations: 2 guarded, 1 public, 0 left out." in ended.err

    def test_nothing_is_overwritten_unless_forced(self, command, small):
        (small / "catalog.toml").write_text("mine")
        ended = command("rules", "import", "openapi.json")
        assert 2 == ended.code
        assert "--force" in ended.err
        assert "mine" == (small / "catalog.toml").read_text()
        assert not (small / "rules.toml").exists()
        assert 0 == command("rules", "import", "openapi.json", "--force").code
        assert "mine" != (small / "catalog.toml").read_text()

    def test_with_a_catalog_none_is_proposed(self, command, small):
        assert 0 == command("rules", "import", "openapi.json", "--catalog", CATALOG).code
        assert not (small / "catalog.toml").exists()
        catalog = read_catalog(CATALOG.read_text(), "catalog.toml")
        assert read_rules((small / "rules.toml").read_text(), "rules.toml", catalog).rules

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{3.1.0", "is not JSON"),
            ("[" * 100_000, "nested too deeply"),
            ("[]", "must be an object"),
            ('{"swagger": "2.0"}', "3.0"),
        ],
    )
    def test_what_is_no_description_is_refused(self, command, folder, text, said):
        (folder / "openapi.json").write_text(text)
        ended = command("rules", "import", "openapi.json")
        assert 2 == ended.code
        assert said in ended.err
        assert not (folder / "rules.toml").exists()

    @pytest.mark.skipif(not REAL.exists(), reason="the real platform's description is not in this checkout")
    def test_every_operation_of_a_real_platform_is_accounted_for(self, command, folder):
        ended = command("rules", "import", REAL, "-o", "rules.toml")
        assert 0 == ended.code
        assert ended.err.startswith("215 operations: 197 guarded, 18 public, 0 left out.")
        words = ("--rules", "rules.toml", "--catalog", "catalog.toml")
        assert 0 == command("rules", "explain", "GET /datasets/42/sample", *words).code

    @pytest.mark.skipif(not REAL.exists(), reason="the real platform's description is not in this checkout")
    def test_operations_that_no_permission_fits_are_counted_as_closed(self, command, folder):
        ended = command("rules", "import", REAL, "--catalog", CATALOG)
        closed = (folder / "rules.toml").read_text().count("any_of = []")
        assert closed
        assert f"Of the guarded, {closed} are closed until somebody decides" in ended.err


class TestExplain:
    def test_files_are_enough(self, command, table):
        ended = command("rules", "explain", "GET /datasets/42", "--rules", "rules.toml", "--catalog", "catalog.toml")
        assert 0 == ended.code
        assert "GET /datasets/{id}" in ended.out
        assert "datasets:read" in ended.out
        assert "" == ended.err

    def test_with_neither_catalog_nor_home_it_says_that_permissions_are_not_looked_up(self, command, table):
        ended = command("rules", "explain", "GET /datasets/42", "--rules", "rules.toml")
        assert 0 == ended.code
        assert "permissions are not looked up" in ended.err

    def test_with_a_home_permissions_are_looked_up_there(self, command, operator, folder):
        (folder / "rules.toml").write_text(TABLE.replace("datasets:read", "dataset:read"))
        ended = command("rules", "explain", "GET /datasets/42", "--rules", "rules.toml")
        assert 2 == ended.code
        assert ended.err.startswith("rules.toml:3: ")
        assert "datasets" in ended.err

    def test_without_files_the_applied_rules_are_explained(self, command, operator, table):
        assert 1 == command("rules", "explain", "GET /datasets/42").code
        command("rules", "apply", "rules.toml", "--yes")
        assert 0 == command("rules", "explain", "GET /datasets/42").code

    def test_with_nothing_to_explain_it_says_what_to_name(self, command, folder):
        ended = command("rules", "explain", "GET /datasets/42")
        assert 2 == ended.code
        assert "--rules" in ended.err

    @pytest.mark.parametrize(("call", "code"), [("POST /datasets/42", 1), ("GET /a//b", 1), ("/datasets", 2)])
    def test_a_call_that_nothing_opens_ends_with_1_and_no_call_with_2(self, command, table, call, code):
        words = ("--rules", "rules.toml", "--catalog", "catalog.toml")
        assert code == command("rules", "explain", call, *words).code

    def test_json_gives_the_steps(self, command, table):
        words = ("--rules", "rules.toml", "--catalog", "catalog.toml", "--json")
        steps = json.loads(command("rules", "explain", "GET /datasets/42", *words).out)
        assert ["target", "rule", "requires"] == [step["question"] for step in steps]


class TestBadRules:
    @pytest.mark.parametrize(
        ("text", "line", "said"),
        [
            ("[[rule]\n", 1, "this is not TOML"),
            ('[[rule]]\noperation = "GET /a"\n', 1, "does not say what it needs"),
            (TABLE + TABLE, 5, "GET /datasets/{id}"),
            ('[[rule]]\noperation = "GET a"\npublic = true\n', 2, "begin with a slash"),
            ('[[rule]]\noperation = "GET /a"\nrequires = "nothing:read"\n', 3, "nothing:read"),
            ('[[rule]]\noperation = "GET /a"\npublic = true\nmood = "good"\n', 4, "there is no key 'mood'"),
        ],
    )
    def test_they_are_refused_with_file_and_line(self, command, table, text, line, said):
        (table / "bad.toml").write_text(text)
        ended = command("rules", "explain", "GET /a", "--rules", "bad.toml", "--catalog", "catalog.toml")
        assert 2 == ended.code
        assert f"bad.toml:{line}: " in ended.err
        assert said in ended.err


class TestApply:
    def test_it_asks_and_tells_what_would_change(self, command, operator, table):
        ended = command("rules", "apply", "rules.toml")
        assert 2 == ended.code
        assert "Apply 1 rules: 1 new, 0 gone, 0 changed?" in ended.err
        assert 1 == command("rules", "explain", "GET /datasets/42").code

    def test_the_same_rules_again_change_nothing(self, command, operator, table):
        assert 0 == command("rules", "apply", "rules.toml", "--yes").code
        ended = command("rules", "apply", "rules.toml")
        assert 0 == ended.code
        assert "applied rules already" in ended.err

    def test_rules_that_the_applied_catalog_does_not_know_are_refused(self, command, operator, table):
        (table / "rules.toml").write_text(TABLE.replace("datasets:read", "dataset:read"))
        ended = command("rules", "apply", "rules.toml", "--yes")
        assert 2 == ended.code
        assert ended.err.startswith("rules.toml:3: ")

    def test_a_key_may_not_and_the_machine_may(self, command, operator, table):
        assert 1 == command("rules", "apply", "rules.toml", "--yes", api_key=operator).code
        assert 0 == command("rules", "apply", "rules.toml", "--yes", "--local", api_key=operator).code


class TestFromApp:
    def test_the_rules_of_an_app_are_written(self, command, folder):
        (folder / "guarded_app.py").write_text(
            "from fastapi import FastAPI\nfrom scopekey.enforce.fastapi import requires\napp = FastAPI()\n"
            "@app.get('/datasets/{dataset_id}', dependencies=[requires('datasets:read')])\n"
            "def show(dataset_id: int): ...\n"
        )
        assert 0 == command("rules", "from-app", "guarded_app:app").code
        (rule,) = read_rules((folder / "rules.toml").read_text(), "rules.toml").rules
        assert "GET /datasets/{dataset_id}" == str(rule.operation)
        assert 2 == command("rules", "from-app", "guarded_app:app").code

    @pytest.mark.parametrize("target", ["nowhere:app", "json:app", "json"])
    def test_what_cannot_be_imported_is_named(self, command, folder, target):
        ended = command("rules", "from-app", target)
        assert 2 == ended.code
        assert repr(target) in ended.err
        assert not (folder / "rules.toml").exists()
