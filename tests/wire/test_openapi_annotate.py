from copy import deepcopy

from scopekey.wire.openapi import rules_from_openapi
from scopekey.wire.openapi_annotate import annotate
from scopekey.wire.rules_file import read_rules

RULES = """
[[rule]]
operation = "GET /datasets/{id}"
requires = "datasets:read"

[[rule]]
operation = "POST /runs"
any_of = [["jobs:write", "datasets:read"], ["datasets:write"]]

[[rule]]
operation = "GET /attributes"
public = true
"""


def document():
    return {
        "openapi": "3.1.0",
        "info": {"title": "API", "version": "1"},
        "paths": {
            "/datasets/{dataset_id}": {
                "parameters": [],
                "get": {"description": "Shows a dataset.", "responses": {}},
                "delete": {"responses": {}},
            },
            "/runs": {"post": {"responses": {}}},
            "/attributes": {"get": {"security": [{"old": []}], "responses": {}}},
        },
    }


def annotated(times=1, rules=RULES):
    described = document()
    for _ in range(times):
        unlisted = annotate(described, read_rules(rules, "rules.toml"))
    return described, unlisted


def test_an_operation_says_what_it_needs_whatever_its_parameters_are_called():
    operation = annotated()[0]["paths"]["/datasets/{dataset_id}"]["get"]
    assert [["datasets:read"]] == operation["x-required-permissions"]
    assert "Shows a dataset.\n\nNeeds `datasets:read`." == operation["description"]
    assert [{"scopekey": []}, {"scopekey_header": []}] == operation["security"]
    assert "401" in operation["responses"]


def test_alternatives_read_as_a_sentence():
    operation = annotated()[0]["paths"]["/runs"]["post"]
    assert "Needs `jobs:write` and `datasets:read`, or `datasets:write`." == operation["description"]


def test_a_public_operation_loses_its_security_and_gets_no_permissions():
    operation = annotated()[0]["paths"]["/attributes"]["get"]
    assert [] == operation["security"]
    assert "x-required-permissions" not in operation


def test_what_no_rule_lists_is_named_and_closed_to_all():
    described, unlisted = annotated()
    operation = described["paths"]["/datasets/{dataset_id}"]["delete"]
    assert ("DELETE /datasets/{dataset_id}",) == unlisted
    assert ([], "No key may call this.") == (operation["x-required-permissions"], operation["description"])


def test_annotating_again_changes_nothing_and_other_rules_replace_the_sentence():
    assert annotated(1)[0] == annotated(2)[0]
    described = annotated()[0]
    annotate(described, read_rules(RULES.replace('"datasets:read"\n', '"jobs:write"\n'), "rules.toml"))
    expected = "Shows a dataset.\n\nNeeds `jobs:write`."
    assert expected == described["paths"]["/datasets/{dataset_id}"]["get"]["description"]


def test_rules_written_back_are_proposed_again_as_they_were():
    rules = read_rules(RULES, "rules.toml")
    described = deepcopy(annotated()[0])
    again = {str(rule.operation): rule.requirement for rule in rules_from_openapi(described).rules}
    wanted = {str(rule.operation).replace("{id}", "{dataset_id}"): rule.requirement for rule in rules.rules}
    assert wanted == {operation: again[operation] for operation in wanted}
