"""Real platforms' published operations: one description to propose from, two tables of scopes the rules must hold.

They lie beside the repository, in ``../shared/reference`` as seen from its root; where that folder is
absent, nothing here can run, and each test says so.
"""

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import quote

import pytest

from scopekey.core.catalog import Catalog, Preset, Resource
from scopekey.core.decide import decide
from scopekey.core.decision import DenialReason
from scopekey.core.grant import Register
from scopekey.core.ids import key_id, organization_id
from scopekey.core.key import Key, Secret
from scopekey.core.matcher import Matcher
from scopekey.core.organization import Organization, Policy
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.core.target import Target, read_target
from scopekey.wire.catalog_file import read_catalog, write_catalog
from scopekey.wire.openapi import proposal_text, propose
from scopekey.wire.rules_file import read_rules, write_rules

REFERENCE = Path(__file__).parents[2] / "../shared/reference"
pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason="needs ../shared/reference beside the repository")

ORGANIZATION = Organization(organization_id(bytes(16)), "Acme", policy=Policy(never_expires=True))
SECRET = Secret(bytes(32), "0" * 8)
PARAMETER = re.compile(r"\{[^}]+\}")


def published_catalog():
    facts = tomllib.loads((REFERENCE / "narrative-permissions.toml").read_text())
    resources = (
        Resource(r["name"], r["title"], r["group"], tuple(r["levels"]), r["covers"]) for r in facts["resource"]
    )
    presets = (Preset(p["name"], p["title"], tuple(p["permissions"])) for p in facts["preset"])
    return Catalog("data_platform", tuple(resources), tuple(presets))


def document():
    return json.loads((REFERENCE / "narrative-openapi.json").read_text())


def described(root):
    """The operations of the document, counted without the code under test."""
    methods = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
    return {f"{method.upper()} {path}" for path, item in root["paths"].items() for method in item if method in methods}


def call(operation):
    """Make a concrete call of an operation: its method, and its path with values in it, as a target is read."""
    method, _, path = operation.partition(" ")
    read = read_target(quote(PARAMETER.sub("zz7", path), safe="/~.@:+=$,!*'()&_-").encode())
    assert isinstance(read, Target), operation
    return method, read.segments


def key(register, permissions):
    return Key(key_id(bytes(16)), 1, ORGANIZATION.id, "live", (SECRET,), register.parse(permissions), 0)


def decided(matcher, register, operation, permissions):
    found = matcher.match(*call(operation))
    assert found is not None, operation
    if found.need is None:
        return True
    holder = key(register, permissions)
    decision = decide(holder, SECRET, ORGANIZATION, found.need, register=register, now=0, address=None)
    assert decision or decision.reason is DenialReason.MISSING_PERMISSION
    return bool(decision)


def covered(rule, permissions):
    """What the rule says of these permissions, by sets of names alone."""
    return rule.public or any(set(names) <= set(permissions) for names in rule.requirement.names())


