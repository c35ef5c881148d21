import json
from pathlib import Path

import msgspec
import pytest

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.insight.baseline import BaselineError, read_baseline, write_baseline
from scopekey.insight.finding import Severity
from scopekey.insight.kinds_of_path import crossing
from scopekey.insight.lint import lint
from scopekey.wire.openapi import propose

NARRATIVE = Path(__file__).parents[3] / "shared" / "reference" / "narrative-openapi.json"
CATALOG = Catalog("small", (Resource("datasets", "Datasets", "Data", ("read", "write")),))


def rule(operation, *ways, named=None):
    """A rule; each way is permissions with spaces between. The word `public` makes it so."""
    if ways == ("public",):
        return Rule(Operation.parse(operation), None)
    alternatives = tuple(tuple(Permission.parse(name) for name in way.split()) for way in ways)
    return Rule(Operation.parse(operation), Requirement(alternatives), named)


def found(*rules, catalog=CATALOG, document=None, **given):
    findings = lint(Rules(rules), catalog, document, **given)
    return {finding.code: finding for finding in findings if finding.code != "unused-permission"}


def documented(*operations):
    paths = {}
    for operation in operations:
        method, path = operation.split()
        paths.setdefault(path, {})[method.lower()] = {}
    return {"openapi": "3.1.0", "paths": paths}


class TestOneRule:
    def test_an_unknown_permission_is_an_error_that_tells_the_nearest(self):
        finding = found(rule("GET /d", "dataset:read"))["unknown-permission"]
        assert Severity.ERROR is finding.severity
        assert "did you mean 'datasets:read'?" in finding.message

    @pytest.mark.parametrize(
        ("code", "made"),
        [
            ("public-operation", rule("GET /d", "public")),
            ("closed-operation", rule("GET /d")),
            ("any-live-key", rule("GET /d", "")),
            ("get-needs-write", rule("GET /d", "datasets:write")),
            ("write-only-observes", rule("POST /d", "datasets:read")),
            ("unnamed-object", rule("GET /d/{dataset_id}", "datasets:read")),
        ],
    )
    def test_what_somebody_should_have_seen_is_listed(self, code, made):
        assert [code] == list(found(made))

    @pytest.mark.parametrize(
        "made",
        [
            rule("GET /d", "datasets:read"),
            rule("GET /d", "datasets:read", "datasets:write"),
            rule("POST /d", "datasets:write"),
            rule("POST /d", "datasets:read datasets:write"),
            rule("GET /d/{dataset_id}", "datasets:read", named="dataset_id"),
            rule("GET /d/{page}", "datasets:read"),
        ],
    )
    def test_an_ordinary_rule_has_no_finding(self, made):
        assert {} == found(made)

    def test_a_permission_no_operation_needs_is_listed_and_our_own_are_not(self):
        findings = lint(Rules((rule("GET /d", "datasets:read"),)), CATALOG)
        assert [("unused-permission", ("datasets:write",))] == [(one.code, one.needs) for one in findings]


class TestPairs:
    @pytest.mark.parametrize(
        ("code", "example", "one", "other"),
        [
            ("crossing", "GET /a/b", rule("GET /a/{x}", "datasets:read"), rule("GET /{x}/b", "datasets:read")),
            ("crossing-differ", "GET /a/b", rule("GET /a/{x}", "datasets:read"), rule("GET /{x}/b", "public")),
            ("dominated", "GET /a", rule("GET /{x}", "datasets:read"), rule("GET /a", "datasets:read")),
            ("dominated-differ", "GET /a", rule("GET /{x}", "public"), rule("GET /a", "datasets:read")),
            ("dominated-looser", "GET /a", rule("GET /{x}", "datasets:read"), rule("GET /a", "public")),
            ("same-paths", "GET /x", rule("GET /{x}", "datasets:read"), rule("GET /{y}", "datasets:read")),
            ("same-paths-differ", "GET /x", rule("GET /{x}", "datasets:read"), rule("GET /{y}", "public")),
        ],
    )
    def test_a_pair_is_told_with_a_path_that_both_match(self, code, example, one, other):
        assert example == found(one, other)[code].example
        assert example == found(other, one)[code].example

    def test_the_narrower_one_of_a_dominated_pair_comes_first(self):
        finding = found(rule("GET /{x}", "datasets:read"), rule("GET /a", "datasets:read"))["dominated"]
        assert ("GET /a", "GET /{x}") == finding.operations

    def test_the_order_of_permissions_and_alternatives_is_no_difference(self):
        one = rule("GET /a/{x}", "datasets:read datasets:write", "datasets:read")
        assert "crossing" in found(one, rule("GET /{x}/b", "datasets:read"))

    def test_methods_do_not_meet(self):
        assert not found(rule("GET /a/{x}", "datasets:read"), rule("PUT /{x}/b", "datasets:write"))


