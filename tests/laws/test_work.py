"""How much a hostile path can make the matcher do: counted, not timed."""

import pytest

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.matcher import Matcher
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.core.target import MAX_PATH_LENGTH, Target, read_target

REGISTER = Register.first(Catalog("p", (Resource("a", "A", "G", ("read",)),)))
TEMPLATES = [
    "/{a}/{b}/{c}/{d}/{e}/{f}",
    "/a/{b}/a/{d}/a/{f}",
    "/{a}/a/{c}/a/{e}/a",
    "/a/a/a/a/a/a",
    "/a.{b}/{c}.a/{d}.{e}.{f}/x",
    "/{a}.{b}.{c}.{d}.{e}.{f}.{g}",
    "/{a}a{b}a{c}a{d}a{e}a{f}z",
    "/files/{path*}",
    "/{path*}/a",
    "/{path*}/a/{b}/a",
    "/{path*}/{a}.{b}/{c}.{d}",
    "/a/{path*}/a/a",
    "/a/{b}/{path*}/a/{c}/{d}/{e}",
]
UNITS = [
    "/",
    "/a",
    "/a.a",
    "/.",
    "/..",
    "a",
    ".",
    "aa.",
    "%",
    "%61",
    "%2e",
    "%2F",
    "%25",
    "%7E",
    "%C3%A9",
    "/%7E",
    "/a/a.",
]
UNITS += ["\\", ";", "?", "#", "/files", "/%C3", "\xff", "/a%", "~", "@", "/-"]
HOSTILE = [
    (begin + ("" if unit.startswith("/") else "/") + unit * size)[:size]
    for begin in ("", "/a", "/files", "/a.a/a")
    for unit in UNITS
    for size in (MAX_PATH_LENGTH - 2, MAX_PATH_LENGTH, 65536)
]


class Looking(dict):
    """The ways on from one place, which counts how often somebody stands there."""

    looked = 0

    def get(self, key, default=None):
        Looking.looked += 1
        return super().get(key, default)


def watched(node):
    """Make every place of a tree count; the number of places."""
    node.literals = Looking(node.literals)
    following = [*node.literals.values(), *(after for _, after in node.mixed), node.parameter, node.span]
    return 1 + sum(watched(after) for after in following if after)


@pytest.fixture(scope="module")
def matcher():
    rules = (Rule(Operation.parse(f"GET {path}"), Requirement(((),))) for path in TEMPLATES)
    return Matcher(Rules(tuple(rules)), REGISTER)


def test_no_path_makes_the_matcher_stand_in_more_places_than_the_table_has(matcher):
    (root,) = matcher._roots.values()
    places = watched(root)
    # A place behind a span is reached once for each length that what follows the span can have.
    most = places * max(len(node.tails) for node in (root, root.literals["a"], root.literals["files"]))
    counts = []
    for path in HOSTILE:
        target = read_target(path.encode("latin-1"))
        if isinstance(target, Target):
            Looking.looked = 0
            matcher.match("GET", target.segments)
            counts.append(Looking.looked)
    assert len(counts) > 20
    assert most >= max(counts), (most, max(counts))
