"""`scopekey organizations …`: tenants, for the operator."""

import json

import pytest

from tests.cli.reading import pairs, rows


@pytest.fixture
def tenant(command, operator):
    """The id of a tenant whose keys live a month at most."""
    return pairs(command("organizations", "create", "Acme", "--max-key-age", "30d").out)["id"]


def test_a_tenant_is_made_listed_and_shown(command, tenant):
    assert ["Operator", "Acme"] == [row[1] for row in rows(command("organizations", "list").out)]
    told = pairs(command("organizations", "show", tenant).out)
    assert ("Acme", "active", "30d", "not allowed") == tuple(
        told[name] for name in ("name", "status", "max key age", "never expires")
    )


def test_a_part_of_the_policy_is_changed_and_the_rest_stays(command, tenant):
    command("organizations", "edit", tenant, "--allow-never-expires")
    policy = json.loads(command("organizations", "show", tenant, "--json").out)["policy"]
    assert {"max_key_age": "30d", "never_expires": True} == policy
    command("organizations", "edit", tenant, "--max-key-age", "none", "--name", "Acme Ltd")
    told = json.loads(command("organizations", "show", tenant, "--json").out)
    assert ("Acme Ltd", {"max_key_age": None, "never_expires": True}) == (told["name"], told["policy"])


def test_a_suspension_refuses_the_tenants_keys_until_it_is_lifted(command, tenant, folder):
    command("keys", "create", "Theirs", "-p", "datasets:read", "--organization", tenant, "--key-file", "key")
    printed = (folder / "key").read_text()
    assert 0 == command("check", "-", "datasets:read", stdin=printed).code
    command("organizations", "edit", tenant, "--suspend")
    assert 1 == command("check", "-", "datasets:read", stdin=printed).code
    command("organizations", "edit", tenant, "--resume")
    assert 0 == command("check", "-", "datasets:read", stdin=printed).code


def test_keys_of_one_tenant_are_listed_alone(command, tenant, issue):
    issue("datasets:read", name="Ours")
    command("keys", "create", "Theirs", "-p", "datasets:read", "--organization", tenant, "--key-file", "key")
    assert ["Theirs"] == [row[1] for row in rows(command("keys", "list", "--organization", tenant).out)]


def test_a_cap_that_is_no_duration_could_not_be_asked(command, operator):
    ended = command("organizations", "create", "Acme", "--max-key-age", "a month")
    assert 2 == ended.code
    assert "max_key_age" in ended.err


def test_an_unknown_tenant_is_refused(command, operator):
    assert 1 == command("organizations", "show", "org_000000000000").code
