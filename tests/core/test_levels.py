"""Catalogs with other levels than read and write: levels that imply one another, and verbs that imply nothing."""

import pytest

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.matcher import Matcher
from scopekey.core.requirement import Requirement, need
from scopekey.core.rules import Operation, Rule, Rules

LADDER = ("read", "write", "admin")
VERBS = ("create", "read", "update", "delete", "list", "access_console")
LADDERED = Register.first(
    Catalog(
        "laddered",
        (
            Resource("volumes", "Volumes", "Storage", LADDER),
            Resource("events", "Events", "Account", ("read",)),
            Resource("vpc", "VPC", "Network", ("read", "admin")),
            Resource("tokens", "Tokens", "Account", ("read", "write", "admin")),
        ),
        levels=LADDER,
        implies={"write": ("read",), "admin": ("write",)},
        own={"keys": "tokens"},
    )
)
VERBAL = Register.first(
    Catalog("verbal", (Resource("droplet", "Droplets", "Compute", VERBS),), levels=VERBS, observes=("read", "list"))
)


def opened(register, *held):
    """All that a grant comes to, by name."""
    return set(register.names(register.effective(register.parse(held))))


def compiled(register, *alternatives):
    permission = register.catalog.permission
    return need(Requirement(tuple(tuple(map(permission, names.split())) for names in alternatives)), register)


def missing(register, held, *alternatives):
    found = compiled(register, *alternatives).missing(register.effective(register.parse(held)), register)
    return [str(permission) for permission in found]


@pytest.mark.parametrize(
    ("opens", "held"),
    [
        ({"volumes:read"}, "volumes:read"),
        ({"volumes:read", "volumes:write"}, "volumes:write"),
        ({"volumes:read", "volumes:write", "volumes:admin"}, "volumes:admin"),
        ({"events:read"}, "events:read"),
        # The level between is not offered, and what it would bring along is.
        ({"vpc:read", "vpc:admin"}, "vpc:admin"),
        # What guards Scopekey itself follows no `implies`, by either name.
        ({"tokens:write"}, "tokens:write"),
        ({"tokens:admin"}, "tokens:admin"),
        ({"tokens:write"}, "scopekey_keys:write"),
        ({"scopekey_usage:write"}, "scopekey_usage:write"),
    ],
)
def test_a_level_brings_the_lower_ones_along_where_its_resource_offers_them(opens, held):
    assert opens == opened(LADDERED, held)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_brings_nothing_along(verb):
    assert {f"droplet:{verb}"} == opened(VERBAL, f"droplet:{verb}")


@pytest.mark.parametrize(
    ("names", "held", "alternatives"),
    [
        (["volumes:write"], [], ["volumes:read volumes:write"]),
        (["volumes:admin"], ["volumes:write"], ["volumes:admin volumes:read"]),
        (["volumes:read"], [], ["volumes:read"]),
        (["volumes:admin"], [], ["events:read vpc:read", "volumes:read volumes:write volumes:admin"]),
        (["events:read"], [], ["events:read", "volumes:read volumes:write"]),
        (["vpc:admin", "events:read"], [], ["vpc:read vpc:admin events:read"]),
        (["tokens:read", "tokens:write"], [], ["tokens:read tokens:write"]),
    ],
)
def test_what_is_missing_names_only_what_must_be_asked_for(names, held, alternatives):
    assert set(names) == set(missing(LADDERED, held, *alternatives))
    assert len(names) == len(missing(LADDERED, held, *alternatives))


def test_each_verb_that_is_missing_must_be_asked_for():
    assert ["droplet:create", "droplet:access_console"] == missing(
        VERBAL, ["droplet:read"], "droplet:create droplet:read droplet:access_console"
    )


@pytest.mark.parametrize(
    ("writes", "operation", "alternatives"),
    [
        (False, "GET /x", ["droplet:read"]),
        (False, "POST /x", ["droplet:list"]),
        (False, "POST /x", ["droplet:read", "droplet:list"]),
        (False, "DELETE /x", ["droplet:read droplet:list"]),
        (True, "GET /x", ["droplet:access_console"]),
        (True, "GET /x", ["droplet:read droplet:update"]),
        (True, "GET /x", ["droplet:read", "droplet:update"]),
        (True, "HEAD /x", ["droplet:delete"]),
        (False, "GET /x", [""]),
        (True, "POST /x", [""]),
    ],
)
def test_what_the_journal_calls_a_write_follows_the_levels_that_observe_and_not_the_method(
    writes, operation, alternatives
):
    requirement = compiled(VERBAL, *alternatives).requirement
    matcher = Matcher(Rules((Rule(Operation.parse(operation), requirement),)), VERBAL)
    assert writes is matcher.match(operation.partition(" ")[0], ("x",)).writes


def test_a_level_that_brings_an_observing_one_along_is_still_a_write():
    assert not compiled(LADDERED, "volumes:admin").observes
    assert compiled(LADDERED, "volumes:read events:read").observes
