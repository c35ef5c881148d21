from scopekey.core.catalog import Catalog, Preset, Resource
from scopekey.core.grant import Register
from scopekey.core.purpose import nearest_preset, purpose
from scopekey.core.reach import reach
from scopekey.core.requirement import Requirement, need
from scopekey.core.rules import Operation, Rule, Rules

REGISTER = Register.first(
    Catalog(
        "p",
        (
            Resource("datasets", "Datasets", "Core Data", ("read", "write")),
            Resource("queries", "Queries", "Core Data", ("read", "write")),
            Resource("jobs", "Jobs", "Operations", ("read",)),
        ),
        (
            Preset("look", "Look", ("datasets:read", "queries:read")),
            Preset("all", "All", ("datasets:read", "datasets:write", "queries:read", "queries:write")),
        ),
    )
)


def requirement(*alternatives):
    return Requirement(tuple(tuple(map(REGISTER.catalog.permission, names.split())) for names in alternatives))


def test_a_requirement_is_written_as_its_header():
    assert "datasets:read, queries:read; jobs:read" == str(requirement("datasets:read queries:read", "jobs:read"))
    assert "" == str(requirement(""))


def test_joining_two_requirements_leaves_out_what_stands_twice():
    joined = requirement("datasets:read", "jobs:read").both(requirement("datasets:read", "queries:read jobs:read"))
    assert [
        ["datasets:read"],
        ["datasets:read", "queries:read", "jobs:read"],
        ["jobs:read", "datasets:read"],
        ["jobs:read", "queries:read"],
    ] == joined.names()


def test_nobody_and_somebody_is_nobody_and_any_key_and_somebody_is_somebody():
    assert [] == requirement().both(requirement("jobs:read")).names()
    assert [["jobs:read"]] == requirement("").both(requirement("jobs:read")).names()


def test_what_was_intended_is_told_by_level_and_group():
    compiled = need(requirement("datasets:read queries:read datasets:write", "jobs:read"), REGISTER)
    assert (("read", "Core Data"), ("write", "Core Data")) == compiled.intended
    assert () == need(requirement(), REGISTER).intended


def test_a_requirement_of_nothing_does_not_count_as_looking():
    assert not need(requirement(""), REGISTER).observes
    assert need(requirement("datasets:read", "jobs:read"), REGISTER).observes
    assert not need(requirement("datasets:read", "datasets:write"), REGISTER).observes


def test_the_reach_of_a_grant_keeps_the_table_s_order_and_sets_public_apart():
    rules = Rules(
        (
            Rule(Operation.parse("GET /b"), requirement("datasets:read")),
            Rule(Operation.parse("GET /a"), requirement("datasets:write")),
            Rule(Operation.parse("GET /c"), None),
            Rule(Operation.parse("GET /d"), requirement("")),
            Rule(Operation.parse("GET /e"), requirement()),
        )
    )
    found = reach(rules, REGISTER, REGISTER.parse(["datasets:read"]))
    assert [["GET /b", "GET /d"], ["GET /a", "GET /e"], ["GET /c"]] == [
        list(map(str, operations)) for operations in (found.open, found.closed, found.public)
    ]


def test_a_grant_is_put_into_words():
    def words(*names):
        return purpose(REGISTER, REGISTER.parse(names))

    assert "Read Datasets and Queries; changes nothing." == words("datasets:read", "queries:read")
    assert (
        "Read Datasets, Queries and Jobs; write Datasets.".lower()
        == words("datasets:read", "queries:read", "jobs:read", "datasets:write").lower()
    )
    assert words().startswith("Nothing")
    assert purpose(REGISTER, REGISTER.all).startswith("Everything")


def test_the_nearest_preset_is_the_one_that_differs_least():
    preset, distance = nearest_preset(REGISTER, REGISTER.parse(["datasets:read", "datasets:write", "queries:read"]))
    assert ("look", 1) == (preset.name, distance)
    assert nearest_preset(REGISTER, REGISTER.parse(["jobs:read"])) is None