def test_every_one_of_215_operations_is_guarded_or_public_and_none_is_left_out():
    root = document()
    proposal = propose(root, published_catalog())
    assert 215 == len(described(root))
    assert described(root) == {str(proposed.rule.operation) for proposed in proposal.rules}
    assert () == proposal.left_out
    public = {
        f"{method.upper()} {path}"
        for path, item in root["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and operation.get("security") == [{}]
    }
    assert 18 == len(public)
    assert public == {str(proposed.rule.operation) for proposed in proposal.rules if proposed.rule.public}


@pytest.mark.parametrize(
    ("requires", "named", "operation"),
    [
        ("datasets:read", "dataset_id", "GET /datasets/{dataset_id}/sample"),
        ("data_streams:write", "data_stream_id", "PUT /data-stream/{data_stream_id}"),
        ("app_events:write", None, "POST /apps/events"),
        ("app_profiles:read", None, "GET /apps/{app_slug}/profiles"),
        ("profile_store_schema:write", None, "PUT /apps/{app_slug}/manifest/profile-store-schema"),
        ("apps:read", "app_slug", "GET /apps/{app_slug}/profile-store/${profile_id}"),
        ("destinations:read", None, "GET /destinations/subscription_id={subscription_id}"),
        ("encryption_materials:write", None, "GET /encryption-materials"),
        ("subscriptions:read", "subscription_id", "GET /data-shops/subscriptions/{subscription_id}/schema"),
        ("queries:read", "query_id", "GET /v2/queries/{query_id}"),
        ("users:write", "user_id", "PUT /users/{user_id}"),
        ("", None, "GET /billings/dataset-storage-billing"),
        ("", None, "POST /nql/run"),
    ],
)
def test_a_proposal_is_what_a_reader_of_the_published_table_would_write(requires, named, operation):
    rules = {str(p.rule.operation): p.rule for p in propose(document(), published_catalog()).rules}
    assert (requires, named) == (str(rules[operation].requirement), rules[operation].object)


def test_keys_of_the_four_published_presets_are_decided_on_all_operations_both_ways():
    catalog = published_catalog()
    register = Register.first(catalog)
    rules = propose(document(), catalog).table
    matcher = Matcher(rules, register)
    outcomes = {}
    for preset in catalog.presets:
        for rule in rules.rules:
            allowed = decided(matcher, register, str(rule.operation), preset.permissions)
            assert covered(rule, preset.permissions) == allowed, (preset.name, str(rule.operation))
            outcomes.setdefault(preset.name, []).append(allowed)
    assert {preset.name: 215 for preset in catalog.presets} == {name: len(found) for name, found in outcomes.items()}
    assert all(18 < sum(found) < 215 for found in outcomes.values())


@pytest.mark.parametrize(
    ("wide", "narrow", "crossing"),
    [
        (
            "POST /mappings/{mapping_id}/accept",
            "POST /mappings/companies/{company_id}",
            "POST /mappings/companies/accept",
        ),
        ("GET /mappings/{mapping_id}/sample", "GET /mappings/companies/{company_id}", "GET /mappings/companies/sample"),
    ],
)
def test_a_path_that_two_crossing_templates_match_needs_what_both_need(wide, narrow, crossing):
    catalog = published_catalog()
    register = Register.first(catalog)
    other = Requirement.all_of(Permission("company_info", "write"))
    rules = {str(rule.operation): rule for rule in propose(document(), catalog).table.rules}
    rules[narrow] = Rule(rules[narrow].operation, other)
    matcher = Matcher(Rules(tuple(rules.values())), register)
    mine, theirs = rules[wide].requirement.names()[0], ["company_info:write"]
    assert (False, False, True) == tuple(
        decided(matcher, register, crossing, held) for held in (mine, theirs, [*mine, *theirs])
    )


def test_the_written_proposal_is_read_back_as_it_is():
    proposal = propose(document(), published_catalog())
    assert proposal.table == read_rules(proposal_text(proposal), "rules.toml", proposal.catalog)
    assert proposal.catalog == read_catalog(write_catalog(proposal.catalog), "catalog.toml")


def test_without_a_catalog_one_is_proposed_that_guards_every_operation_that_is_not_public():
    proposal = propose(document())
    assert (215, 197, 18, 0, 0) == tuple(getattr(proposal.counts, name) for name in proposal.counts.__struct_fields__)
    register = Register.first(read_catalog(write_catalog(proposal.catalog), "catalog.toml"))
    rules = read_rules(proposal_text(proposal), "rules.toml", register.catalog)
    matcher = Matcher(rules, register)
    for rule in rules.rules:
        assert decided(matcher, register, str(rule.operation), proposal.catalog.permissions)
        assert rule.public == decided(matcher, register, str(rule.operation), [])


def published_rows(file):
    rows = json.loads((REFERENCE / file).read_text())["rows"]
    return [
        (
            f"{row['method'].upper()} {row['path']}",
            # What names no permission and is not public needs a key, any key.
            None
            if row["public"]
            else [[f"{p['resource']}:{p['level']}" for p in any_] for any_ in row["any_of"]] or [[]],
        )
        for row in rows
    ]


def catalog_of(rows):
    used = sorted({name for _, any_of in rows for names in any_of or () for name in names})
    levels = {}
    for name in used:
        resource, _, level = name.partition(":")
        levels.setdefault(resource, []).append(level)
    resources = (Resource(name, name, "Published", tuple(offered)) for name, offered in levels.items())
    declared = tuple(dict.fromkeys(level for offered in levels.values() for level in offered))
    return Catalog("published", tuple(resources), levels=declared, observes=())


@pytest.mark.parametrize(("count", "file"), [(390, "linode-scopes.json"), (659, "digitalocean-scopes.json")])
def test_published_scopes_are_held_by_the_rules_and_no_operation_is_cheaper_than_published(count, file):
    rows = published_rows(file)
    catalog = catalog_of(rows)
    rules = Rules(
        tuple(
            Rule(
                Operation.parse(text),
                None
                if any_of is None
                else Requirement(tuple(tuple(catalog.permission(name) for name in names) for names in any_of)),
            )
            for text, any_of in rows
        )
    )
    assert count == len(rules.rules)
    assert [] == list(rules.faults())
    assert rules == read_rules(write_rules(rules), "rules.toml", catalog)
    matcher = Matcher(rules, Register.first(catalog))
    for text, any_of in rows:
        found = matcher.match(*call(text))
        assert found is not None, text
        assert any_of is None or at_least_as_strict(found.need, any_of), text


def at_least_as_strict(need, any_of):
    """Tell whether whoever satisfies the need also satisfies the published alternatives, by sets of names."""
    if need is None:
        return False
    return all(any(set(own) <= set(names) for own in any_of) for names in need.requirement.names())