class TestDocument:
    def test_an_operation_without_a_rule_is_an_error(self):
        finding = found(rule("GET /a", "datasets:read"), document=documented("GET /a", "GET /a/{x}"))
        assert ("GET /a/{x}",) == finding["uncovered-operation"].operations

    def test_a_wider_rule_covers_and_the_names_of_parameters_do_not_matter(self):
        document = documented("GET /a/{x}/b", "GET /a/{z}", "HEAD /a/{z}")
        assert not found(rule("GET /a/{p*}", "datasets:read"), document=document)

    def test_a_rule_for_what_is_not_described_is_a_warning(self):
        finding = found(rule("GET /a", "datasets:read"), document=documented("GET /{x}"))["undocumented-operation"]
        assert Severity.WARNING is finding.severity
        assert 0 == finding.rule

    def test_a_base_path_stands_before_the_documents_paths(self):
        assert not found(rule("GET /v1/a", "datasets:read"), document=documented("GET /a"), base_path="/v1/")

    def test_what_is_no_operation_is_told(self):
        assert "unclosed brace" in found(document=documented("GET /a/{x"))["unread-operation"].message


class TestBaseline:
    def test_it_accepts_what_was_found_and_is_the_same_text_again(self):
        findings = lint(Rules((rule("GET /d", "public"), rule("GET /e"))), CATALOG)
        text = write_baseline(findings)
        assert {finding.fingerprint for finding in findings} == read_baseline(text)
        assert text == write_baseline(findings[::-1])

    def test_what_is_needed_instead_is_not_accepted(self):
        before = found(rule("GET /a/{x}", "datasets:read"), rule("GET /{x}/b", "public"))["crossing-differ"]
        after = found(rule("GET /a/{x}", "datasets:write"), rule("GET /{x}/b", "public"))["crossing-differ"]
        assert before.fingerprint != after.fingerprint

    @pytest.mark.parametrize(
        "text", ["", "[]", '{"accepted": [{"fingerprint": "x"}]}', '{"accepted": [], "version": 2}']
    )
    def test_another_file_is_no_baseline(self, text):
        with pytest.raises(BaselineError):
            read_baseline(text)


@pytest.mark.skipif(not NARRATIVE.exists(), reason="the published description is not here")
class TestPublishedDescription:
    @pytest.fixture
    def document(self):
        return json.loads(NARRATIVE.read_text())

    @pytest.fixture
    def proposal(self, document):
        return propose(document)

    def test_seven_pairs_of_operations_cross_and_ten_of_templates(self, proposal, document):
        findings = lint(proposal.table, proposal.catalog, document)
        assert 7 == sum(finding.code.startswith("crossing") for finding in findings)
        shapes = {rule.operation.template.shape: rule.operation.template for rule in proposal.table.rules}
        assert 10 == sum(map(len, crossing(list(shapes.values())))) // 2

    def test_the_proposed_rules_leave_nothing_uncovered(self, proposal, document):
        codes = {finding.code for finding in lint(proposal.table, proposal.catalog, document)}
        assert not codes & {"uncovered-operation", "undocumented-operation", "unknown-permission", "crossing-differ"}

    @pytest.mark.parametrize(
        "edited",
        [
            "GET /data-shops/subscriptions/cost-forecasts/{cost_forecast_id}",
            "GET /data-shops/subscriptions/{subscription_id}/deliveries",
            "POST /mappings/companies/{company_id}",
            "GET /mappings/{mapping_id}/sample",
        ],
    )
    def test_exactly_the_pairs_of_an_edited_operation_differ(self, proposal, edited):
        table = proposal.table
        other = Requirement.all_of(Permission("access_rules", "write"))
        rules = tuple(
            msgspec.structs.replace(rule, requirement=other) if str(rule.operation) == edited else rule
            for rule in table.rules
        )
        before, after = (lint(Rules(some), proposal.catalog) for some in (table.rules, rules))
        expected = {one.operations for one in before if one.code == "crossing" and edited in one.operations}
        assert expected
        assert expected == {one.operations for one in after if one.code == "crossing-differ"}
