"""The law of the FastAPI adapter: the operation that was decided is the route that FastAPI served."""

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from scopekey.enforce.fastapi import RulesError, protect, requires, rules_of
from scopekey.testing import Keys

SEGMENTS = st.sampled_from(["a", "b", "7", "{x}", "{x:int}", "{x:path}", "a{x}", "{x}b", "v{x}.{y}", ""])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
METHODS = st.sampled_from(["GET", "POST"])
ROUTES = st.lists(st.tuples(METHODS, PATHS), min_size=2, max_size=5)
TARGETS = st.lists(st.sampled_from(["a", "b", "7", "ab", "v1.2", "zb", "%61", ""]), min_size=1, max_size=4)


def build(routes, prefixes):
    """An application whose routes answer with their own operation, spread over routers and mounts."""
    app = FastAPI(openapi_url=None)
    for (method, path), (kind, prefix) in zip(routes, prefixes, strict=True):
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


def as_rule(name):
    return name.replace(":int", "").replace("{x:path}", "{x*}")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(ROUTES, st.data(), st.lists(st.tuples(METHODS, TARGETS), min_size=1, max_size=8))
def test_the_operation_decided_is_the_route_served(routes, data, targets):
    homes = st.tuples(st.sampled_from(["direct", "router", "mount"]), st.sampled_from(["/p", "/a", "/{t}"]))
    prefixes = data.draw(st.lists(homes, min_size=len(routes), max_size=len(routes)))
    keys = Keys("datasets:read")
    try:
        app = build(routes, prefixes)
        rules_of(app)
    except (RulesError, ValueError):
        assume(False)
    protect(app, keys, applied=False)
    client = TestClient(app, follow_redirects=False)
    headers = {"X-API-Key": keys.add("datasets:read")}
    for method, segments in targets:
        answer = client.request(method, "http://t/" + "/".join(segments), headers=headers)
        assert answer.status_code in {200, 307, 400, 401, 404, 405, 422}, answer.text
        if answer.status_code == 200:
            told = answer.json()
            assert as_rule(told["served"]) == told["decided"]
