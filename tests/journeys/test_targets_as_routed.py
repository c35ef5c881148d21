"""What the check reads in a target against what real frameworks route, on real servers, byte for byte.

The law: a target is refused, or the framework serves a route whose permission the check asked for, with the
values that the check read, or it serves nothing. Where a framework agrees only under a setting, the app has it;
`spec/targets.md` lists them ("What servers do").
"""

import random
from itertools import product

import pytest

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.matcher import Match, Matcher, value_of
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.core.target import Target, read_target
from tests.journeys.routed.routes import ROUTES
from tests.journeys.routed.servers import NAMES, serving
from tests.vectors.rows import vectors

pytestmark = pytest.mark.journey

# Each route needs a permission of its own, so that what was asked for says which routes the check had in mind.
NEEDED = {f"route_{at}": operation for at, operation in enumerate(ROUTES)}
REGISTER = Register.first(Catalog("routed", tuple(Resource(name, name, "G", ("read",)) for name in NEEDED)))
MATCHER = Matcher(
    Rules(
        tuple(
            Rule(Operation.parse(operation), Requirement.all_of(Permission(name, "read")))
            for name, operation in NEEDED.items()
        )
    ),
    REGISTER,
)
RANDOM_TARGETS = 1_500

LEGITIMATE = {
    b"/datasets/42": ("GET /datasets/{dataset_id}", {"dataset_id": "42"}),
    b"/datasets/caf%C3%A9": ("GET /datasets/{dataset_id}", {"dataset_id": "café"}),
    b"/datasets/caf%c3%a9": ("GET /datasets/{dataset_id}", {"dataset_id": "café"}),
    b"/datasets/%F0%9F%98%80": ("GET /datasets/{dataset_id}", {"dataset_id": "😀"}),
    b"/datasets/a+b": ("GET /datasets/{dataset_id}", {"dataset_id": "a+b"}),
    b"/datasets/a%2Bb": ("GET /datasets/{dataset_id}", {"dataset_id": "a+b"}),
    b"/datasets/a%20b": ("GET /datasets/{dataset_id}", {"dataset_id": "a b"}),
    b"/datasets/mail@example.com": ("GET /datasets/{dataset_id}", {"dataset_id": "mail@example.com"}),
    b"/datasets/mail%40example.com": ("GET /datasets/{dataset_id}", {"dataset_id": "mail@example.com"}),
    b"/datasets/urn:x:1": ("GET /datasets/{dataset_id}", {"dataset_id": "urn:x:1"}),
    b"/datasets/~me": ("GET /datasets/{dataset_id}", {"dataset_id": "~me"}),
    b"/datasets/%7Eme": ("GET /datasets/{dataset_id}", {"dataset_id": "~me"}),
    b"/datasets/f('x')!*&=$,": ("GET /datasets/{dataset_id}", {"dataset_id": "f('x')!*&=$,"}),
    b"/datasets/100%25": ("GET /datasets/{dataset_id}", {"dataset_id": "100%"}),
    b"/datasets/what%3F%23": ("GET /datasets/{dataset_id}", {"dataset_id": "what?#"}),
    b"/datasets/%22%3C%5B%7B%7C": ("GET /datasets/{dataset_id}", {"dataset_id": '"<[{|'}),
    b"/datasets/%EF%BC%8F": ("GET /datasets/{dataset_id}", {"dataset_id": "\uff0f"}),
    b"/datasets/...": ("GET /datasets/{dataset_id}", {"dataset_id": "..."}),
    b"/datasets?limit=1&x=/../y": ("GET /datasets", {}),
    b"/caf%C3%A9/1%202": ("GET /café/{item}", {"item": "1 2"}),
    b"/jobs/7/": ("GET /jobs/{job_id}/", {"job_id": "7"}),
    b"/orgs/a%20b/users/%40c": ("GET /orgs/{org}/users/{user}", {"org": "a b", "user": "@c"}),
    b"/orgs/a/b/c": ("GET /orgs/{org}/{rest*}", {"org": "a", "rest": "b/c"}),
    b"/files/a/caf%C3%A9/c%20d.txt": ("GET /files/{path*}", {"path": "a/café/c d.txt"}),
    b"/subs/id=a%3Db": ("GET /subs/id={sub_id}", {"sub_id": "a=b"}),
    b"/subs/id%3D5": ("GET /subs/id={sub_id}", {"sub_id": "5"}),
    b"/versions/1.2.3": ("GET /versions/{major}.{minor}", {"major": "1.2", "minor": "3"}),
    b"/models/%40cf": ("GET /models/@cf", {}),
    b"/v2/a-b_c.d~e": ("GET /v2/a-b_c.d~e", {}),
}

