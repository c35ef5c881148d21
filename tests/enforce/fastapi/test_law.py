"""The law of the FastAPI adapter: the operation that was decided is the route that FastAPI served."""

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from scopekey.enforce.fastapi import RulesError, protect, requires, rules_of
from scopekey.testing import Keys

SEGMENTS = st.sampled_from(["a", "7", "{x}", "{x:int}", "{x:path}", "a{x}", "v{x}.{y}"])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=2).map(lambda parts: "/" + "/".join(parts))
METHODS = st.sampled_from(["GET", "GET", "POST"])
TARGETS = st.lists(st.sampled_from(["a", "b", "7", "ab", "v1.2", "zb", "%61", ""]), min_size=1, max_size=4)


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


def as_rule(name):
    return name.replace(":int", "").replace("{x:path}", "{x*}")


def fitting(routes):
    """The routes that can stand beside each other, in their order, and the application they make."""
    kept, app = [], build([])
    for route in routes:
        try:
            tried = build([*kept, route])
            rules_of(tried)
        except (RulesError, ValueError):
            continue
        kept.append(route)
        app = tried
    return kept, app


def sample(path):
    return (
        path.replace("{x:path}", "b/7")
        .replace("{x:int}", "7")
        .replace("{x}", "b")
        .replace("{y}", "2")
        .replace("{t}", "a")
    )


HOMES = st.tuples(st.sampled_from(["direct", "direct", "router", "mount"]), st.sampled_from(["/p", "/a", "/{t}"]))
ROUTES = st.lists(st.tuples(METHODS, PATHS, HOMES), min_size=3, max_size=8)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROUTES, st.lists(st.tuples(METHODS, TARGETS), min_size=1, max_size=8))
def test_the_operation_decided_is_the_route_served(routes, targets):
    kept, app = fitting(routes)
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
            assert as_rule(told["served"]) == told["decided"]
