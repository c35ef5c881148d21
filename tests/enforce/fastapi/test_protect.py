"""An application guarded by what its own routes declare."""

import logging
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.permission import InvalidPermissionError
from scopekey.enforce.asgi import ScopekeyMiddleware
from scopekey.enforce.fastapi import RulesError, protect, public, requires, rules_of
from scopekey.testing import Keys


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", "jobs:read")


def served():
    return {"served": True}


def app_with(*paths, method="GET", **options):
    """An application whose routes all need datasets:read."""
    app = FastAPI(**options)
    for path in paths:
        app.add_api_route(path, served, methods=[method], dependencies=[requires("datasets:read")])
    return app


def table(app, **options):
    """The table as text: each operation and what it needs."""
    return {
        str(rule.operation): None if rule.requirement is None else str(rule.requirement)
        for rule in rules_of(app, **options).rules
    }


def faults(app, **options):
    with pytest.raises(RulesError) as raised:
        rules_of(app, **options)
    return raised.value.faults


def nested():
    """Two routers, one inside the other, each with dependencies and a prefix of its own."""
    inner = APIRouter(prefix="/rows", dependencies=[requires("datasets:write")])
    inner.add_api_route("/{row}", served, methods=["DELETE"])
    inner.add_api_websocket_route("/feed", stream)
    outer = APIRouter(prefix="/datasets/{dataset_id}")
    outer.include_router(inner, prefix="/v1")
    outer.add_api_route("", served)
    app = FastAPI(dependencies=[requires("jobs:read")])
    app.include_router(outer, prefix="/api", dependencies=[requires("datasets:read")])
    return app


