import re
from functools import cache
from itertools import product
from urllib.parse import unquote

from hypothesis import given, settings
from hypothesis import strategies as st

from scopekey.core.matcher import Matcher
from scopekey.core.requirement import Requirement
from scopekey.core.rules import InvalidOperationError, Operation, Rule, Rules
from scopekey.core.target import Target, read_target
from scopekey.core.template import Template
from tests.laws import values

REGISTER = values.PLAIN
NAMES = values.platform(REGISTER)[:4]
GRANTS = [frozenset(name for at, name in enumerate(NAMES) if number >> at & 1) for number in range(16)]
# Enough to tell any two of the templates below apart: `z` stands for any text that no template names.
WORDS = ("a", "ab", "az", "zb", "z", "z.z", "azb")
PATHS = ["/", *("/" + "/".join(w) + end for n in range(1, 5) for w in product(WORDS, repeat=n) for end in ("", "/"))]

written = st.lists(
    st.sampled_from(["a", "a", "ab", "a{x}", "{x}b", "a{x}b", "{x}.{y}", "{x}", "{x}"]), min_size=1, max_size=3
)


@st.composite
def templates(draw):
    segments = draw(written)
    if draw(st.integers(0, 3)) == 0:
        segments[draw(st.integers(0, len(segments) - 1))] = "{p*}"
    return "/" + "/".join(segments) + draw(st.sampled_from(["", "", "", "/"]))


@st.composite
def tables(draw):
    operations = draw(st.lists(st.tuples(st.sampled_from(["GET", "GET", "HEAD", "PUT"]), templates()), max_size=6))
    alternatives = st.lists(st.lists(st.sampled_from(NAMES), max_size=2, unique=True), max_size=2)
    return [(method, path, draw(st.none() | alternatives)) for method, path in dict.fromkeys(operations)]


@cache
def expression(template):
    pattern = ""
    for at, part in enumerate(re.split(r"(\{p\*\}|\{[xy]\})", template)):
        if part == "{p*}":
            pattern += r"(?:[^/]+/)*[^/]*" if template.endswith("{p*}") else r"[^/]+(?:/[^/]+)*"
        else:
            pattern += r"[^/]+" if at % 2 else re.escape(part)
    return re.compile(pattern)


@cache
def matched(template):
    return frozenset(path for path in PATHS if expression(template).fullmatch(path))


def rank(path):
    def of(segment):
        literal = re.sub(r"\{[xyp]\*?\}", "", segment)
        return (0, 0) if "{" not in segment else (1, -len(literal)) if literal else (3 if "*" in segment else 2, 0)

    return [of(segment) for segment in path[1:].split("/")]


def by_definition(table, method, path):
    """The rules that apply: all that match, less those that are strictly wider than another one that matches."""
    hits = [rule for rule in table if rule[0] == method and expression(rule[1]).fullmatch(path)]
    if not hits and method == "HEAD":
        return by_definition(table, "GET", path)
    return [rule for rule in hits if not any(matched(rule[1]) > matched(other[1]) for other in hits)]


def compiled(table):
    permission = REGISTER.catalog.permission
    return Matcher(
        Rules(
            tuple(
                Rule(
                    Operation.parse(f"{method} {path}"),
                    None if any_of is None else Requirement(tuple(tuple(map(permission, names)) for names in any_of)),
                )
                for method, path, any_of in table
            )
        ),
        REGISTER,
    )


requests = st.tuples(st.sampled_from(["GET", "HEAD", "PUT"]), st.sampled_from(PATHS))


@settings(max_examples=400, deadline=None)
@given(tables(), st.lists(requests, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_matcher_says_what_the_definition_says_whatever_the_order(table, asked, random):
    shuffled = random.sample(table, len(table))
    for method, path in asked:
        segments = tuple(path[1:].split("/"))
        applying = by_definition(table, method, path)
        found, again = compiled(table).match(method, segments), compiled(shuffled).match(method, segments)
        assert found == again
        assert (found is None) is (not applying)
        if found is None:
            continue
        guarded = [any_of for _, _, any_of in applying if any_of is not None]
        assert (found.need is None) is (not guarded)
        assert str(found.operation) in {f"{rule[0]} {rule[1]}" for rule in applying}
        if not any("*" in rule[1] for rule in applying):
            first = min(rank(rule[1]) for rule in applying)
            assert first == rank(found.operation.template.text)
        for held in GRANTS:
            allowed = all(any(set(names) <= held for names in any_of) for any_of in guarded)
            assert allowed is (found.need is None or found.need.satisfied(REGISTER.parse(held)) is not None)


@settings(max_examples=400, deadline=None)
@given(templates(), templates())
def test_a_template_covers_another_exactly_where_it_matches_all_that_the_other_matches(outer, inner):
    assert (matched(outer) >= matched(inner)) is Template.parse(outer).covers(Template.parse(inner))


@given(templates(), templates())
def test_templates_of_one_shape_match_the_same_paths(one, other):
    if Template.parse(one).shape == Template.parse(other).shape:
        assert matched(one) == matched(other)


SCRAPS = [
    "/",
    "/",
    "a",
    "B",
    "{x}",
    "{y}",
    "{p*}",
    "{",
    "}",
    "{}",
    ".",
    "..",
    "%2e",
    "%41",
    "%2F",
    "%25",
    "41",
    "%C3%A9",
]
SCRAPS += ["%FF", "%00", ";", "é", " ", "%20", "$", "=", "@", "-", "~", '"', "\\", "?", "#", "+"]


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(SCRAPS), max_size=8).map(lambda scraps: "/" + "".join(scraps)))
def test_every_template_that_is_accepted_is_matched_by_a_readable_request(text):
    try:
        rule = Rule(Operation.parse(f"GET {text}"), None)
    except InvalidOperationError:
        return
    written = re.sub(r"\{[xyp]\*?\}", "z", text)
    target = read_target(Target(tuple(map(unquote, written[1:].split("/")))).path.encode())
    assert isinstance(target, Target)
    found = Matcher(Rules((rule,)), REGISTER).match("GET", target.segments)
    assert found is not None
    assert rule.operation == found.operation
