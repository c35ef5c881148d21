"""The law of the Django adapter: the operation that was decided is the view that Django served."""

import json
import types
from urllib.parse import unquote

from django.core.handlers.wsgi import WSGIHandler
from django.http import JsonResponse
from django.test import override_settings
from django.urls import Resolver404, include, path, re_path, resolve
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from scopekey.core.catalog import Catalog
from scopekey.core.grant import Register
from scopekey.core.matcher import Matcher
from scopekey.core.rules import Rules
from scopekey.core.target import Target, read_target
from scopekey.enforce.django import requires, rules_of
from scopekey.testing import Keys
from tests.contract.door import request
from tests.contract.door_drivers import over_wsgi
from tests.contract.door_exchange import Upstream
from tests.contract.routes_law import fitting

REGISTER = Register.first(Catalog("law", ()))
SEGMENTS = st.sampled_from(["a", "7", "<x>", "<int:x>", "<slug:x>", "<path:x>", "a<x>", "v<x>.<y>", "<int:x>b"])
PATHS = st.tuples(st.lists(SEGMENTS, min_size=1, max_size=2).map("/".join), st.sampled_from(["", "", "/"])).map("".join)
EXPRESSIONS = st.sampled_from([r"^a/(?P<x>\d+)$", r"^(?P<x>[^/]+)/7$", r"^a/(?P<x>.*)$", r"^(?P<x>[ab]{1,2})/$"])
METHODS = st.sampled_from([["GET"], ["GET"], ["POST"], ["GET", "POST"], ["HEAD", "GET"], None])
HOMES = st.sampled_from(["", "", "", "p/", "a/", "<t>/", "<int:t>/", "a", "^a/", "<t>", "<path:t>/"])
ROUTES = st.lists(st.tuples(st.one_of(PATHS, PATHS, EXPRESSIONS), METHODS, HOMES), min_size=3, max_size=7)
TARGETS = st.lists(
    st.tuples(
        st.sampled_from(["GET", "GET", "POST", "HEAD", "DELETE"]),
        st.lists(st.sampled_from(["a", "b", "7", "ab", "v1.2", "zb", "7b", "%61", ""]), min_size=1, max_size=4),
    ),
    max_size=8,
)


def build(routes):
    """A URLconf whose views answer with their own number."""
    module = types.ModuleType("urls_of_a_law")
    module.urlpatterns = []
    for number, (text, methods, home) in enumerate(routes):
        view = requires("datasets:read", methods=methods)(make(number))
        route = (re_path if text.startswith("^") else path)(text, view)
        if home:
            route = (re_path if home.startswith("^") else path)(home, include([route]))
        module.urlpatterns.append(route)
    return module


def make(number):
    def serve(request, **values):
        served = {"number": number, "method": request.method, "decided": request.scopekey.operation}
        return JsonResponse({}, headers={"Served": json.dumps(served)})

    serve.number = number
    return serve


def routed(target, urls):
    """The number of the view that Django serves a path by, None where there is none."""
    try:
        return resolve(unquote(target), urls).func.number
    except Resolver404:
        return None


def answered(route):
    """The methods that the view of a route answers; HEAD wherever GET is answered."""
    methods = route[1] or ["DELETE", "GET", "HEAD", "POST"]
    return {*methods, "HEAD"} if "GET" in methods else set(methods)


def template(route):
    """The path of a route, in the words of the rules."""
    [path] = {str(rule.operation).partition(" ")[2] for rule in rules_of(build([route])).rules}
    return path


def shut_by(urls, method, target):
    """The path of a route that shuts this method on its paths, since Django would serve others of them by it alone.

    Where it crosses a third route, a path that Django serves by that one is refused with them.
    """
    path = read_target(target.encode())
    shut = (rule for rule in rules_of(urls).rules if rule.requirement is not None and not rule.requirement.any_of)
    match = Matcher(Rules(tuple(shut)), REGISTER).match(method, path.segments) if isinstance(path, Target) else None
    return match and match.operation.template.text


def sample(text, rest="b/7"):
    for written, value in (
        ("^", ""), ("$", ""), (r"(?P<x>\d+)", "7"), ("(?P<x>[/]+)", "b"), ("(?P<x>.*)", rest),
        ("(?P<x>[ab]{1,2})", "ab"), ("<path:x>", rest), ("<int:x>", "7"), ("<slug:x>", "b"), ("<x>", "b"), ("<y>", "2"),
        ("<t>", "a"), ("<int:t>", "7"),
    ):  # fmt: skip
        text = text.replace(written, value)
    return text


# Three routes that cross: what the second declines the third shuts, and with it a path of the first.
CROSSING = [
    (r"^a/(?P<x>.*)$", ["GET"], "p/"),
    (r"^a/(?P<x>.*)$", ["GET"], "<int:t>/"),
    (r"^(?P<x>[ab]{1,2})/$", ["POST"], "p/"),
]


@example(CROSSING, [])
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROUTES, TARGETS)
def test_the_operation_decided_is_the_view_served_and_nothing_else_is_refused(routes, targets):
    keys = Keys("datasets:read")
    secret = keys.add("datasets:read")
    with override_settings(SCOPEKEY={"KEYS": keys, "APPLIED": False}):
        kept, urls = fitting(routes, build, rules_of)
    asked = [(method, "/" + "/".join(segments)) for method, segments in targets]
    asked += [
        (method, "/" + sample(home + text, rest))
        for text, methods, home in kept
        for method in methods or ["GET", "HEAD"]
        for rest in ("b/7", "")
    ]
    with override_settings(
        ROOT_URLCONF=urls,
        MIDDLEWARE=["scopekey.enforce.django.ScopekeyMiddleware"],
        SCOPEKEY={"KEYS": keys, "APPLIED": False},
    ):
        send = over_wsgi(WSGIHandler(), Upstream())
        for method, target in asked:
            status, headers, body = send(request(method, target.encode(), secret))
            assert status in {200, 400, 401, 404}, (method, target, kept, body)
            if status == 200:
                event("served")
                served = json.loads(dict(headers)[b"Served"])
                decided, _, path = served["decided"].partition(" ")
                assert template(kept[served["number"]]) == path
                assert method == served["method"]
                assert decided in {method, "GET" if method == "HEAD" else method}
            elif status == 401:
                number = routed(target, urls)
                shut = shut_by(urls, method, target)
                if number is not None and method in answered(kept[number]):
                    assert shut not in {None, template(kept[number])}, (method, target, kept)
