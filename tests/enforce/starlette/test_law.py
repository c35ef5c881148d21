"""The law of the Starlette adapter: the operation that was decided is the route that Starlette served."""

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.testclient import TestClient

from scopekey.enforce.starlette import protect, requires, rules_of
from scopekey.testing import Keys
from tests.contract.routes_law import PATHS, TARGETS, fitting, sample, template

METHODS = st.sampled_from(["GET", "GET", "HEAD", "POST"])
FORMS = st.sampled_from(["async", "sync", "endpoint"])
PREFIXES = st.sampled_from(["/p", "/a", "/{t}", "/{t:int}"])
HOMES = st.tuples(st.sampled_from(["direct", "direct", "router", "mount"]), PREFIXES)
ROUTES = st.lists(st.tuples(METHODS, PATHS, HOMES, FORMS), min_size=3, max_size=8)


def build(routes):
    """An application whose routes answer with their own operation, spread over routers and mounts."""
    return Starlette(routes=[made(*route) for route in routes])


def made(method, path, home, form):
    kind, prefix = home
    name = path if kind == "direct" else prefix + path
    if form == "endpoint":
        route = Route(path, requires("datasets:read")(endpoint(method, name)))
    else:
        route = Route(path, requires("datasets:read")(function(name, form)), methods=[method])
    if kind == "direct":
        return route
    return Mount(prefix, app=(Router if kind == "router" else Starlette)(routes=[route]))


def answer(request, name):
    return Response(headers={"served": name, "decided": request.scope["scopekey"].operation})


def function(name, form):
    def serve(request):
        return answer(request, name)

    async def serve_async(request):
        return answer(request, name)

    return serve if form == "sync" else serve_async


def endpoint(method, name):
    return type("Endpoint", (HTTPEndpoint,), {method.lower(): lambda self, request: answer(request, name)})


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROUTES, st.lists(st.tuples(METHODS, TARGETS), min_size=1, max_size=8))
def test_the_operation_decided_is_the_route_served(routes, targets):
    kept, app = fitting(routes, build, rules_of, ValueError)
    keys = Keys("datasets:read")
    protect(app, keys, applied=False)
    client = TestClient(app, follow_redirects=False)
    headers = {"X-API-Key": keys.add("datasets:read")}
    asked = [(method, "/" + "/".join(segments)) for method, segments in targets]
    for method, path, (kind, prefix), _ in kept:
        target = sample(path if kind == "direct" else prefix + path)
        asked += [(method, target), ("HEAD", target)]
    for method, target in asked:
        answered = client.request(method, "http://t" + target, headers=headers)
        assert answered.status_code in {200, 307, 400, 401, 404, 405}, answered.text
        if answered.status_code == 200:
            event(f"served {method}")
            decided, path = answered.headers["decided"].split(" ")
            assert (template(answered.headers["served"]), True) == (path, decided in {method, "GET"})