async def stream(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


def test_included_routers_count_and_what_is_declared_on_the_way_adds_up():
    expected = {
        "DELETE /api/datasets/{dataset_id}/v1/rows/{row}": "jobs:read, datasets:read, datasets:write",
        "GET /api/datasets/{dataset_id}/v1/rows/feed": "jobs:read, datasets:read, datasets:write",
        "GET /api/datasets/{dataset_id}": "jobs:read, datasets:read",
    }
    assert expected == table(nested())


def test_routes_of_nested_routers_are_served_as_they_were_decided(keys):
    app = nested()
    protect(app, keys)
    allowed = {"X-API-Key": keys.add("jobs:read", "datasets:read", "datasets:write")}
    with TestClient(app) as client:
        assert 200 == client.delete("/api/datasets/1/v1/rows/2", headers=allowed).status_code
        assert 200 == client.get("/api/datasets/1", headers=allowed).status_code
        with client.websocket_connect("/api/datasets/1/v1/rows/feed", headers=allowed) as websocket:
            assert "hello" == websocket.receive_text()
        narrower = {"X-API-Key": keys.add("jobs:read", "datasets:read")}
        refused = client.delete("/api/datasets/1/v1/rows/2", headers=narrower)
        assert (401, ["datasets:write"]) == (refused.status_code, refused.json()["missing"])


def test_alternatives_and_permissions_are_joined():
    app = FastAPI()
    app.add_api_route("/a", served, dependencies=[requires("a:read", any_of=["b:read", ["c:read", "d:read"]])])
    app.add_api_route("/live", served, dependencies=[requires()])
    app.add_api_route("/nobody", served, dependencies=[requires(any_of=[])])
    app.add_api_route("/open", served, dependencies=[public()])
    expected = {
        "GET /a": "a:read, b:read; a:read, c:read, d:read",
        "GET /live": "",
        "GET /nobody": "",
        "GET /open": None,
    }
    assert expected == table(app)
    assert [((),), ()] == [rule.requirement.any_of for rule in rules_of(app).rules[1:3]]


def test_a_declaration_deep_among_dependencies_counts():
    app = FastAPI()

    async def session(_: Annotated[None, requires("datasets:read")]):
        return 1

    @app.get("/a")
    async def read(_: Annotated[int, Depends(session)]):
        return 1

    assert {"GET /a": "datasets:read"} == table(app)


def test_convertors_become_parameters_and_spans():
    app = app_with("/files/{path:path}", "/n/{id:int}", "/a:b/{x}.{y}", "/100%/é")
    expected = ["GET /files/{path*}", "GET /n/{id}", "GET /a:b/{x}.{y}", "GET /100%25/%C3%A9"]
    assert expected == list(table(app))


def test_mounted_applications_are_walked_with_their_prefix(keys):
    sub = app_with("/", "/x")
    deeper = app_with("/deep")
    sub.mount("/in/{tenant}", deeper)
    app = app_with("/x")
    app.mount("/sub", sub)
    assert ["GET /x", "GET /sub/", "GET /sub/x", "GET /sub/in/{tenant}/deep"] == list(table(app))
    protect(app, keys)
    headers = {"X-API-Key": keys.add("datasets:read")}
    with TestClient(app) as client:
        for path in ("/x", "/sub/", "/sub/x", "/sub/in/acme/deep"):
            assert 200 == client.get(path, headers=headers).status_code
            assert 401 == client.get(path).status_code
        assert "unlisted_operation" == client.get("/sub/docs", headers=headers).json()["code"]


def test_what_has_no_routes_must_be_named(keys):
    async def static(scope, receive, send):
        await PlainTextResponse("s")(scope, receive, send)

    app = app_with("/x")
    app.mount("/static", static)
    app.add_route("/plain", lambda request: PlainTextResponse("p"))
    fault = faults(app)
    assert 3 == len(fault)
    assert all("mounts=" in text for text in fault)
    protect(app, keys, mounts={"/static/": public(), "/plain": requires("jobs:read")})
    with TestClient(app) as client:
        assert "s" == client.get("/static/a/b.css").text
        assert 401 == client.get("/plain").status_code
        assert "p" == client.get("/plain", headers={"X-API-Key": keys.add("jobs:read")}).text


def test_a_name_without_a_mount_is_refused():
    assert ["mounts names '/satic'" in text for text in faults(app_with("/x"), mounts={"/satic": public()})] == [True]


def test_a_frontend_must_be_named_and_comes_after_every_route(keys, tmp_path):
    (tmp_path / "index.html").write_text("front")
    app = app_with("/app/data")
    app.frontend("/app", directory=tmp_path)
    assert "the frontend at /app" in faults(app)[0]
    protect(app, keys, mounts={"/app": public()})
    with TestClient(app) as client:
        assert "front" == client.get("/app/").text
        assert 401 == client.get("/app/data").status_code


def test_everything_undeclared_is_named_at_once():
    app = FastAPI()
    app.add_api_route("/a", served)
    app.add_api_route("/b", served, methods=["POST", "PUT"])
    app.add_api_route("/c", served, dependencies=[public(), requires("a:read")])
    app.add_api_route("/d/{x}", served, dependencies=[requires(object="y")])
    app.host("a.example", Starlette())
    app.add_api_route("/e{x:path}", served, dependencies=[public()])
    found = faults(app)
    assert 7 == len(found)
    for word in ("GET /a ", "POST /b ", "PUT /b ", "public and guarded", "object 'y'", "Host", "span"):
        assert 1 == sum(word in text for text in found), word


HIDDEN = [
    ("/x/{a}", "/x/b"),
    ("/x/{a}", "/x/{b}"),
    ("/x/{a}/c", "/x/b/{d}"),
    ("/{p:path}", "/x"),
    ("/f/{p:path}", "/f/{a}/b"),
    ("/x/{a:int}", "/x/{b}"),
    ("/x/{a:int}/q", "/x/{b}/{c}"),
    ("/x/{a:int}", "/x/7"),
    ("/x/{a:int}", "/{p:path}"),
    ("/{a}.json", "/v{b}.json"),
    ("/7/{x:int}", "/{x:int}/a"),
    ("/{x}/a", "/7/{y:int}"),
]
BESIDE = [
    ("/x/b", "/x/{a}"),
    ("/x/b/{d}", "/x/{a}/c"),
    ("/x/{a:int}", "/x/me"),
    ("/x/{b}/lit", "/x/{a:int}/{c}"),
    ("/x/{a}", "/y/{a}"),
    ("/x/{a}", "/x/{a}/b"),
    ("/f/{a}/b", "/f/{p:path}"),
    ("/x", "/{p:path}"),
    ("/v{b}.json", "/{a}.json"),
    ("/a/{p:path}/z", "/a/{q:path}"),
]


@pytest.mark.parametrize(("first", "second"), HIDDEN)
def test_a_route_that_an_earlier_one_hides_is_refused_with_both_named(first, second):
    fault = faults(app_with(first, second))[0]
    assert fault.index(f"GET {second} ") < fault.index(f"GET {first} ")


def test_an_own_page_hides_a_route_of_the_same_path():
    assert "GET /docs " in faults(app_with("/docs"))[0]


@pytest.mark.parametrize(("first", "second"), BESIDE)
def test_routes_that_router_and_rules_tell_apart_alike_stand_beside_each_other(first, second):
    assert 2 <= len(table(app_with(first, second)))


def test_a_mount_hides_what_is_registered_after_it():
    app = FastAPI()
    app.mount("/sub", app_with("/a"))
    app.add_api_route("/sub/b", served, dependencies=[public()])
    assert "hidden by the mount at /sub" in faults(app)[0]


def test_another_method_hides_nothing():
    app = app_with("/x/{a}")
    app.add_api_route("/x/b", served, methods=["POST"], dependencies=[public()])
    assert 2 == len(table(app))


def test_a_path_may_be_a_websocket_too_where_both_need_the_same():
    app = app_with("/x")
    app.add_api_websocket_route("/x", stream, dependencies=[requires("datasets:read")])
    assert {"GET /x": "datasets:read"} == table(app)
    app.add_api_websocket_route("/x", stream, dependencies=[public()])
    assert "GET /x" in faults(app)[0]


def test_own_pages_are_shut_unless_they_are_made_public(keys):
    app = app_with("/{p:path}")
    protect(app, keys)
    client = TestClient(app)
    headers = {"X-API-Key": keys.add("datasets:read")}
    for page in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"):
        assert 401 == client.get(page, headers=headers).status_code
    assert 200 == client.get("/else", headers=headers).status_code
    opened = app_with("/x")
    protect(opened, keys, docs="public")
    assert [200, 200, 401] == [TestClient(opened).get(page).status_code for page in ("/docs", "/openapi.json", "/x")]


def test_a_table_with_faults_stops_the_start(keys):
    app = FastAPI()
    app.add_api_route("/a", served)
    protect(app, keys)
    with pytest.raises(RulesError, match="GET /a "), TestClient(app):
        pass


def test_a_table_with_faults_refuses_every_request_where_there_is_no_lifespan(keys, caplog):
    app = FastAPI()
    app.add_api_route("/a", served)
    app.add_api_route("/open", served, dependencies=[public()])
    protect(app, keys)
    assert [503, 503] == [TestClient(app).get(path).status_code for path in ("/a", "/open")]
    assert "GET /a " in caplog.text


def test_an_unknown_permission_stops_the_start_and_names_the_nearest(keys):
    app = FastAPI()
    app.add_api_route("/a", served, dependencies=[requires("dataset:read")])
    protect(app, keys)
    with pytest.raises(RulesError, match="did you mean 'datasets:read'"), TestClient(app):
        pass


def test_an_alias_becomes_the_catalogs_own_name():
    levels = ("read", "write")
    catalog = Catalog("c", (Resource("tokens", "Tokens", "Core", levels),), own={"keys": "tokens"})
    app = FastAPI()
    app.add_api_route("/a", served, dependencies=[requires("scopekey_keys:write")])
    assert {"GET /a": "tokens:write"} == table(app, catalog=catalog)


def test_rules_of_a_protected_application_knows_what_it_was_protected_with(keys):
    app = app_with("/x")
    app.mount("/static", lambda *_: None)
    protect(app, keys, mounts={"/static": public()}, cors_preflight=True)
    assert "GET /static/{path*}" in table(app)
    assert rules_of(app).cors_preflight


@pytest.mark.parametrize(("expected", "options"), [(1, {}), (0, {"applied": False})])
def test_rules_that_are_not_the_applied_ones_are_warned_about(keys, caplog, expected, options):
    app = app_with("/x")
    protect(app, keys, **options)
    with caplog.at_level(logging.WARNING), TestClient(app):
        assert expected == caplog.text.count("not the applied ones")
    caplog.clear()
    keys.apply_rules(rules_of(app))
    again = app_with("/x")
    protect(again, keys, **options)
    with caplog.at_level(logging.WARNING), TestClient(again):
        assert "" == caplog.text


def test_root_path_is_left_out_as_the_router_leaves_it_out(keys):
    app = app_with("/x")
    app.root_path = "/api"
    app.add_api_route("/open", served, dependencies=[public()])
    sub = app_with("/y")
    app.mount("/sub", sub)
    protect(app, keys)
    headers = {"X-API-Key": keys.add("datasets:read")}
    with TestClient(app) as client:
        for path in ("/x", "/api/x", "/api/sub/y"):
            assert 200 == client.get(path, headers=headers).status_code
        assert [200, 200] == [client.get(path).status_code for path in ("/open", "/api/open")]
        assert [400, 401] == [client.get(path).status_code for path in ("/%61pi/open", "/api/api/open")]


def test_a_mounted_application_with_a_root_path_of_its_own_is_refused():
    app = FastAPI()
    sub = app_with("/a")
    sub.root_path = "/elsewhere"
    app.mount("/sub", sub)
    assert "sets root_path" in faults(app)[0]


def test_without_protect_a_declaration_refuses_by_itself():
    app = app_with("/x")
    app.add_api_route("/open", served, dependencies=[public()])
    answers = [TestClient(app).get(path) for path in ("/x", "/open")]
    assert [500, 500] == [answer.status_code for answer in answers]
    assert "protect(app, keys)" in answers[0].json()["detail"]


def test_a_route_added_after_the_start_is_never_run(keys):
    app = app_with("/x/{a}")
    protect(app, keys)
    headers = {"X-API-Key": keys.add("datasets:read")}
    with TestClient(app) as client:
        app.router.routes.insert(0, app_with("/x/late").routes[-1])
        assert 500 == client.get("/x/late", headers=headers).status_code
        assert 200 == client.get("/x/early", headers=headers).status_code


def test_behind_rules_from_elsewhere_a_declaration_must_be_held(keys):
    app = app_with("/x", "/y")
    app.add_api_route("/z", served, dependencies=[requires("datasets:write")])
    guarded = ScopekeyMiddleware(app, keys, rules_of(app_with("/x", "/z")))
    headers = {"X-API-Key": keys.add("datasets:read")}
    assert [200, 401, 500] == [
        TestClient(guarded).get(path, headers=headers).status_code for path in ("/x", "/y", "/z")
    ]


def test_report_mode_lets_through_and_two_declarations_report_only_together(keys):
    app = FastAPI()
    trial, strict = requires("datasets:write", mode="report"), requires("jobs:read")
    app.add_api_route("/trial", served, dependencies=[trial])
    app.add_api_route("/both", served, dependencies=[trial, strict])
    protect(app, keys)
    headers = {"X-API-Key": keys.add("jobs:read")}
    with TestClient(app) as client:
        assert [200, 401] == [client.get(path, headers=headers).status_code for path in ("/trial", "/both")]


def test_what_is_no_permission_is_refused_where_it_is_written():
    with pytest.raises(InvalidPermissionError):
        requires("datasets")
    with pytest.raises(ValueError, match="enforced"):
        requires("datasets:read", mode="enforced")


def test_openapi_tells_the_permissions_of_each_operation(keys):
    sub = app_with("/deep")
    app = nested()
    app.add_api_route("/live", served, dependencies=[requires()])
    open_app = FastAPI()
    open_app.add_api_route("/open", served, dependencies=[public()], description="Open.")
    app.mount("/o", open_app)
    app.mount("/s", sub)
    protect(app, keys)
    with TestClient(app):
        document = app.openapi()
        operation = document["paths"]["/api/datasets/{dataset_id}"]["get"]
        assert [["jobs:read", "datasets:read"]] == operation["x-required-permissions"]
        assert [{"scopekey": []}, {"scopekey_header": []}] == operation["security"]
        assert "Needs `jobs:read` and `datasets:read`." == operation["description"]
        assert "401" in operation["responses"]
        assert {"scopekey", "scopekey_header"} == document["components"]["securitySchemes"].keys()
        described = open_app.openapi()["paths"]["/open"]["get"]
        assert ([], "Open.", False) == (
            described["security"],
            described["description"],
            "401" in described["responses"],
        )
        assert "x-required-permissions" in sub.openapi()["paths"]["/deep"]["get"]
        assert document == app.openapi()


def test_a_starlette_application_is_walked_but_its_routes_cannot_declare():
    app = FastAPI()
    app.mount("/s", Starlette(routes=[Route("/a", lambda request: PlainTextResponse("a"))]))
    assert ["GET /s/a (", "HEAD /s/a ("] == [text[: text.index("(") + 1] for text in faults(app)]
    assert {"GET /s/a": None, "HEAD /s/a": None} == table(app, mounts={"/s/a": public()})


def test_a_default_that_answers_what_no_route_does_is_refused():
    async def answer(scope, receive, send):
        await PlainTextResponse("served")(scope, receive, send)

    app = app_with("/n/{id}")
    app.router.default = answer
    (fault,) = faults(app)
    assert "the router at / has a default" in fault


def test_a_method_that_something_behind_the_guard_changes_is_not_served(keys):
    app = FastAPI()
    for method, permission in (("GET", "datasets:read"), ("DELETE", "datasets:write")):
        app.add_api_route("/datasets/{id}", served, methods=[method], dependencies=[requires(permission)])

    class Overriding:
        def __init__(self, inner):
            self.inner = inner

        async def __call__(self, scope, receive, send):
            await self.inner(scope | {"method": "DELETE"} if scope["type"] == "http" else scope, receive, send)

    # Added first: it stands behind the guard.
    app.add_middleware(Overriding)
    protect(app, keys, applied=False)
    client = TestClient(app, raise_server_exceptions=False)
    assert 500 == client.get("/datasets/1", headers=keys.headers("datasets:read")).status_code
    assert 200 == client.delete("/datasets/1", headers=keys.headers("datasets:write")).status_code
