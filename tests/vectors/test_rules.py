import random

import pytest

from scopekey.core.grant import Register
from scopekey.core.matcher import Match, Matcher
from scopekey.core.rules import InvalidOperationError, Operation
from scopekey.core.target import Target, read_target
from scopekey.core.template import Template
from tests.vectors.rows import catalog_of, rules_of, vectors

FILE = vectors("rules.json")
REGISTER = Register.first(catalog_of(FILE["catalog"]))


def answer(request, matcher):
    target = read_target(request["target"].encode("latin-1"))
    assert isinstance(target, Target)
    found = matcher.match(request["method"], target.segments, preflight=request.get("preflight", False))
    return {
        "method": request["method"],
        "target": request["target"],
        **({"preflight": True} if request.get("preflight") else {}),
        **_facts(request, found, target),
        "why": request["why"],
    }


def _facts(request, found: Match | None, target: Target):
    if found is None:
        return {"operation": None}
    need = found.need
    facts = {"operation": str(found.operation), "any_of": need.requirement.names() if need else None}
    more = {"object": found.object_of(target.segments), "writes": found.writes, "report": found.report}
    return facts | {name: value for name, value in more.items() if name in request}


@pytest.mark.parametrize("table", FILE["tables"], ids=lambda table: table["name"])
@pytest.mark.parametrize("order", ["as written", "reversed", "shuffled"])
def test_each_request_finds_its_operation_whatever_the_order_of_the_table(table, order):
    written = list(table["rules"])
    if order == "reversed":
        written.reverse()
    if order == "shuffled":
        random.Random(table["name"]).shuffle(written)
    rules = rules_of(written, REGISTER, cors_preflight=table.get("cors_preflight", False))
    matcher = Matcher(rules, REGISTER)
    assert table["requests"] == [answer(request, matcher) for request in table["requests"]]


@pytest.mark.parametrize("row", FILE["bad_operations"], ids=lambda row: row["why"])
def test_what_is_no_operation_is_refused(row):
    with pytest.raises(InvalidOperationError):
        Operation.parse(row["operation"])


@pytest.mark.parametrize("row", FILE["faults"], ids=lambda row: row["why"])
def test_an_ambiguous_table_is_faulted(row):
    faults = rules_of(row["rules"], REGISTER).faults()
    assert row["faults"] == [[fault.rule, fault.field] for fault in faults]


@pytest.mark.parametrize("row", FILE["covers"], ids=lambda row: f"{row['outer']} {row['inner']}")
def test_one_template_is_wider_than_another(row):
    assert row["covers"] is Template.parse(row["outer"]).covers(Template.parse(row["inner"]))
