"""`scopekey rules lint`."""

import json

import pytest

CATALOG = 'name = "small"\n[[resource]]\nname = "datasets"\n'
CLEAN = '[[rule]]\noperation = "GET /datasets"\nrequires = "datasets:read"\n'
CLEAN += '\n[[rule]]\noperation = "POST /datasets"\nrequires = "datasets:write"\n'
PUBLIC = '\n[[rule]]\noperation = "GET /health"\npublic = true\n'
UNKNOWN = '\n[[rule]]\noperation = "PUT /datasets"\nrequires = "dataset:write"\n'


@pytest.fixture
def linted(command, folder):
    (folder / "catalog.toml").write_text(CATALOG)

    def linted(text, *words):
        (folder / "rules.toml").write_text(text)
        return command("rules", "lint", "rules.toml", "--catalog", "catalog.toml", *words)

    return linted


def test_clean_rules_end_with_0_and_a_verdict(linted):
    assert (0, "OK: 2 rules: 0 errors, 0 warnings, 0 notes\n") == linted(CLEAN)[:2]


def test_an_error_ends_with_1_and_tells_the_line_and_what_to_do(linted):
    ended = linted(CLEAN + UNKNOWN)
    assert 1 == ended.code
    assert "error unknown-permission (1)" in ended.out
    assert "rules.toml:11: PUT /datasets: there is no permission 'dataset:write'" in ended.out
    assert "FAILED: 3 rules: 1 error, 0 warnings, 0 notes" == ended.out.splitlines()[-1]


def test_how_much_is_too_much_can_be_said(linted):
    assert 0 == linted(CLEAN + PUBLIC).code
    assert 0 == linted(CLEAN + PUBLIC, "--fail-on", "warning").code
    assert 1 == linted(CLEAN + PUBLIC, "--fail-on", "note").code


def test_notes_can_be_left_out_and_count_all_the_same(linted):
    assert "OK: 3 rules: 0 errors, 0 warnings, 1 note\n" == linted(CLEAN + PUBLIC, "--show", "warning").out


def test_a_baseline_accepts_what_it_lists_and_nothing_new(linted, folder):
    assert 0 == linted(CLEAN + UNKNOWN, "--write-baseline", "accepted.json").code
    ended = linted(CLEAN + UNKNOWN, "--baseline", "accepted.json")
    assert 0 == ended.code
    assert "1 accepted by the baseline" in ended.out
    assert 1 == linted(CLEAN + UNKNOWN.replace("PUT", "PATCH"), "--baseline", "accepted.json").code
    assert "1 accepted ones are no longer found" in linted(CLEAN, "--baseline", "accepted.json").out


def test_json_holds_what_the_text_says(linted):
    answer = json.loads(linted(CLEAN + UNKNOWN, "--json").out)
    assert answer["passed"] is False
    (finding,) = answer["findings"]
    assert ("unknown-permission", "error", 11) == (finding["code"], finding["severity"], finding["line"])
    assert ["PUT /datasets"] == finding["operations"]


def test_operations_of_a_description_without_a_rule_are_errors(linted, folder):
    (folder / "api.yaml").write_text("openapi: 3.1.0\npaths: {/datasets: {get: {}, post: {}, delete: {}}}\n")
    ended = linted(CLEAN, "--openapi", "api.yaml")
    assert 1 == ended.code
    assert "DELETE /datasets: the document describes it, and no rule lists it" in ended.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("openapi: 3.1.0\npaths: {/a: {$ref: '#/nowhere'}}", "api.yaml: /a: the $ref '#/nowhere' leads nowhere"),
        ("swagger: '2.0'", "api.yaml: the document is swagger 2.0"),
        ("a: &a [1]\nb: *a", "api.yaml:2:"),
    ],
)
def test_a_description_that_cannot_be_read_ends_with_2(linted, folder, text, said):
    (folder / "api.yaml").write_text(text)
    ended = linted(CLEAN, "--openapi", "api.yaml")
    assert 2 == ended.code
    assert said in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CLEAN + CLEAN, "rules.toml:9: 'GET /datasets' has two rules"),
        (CLEAN.replace("/datasets", "/{d"), "rules.toml:2: "),
        (CLEAN.replace("/datasets", "/a//b"), "rules.toml:2: no readable request can match"),
    ],
)
def test_a_table_that_means_nothing_ends_with_2(linted, text, said):
    ended = linted(text)
    assert 2 == ended.code
    assert said in ended.err


def test_a_file_that_is_no_baseline_ends_with_2(linted, folder):
    (folder / "accepted.json").write_text("{")
    ended = linted(CLEAN, "--baseline", "accepted.json")
    assert 2 == ended.code
    assert "accepted.json: this is not a baseline" in ended.err


def test_without_a_file_the_applied_rules_are_looked_over(command, operator):
    ended = command("rules", "lint")
    assert "0 rules" in ended.out
