"""An application guarded by what its own routes declare."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from scopekey.enforce.fastapi import protect, public, requires, rules_of
from scopekey.testing import Keys
from tests.enforce.fastapi.apps import app_with, faults, nested, served, table


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", "jobs:read")


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


def test_a_frontend_must_be_named_and_comes_after_every_route(keys, tmp_path):
    (tmp_path / "index.html").write_text("front")
    app = app_with("/app/data")
    app.frontend("/app", directory=tmp_path)
    assert "the frontend at /app" in faults(app)[0]
    protect(app, keys, mounts={"/app": public()})
    with TestClient(app) as client:
        assert "front" == client.get("/app/").text
        assert 401 == client.get("/app/data").status_code


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


def test_rules_of_a_protected_application_knows_what_it_was_protected_with(keys):
    app = app_with("/x")
    app.mount("/static", lambda *_: None)
    protect(app, keys, mounts={"/static": public()}, cors_preflight=True)
    assert "GET /static/{path*}" in table(app)
    assert rules_of(app).cors_preflight


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


def test_a_route_added_after_the_start_is_never_run(keys):
    app = app_with("/x/{a}")
    protect(app, keys)
    headers = {"X-API-Key": keys.add("datasets:read")}
    with TestClient(app) as client:
        app.router.routes.insert(0, app_with("/x/late").routes[-1])
        assert 500 == client.get("/x/late", headers=headers).status_code
        assert 200 == client.get("/x/early", headers=headers).status_code


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