# Prefixes that lead somewhere, and pieces that have been misread by one server or another.
PLACES = ("/", "/datasets", "/datasets/", "/datasets/mine", "/jobs", "/jobs/", "/orgs/1/", "/orgs/1/users/", "/files/")
PLACES += ("/subs/", "/subs/id=", "/versions/", "/ranges/", "/models/", "/v2/", "/caf%C3%A9/", "/caf%c3%a9/", "/CAFÉ/")
PIECES = ("/", "/", "mine", "MINE", "sample", "users", "id=", "id%3D", "@cf", "%40cf", "%40CF", "a-b_c.d~e", "d%7Ee")
PIECES += ("1", "a", "B", ".", "..", "...", "-", "--", "~", "%7e", "+", "%2B", "%20", ":", "%3A", "=", "&", "'", "*")
PIECES += ("(", ")", "!", "$", "%24", ",", "%2C", "%C3%A9", "%c3%a9", "e%CC%81", "%F0%9F%98%80", "%EF%BC%8F", "%25")
PIECES += ("%25zz", "%3F", "%23", "%5B", "%7B", "%7C", "%22", "%C2%A0", "%E2%80%A8", "%E2%84%AA", "%C4%B0", "%EF%BB%BF")
PIECES += ("%2e", "%2F", "%5c", "%00", "%6d", "%2D", ";", "%3B", "//", "\\", "?", "?/../", "?x=%2F", "#", "%C0%AF", "%")


def read(method: str, raw: bytes) -> tuple[Match, tuple[str, ...]] | None:
    """What the check says a request is; None where it refuses."""
    target = read_target(raw)
    if not isinstance(target, Target):
        return None
    found = MATCHER.match(method, target.segments)
    return found and (found, target.segments)


def asked_for(found: Match) -> set[str]:
    """The routes whose permissions the check asks for."""
    assert found.need is not None
    (names,) = found.need.requirement.names()
    return {NEEDED[name.removesuffix(":read")] for name in names}


def values_in(operation: str, segments: tuple[str, ...]) -> dict[str, str | None]:
    template = Operation.parse(operation).template
    return {name: value_of(template, name, segments) for name in template.names}


def written_by_hand() -> list[bytes]:
    """The rows of the vectors, as they are and as the value of a parameter, and targets that once fooled somebody."""
    rows = [row["raw"].encode("latin-1") for row in vectors("targets.json")["rows"] if "raw" in row]
    tails = [raw.removeprefix(b"/") for raw in rows if raw.startswith(b"/")]
    places = (b"/datasets/", b"/files/", b"/subs/id=", b"/versions/1.", b"/orgs/1/users/")
    return [*rows, *(place + tail for place, tail in product(places, tails))]


def at_random() -> list[bytes]:
    chosen = random.Random("targets as routed")
    targets: list[bytes] = []
    while len(targets) < RANDOM_TARGETS:
        raw = (chosen.choice(PLACES) + "".join(chosen.choices(PIECES, k=chosen.randint(0, 4)))).encode()
        # What is refused claims nothing: only what is found in the rules is worth a request.
        if read("GET", raw):
            targets.append(raw)
    return targets


def breaches(client, targets, methods=("GET",)):
    """The requests that break the law, and how many were served as the check says."""
    broken, served = [], 0
    for raw, method in product(targets, methods):
        claimed = read(method, raw)
        if claimed is None:
            continue
        found, segments = claimed
        answer = client.ask(method, raw)
        if answer.operation is None:
            assert 300 <= answer.status < 500, (method, raw, answer)
            continue
        served += 1
        if answer.operation not in asked_for(found) or values_in(answer.operation, segments) != answer.values:
            broken.append((method, raw, str(found.operation), answer))
    return broken, served


@pytest.fixture(scope="module", params=NAMES)
def client(request):
    with serving(request.param) as client:
        yield client
        client.close()


@pytest.mark.parametrize("raw", LEGITIMATE)
def test_whatever_is_legitimate_is_read_and_reaches_its_route_with_the_same_values(client, raw):
    operation, values = LEGITIMATE[raw]
    found, segments = read("GET", raw)
    answer = client.ask("GET", raw)
    assert (operation, values) == (str(found.operation), values_in(operation, segments))
    assert (operation, values) == (answer.operation, answer.values)


def test_no_target_written_by_hand_is_read_as_one_route_and_served_by_another(client):
    broken, served = breaches(client, written_by_hand(), ("GET", "HEAD", "POST"))
    assert [] == broken
    assert 100 < served


def test_no_random_target_is_read_as_one_route_and_served_by_another(client):
    broken, served = breaches(client, at_random())
    assert [] == broken
    assert RANDOM_TARGETS // 2 < served


@pytest.fixture(scope="module", params=["express", "express4"])
def plain_express(request):
    with serving(request.param, "plain") as client:
        yield client
        client.close()


@pytest.mark.parametrize(
    ("raw", "read_as", "served"),
    [
        (b"/datasets/Mine", "GET /datasets/{dataset_id}", "GET /datasets/mine"),
        (b"/models/%40cf", "GET /models/@cf", "GET /models/{model}"),
        (b"/v2/a-b_c.d%7Ee", "GET /v2/a-b_c.d~e", "GET /v2/{anything}"),
        (b"/DATASETS", None, "GET /datasets"),
        (b"/datasets/mine/", None, "GET /datasets/mine"),
        (b"/datasets/%6dine", None, "GET /datasets/{dataset_id}"),
    ],
)
def test_express_without_its_settings_is_the_one_that_serves_another_route(plain_express, raw, read_as, served):
    claimed = read("GET", raw)
    assert (read_as, served) == (claimed and str(claimed[0].operation), plain_express.ask("GET", raw).operation)
