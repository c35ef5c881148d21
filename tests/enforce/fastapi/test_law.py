"""The law of the FastAPI adapter: the operation that was decided is the route that FastAPI served."""

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from scopekey.enforce.fastapi import protect, requires, rules_of
from scopekey.testing import Keys
from tests.contract.routes_law import PATHS, TARGETS, fitting, sample, template

METHODS = st.sampled_from(["GET", "GET", "POST"])


def build(routes):
    """An application whose routes answer with their own operation, spread over routers and mounts."""
    app = FastAPI(openapi_url=None)
    for method, path, (kind, prefix) in routes:
        name = f"{method} {prefix if kind != 'direct' else ''}{path}"

        home = {"direct": app, "router": APIRouter(), "mount": FastAPI(openapi_url=None)}[kind]
        home.add_api_route(path, make(name), methods=[method], dependencies=[requires("datasets:read")])
        if kind == "router":
            app.include_router(home, prefix=prefix)
        elif kind == "mount":
            app.mount(prefix, home)
    return app


def make(name):
    async def serve(request: Request):
        return {"served": name, "decided": request.scope["scopekey"].operation}

    return serve


HOMES = st.tuples(st.sampled_from(["direct", "direct", "router", "mount"]), st.sampled_from(["/p", "/a", "/{t}"]))
ROUTES = st.lists(st.tuples(METHODS, PATHS, HOMES), min_size=3, max_size=8)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROUTES, st.lists(st.tuples(METHODS, TARGETS), min_size=1, max_size=8))
def test_the_operation_decided_is_the_route_served(routes, targets):
    kept, app = fitting(routes, build, rules_of, ValueError)
    keys = Keys("datasets:read")
    protect(app, keys, applied=False)
    client = TestClient(app, follow_redirects=False)
    headers = {"X-API-Key": keys.add("datasets:read")}
    targets = [(method, "/" + "/".join(segments)) for method, segments in targets]
    targets += [(method, sample(prefix * (kind != "direct") + path)) for method, path, (kind, prefix) in kept]
    for method, target in targets:
        answer = client.request(method, "http://t" + target, headers=headers)
        assert answer.status_code in {200, 307, 400, 401, 404, 405}, answer.text
        if answer.status_code == 200:
            told = answer.json()
            event("served")
            assert template(told["served"]) == told["decided"]
