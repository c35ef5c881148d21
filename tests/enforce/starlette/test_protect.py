"""An application guarded by what its own endpoints declare."""

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from scopekey.enforce.starlette import RulesError, protect, public, requires, rules_of
from scopekey.testing import Keys
from tests.contract import routes

READ, WRITE = requires("datasets:read"), requires("datasets:write")


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", "jobs:read")


@pytest.fixture
def reader(keys):
    return {"X-API-Key": keys.add("datasets:read")}


async def served(request):
    return PlainTextResponse("served")


async def stream(websocket):
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


async def static(scope, receive, send):
    await PlainTextResponse("s")(scope, receive, send)


def app_with(*paths, methods=("GET",), **options):
    """An application whose routes all need datasets:read."""
    return Starlette(routes=[Route(path, READ(served), methods=methods) for path in paths], **options)


def table(app, **options):
    """The table as text: each operation and what it needs."""
    return routes.table(rules_of(app, **options))


def faults(app, **options):
    with pytest.raises(RulesError) as raised:
        rules_of(app, **options)
    return raised.value.faults


def statuses(app, paths, **options):
    with TestClient(app) as client:
        return [client.get(path, **options).status_code for path in paths]


def test_alternatives_and_permissions_are_joined():
    app = Starlette(
        routes=[
            Route("/a", requires("a:read", any_of=["b:read", ["c:read", "d:read"]])(served)),
            Route("/two", READ(WRITE(served))),
            Route("/live", requires()(served)),
            Route("/nobody", requires(any_of=[])(served)),
            Route("/open", public()(served), methods=["POST"]),
        ]
    )
    expected = {
        "GET /a": "a:read, b:read; a:read, c:read, d:read",
        "GET /two": "datasets:write, datasets:read",
        "GET /live": "",
        "GET /nobody": "",
        "POST /open": None,
    }
    assert expected == table(app)
    assert [((),), ()] == [rule.requirement.any_of for rule in rules_of(app).rules[2:4]]


def test_convertors_become_parameters_and_spans():
    app = app_with("/files/{path:path}", "/n/{id:int}", "/a:b/{x}.{y}", "/100%/é")
    expected = ["GET /files/{path*}", "GET /n/{id}", "GET /a:b/{x}.{y}", "GET /100%25/%C3%A9"]
    assert expected == list(table(app))


def test_the_head_that_starlette_adds_is_decided_as_its_get(keys, reader):
    app = app_with("/x")
    protect(app, keys)
    with TestClient(app) as client:
        assert [200, 401] == [client.head("/x", headers=headers).status_code for headers in (reader, {})]
    assert "GET /x" == keys.events[0].operation


def test_a_head_of_its_own_stands_before_the_get_that_answers_head_too():
    own, get = Route("/x/{a}", WRITE(served), methods=["HEAD"]), Route("/x/{b}", READ(served))
    assert {"HEAD /x/{a}": "datasets:write", "GET /x/{b}": "datasets:read"} == table(Starlette(routes=[own, get]))
    assert faults(Starlette(routes=[get, own]))[0].startswith("HEAD /x/{a} ")
    narrow = Route("/x/{a:int}", WRITE(served), methods=["HEAD"])
    assert faults(Starlette(routes=[narrow, get]))[0].startswith("HEAD /x/{a:int} ")
    word = Route("/x/word", WRITE(served), methods=["HEAD"])
    assert 2 == len(table(Starlette(routes=[Route("/x/{b:int}", READ(served)), word])))


def test_mounted_applications_and_routers_are_walked_with_their_prefix(keys, reader):
    sub = app_with("/", "/x")
    sub.mount("/in/{tenant}", Router(routes=app_with("/deep").routes))
    app = Starlette(routes=[Route("/x", READ(served)), Mount("/sub", sub), Mount("/r", routes=app_with("/y").routes)])
    assert ["GET /x", "GET /sub/", "GET /sub/x", "GET /sub/in/{tenant}/deep", "GET /r/y"] == list(table(app))
    protect(app, keys)
    paths = ("/x", "/sub/", "/sub/x", "/sub/in/acme/deep", "/r/y")
    assert [200] * 5 == statuses(app, paths, headers=reader)
    assert [401] * 5 == statuses(app, paths)


def test_a_router_mounted_twice_is_served_at_both_places(keys, reader):
    twice = Router(routes=app_with("/x").routes)
    app = Starlette(routes=[Mount("/a", twice), Mount("/b", twice)])
    protect(app, keys)
    assert [200, 200] == statuses(app, ("/a/x", "/b/x"), headers=reader)


def test_what_has_no_routes_must_be_named(keys):
    app = Starlette(routes=[Route("/x", READ(served)), Mount("/static", static), Mount("/more", static)])
    assert ["/static" in text and "mounts=" in text for text in faults(app)] == [True, False]
    protect(app, keys, mounts={"/static/": public(), "/more": requires("jobs:read")})
    with TestClient(app) as client:
        assert "s" == client.get("/static/a/b.css").text
        assert [200, 401] == [client.head(f"/{path}/a").status_code for path in ("static", "more")]
        assert "s" == client.post("/more/a", headers={"X-API-Key": keys.add("jobs:read")}).text


def test_a_name_without_a_mount_is_refused():
    assert ["mounts names '/satic'" in text for text in faults(app_with("/x"), mounts={"/satic": public()})] == [True]


def test_everything_undeclared_is_named_at_once():
    class Empty(HTTPEndpoint):
        pass

    app = Starlette(
        routes=[
            Route("/a", served),
            Route("/b", served, methods=["POST", "PUT"]),
            Route("/c", public()(READ(served))),
            Route("/d/{x}", requires(object="y")(served)),
            Route("/e{x:path}", public()(served)),
            Route("/f", READ(Empty)),
            WebSocketRoute("/g", stream),
            Host("a.example", Starlette()),
        ]
    )
    found = faults(app)
    assert 9 == len(found)
    for word in ("GET /a ", "POST /b ", "PUT /b ", "public and guarded", "object 'y'", "span", "no method", "GET /g "):
        assert 1 == sum(word in text for text in found), word
    assert 1 == sum("'a.example'" in text for text in found)


@pytest.mark.parametrize(("kind", "what"), [(Route, READ(served)), (Mount, app_with("/x")), (WebSocketRoute, stream)])
def test_a_route_that_chooses_its_requests_itself_is_refused(kind, what):
    class Choosy(kind):
        def matches(self, scope):
            return super().matches({**scope, "path": "/x"})

    assert ["no route" in text for text in faults(Starlette(routes=[Choosy("/y", what)]))] == [True]


def test_an_application_is_guarded_once(keys):
    app = app_with("/x")
    protect(app, keys)
    with pytest.raises(RuntimeError, match="guarded already"):
        protect(app, keys)


def test_a_default_that_answers_what_no_route_does_is_refused():
    nested = Starlette(routes=[Mount("/r", Router(default=static))])
    assert ["the router at /r has a default" in text for text in faults(nested)] == [True]
    app = app_with("/n/{id:int}")
    app.router.default = static
    assert ["the router at / has a default" in text for text in faults(app)] == [True]


@pytest.mark.parametrize("inner", [FastAPI(), APIRouter()])
def test_the_routes_of_fastapi_are_read_by_its_own_adapter_or_named(inner):
    app = Starlette(routes=[Mount("/f", inner)])
    assert ["scopekey.enforce.fastapi" in text for text in faults(app)] == [True]
    assert table(app, mounts={"/f": READ})["GET /f/{path*}"] == "datasets:read"


HIDDEN = [
    ("/x/{a}", "/x/b"),
    ("/x/{a}", "/x/{b}"),
    ("/x/{a}/c", "/x/b/{d}"),
    ("/{p:path}", "/x"),
    ("/x/{a:int}", "/x/{b}"),
]
BESIDE = [("/x/b", "/x/{a}"), ("/x/b/{d}", "/x/{a}/c"), ("/x/{a:int}", "/x/me"), ("/x", "/{p:path}")]


@pytest.mark.parametrize(("first", "second"), HIDDEN)
def test_a_route_that_an_earlier_one_hides_is_refused_with_both_named(first, second):
    fault = faults(app_with(first, second))[0]
    assert fault.index(f"GET {second} ") < fault.index(f"GET {first} ")


@pytest.mark.parametrize(("first", "second"), BESIDE)
def test_routes_that_router_and_rules_tell_apart_alike_stand_beside_each_other(first, second):
    assert 2 == len(table(app_with(first, second)))


def test_a_mount_hides_what_is_registered_after_it():
    app = Starlette(routes=[Mount("/sub", app_with("/a")), Route("/sub/b", READ(served))])
    assert "hidden by the mount at /sub" in faults(app)[0]


def test_another_method_hides_nothing():
    first, second = Route("/x/{a}", READ(served)), Route("/x/b", public()(served), methods=["POST"])
    assert 2 == len(table(Starlette(routes=[first, second])))


def test_the_other_spelling_of_a_slash_is_refused_before_it_could_be_redirected(keys, reader):
    app = app_with("/x", "/y/")
    protect(app, keys)
    assert [401, 401] == statuses(app, ("/x/", "/y"), headers=reader, follow_redirects=False)


def test_a_path_may_be_a_websocket_too_where_both_need_the_same():
    app = app_with("/x")
    app.router.add_websocket_route("/x", READ(stream))
    assert {"GET /x": "datasets:read"} == table(app)
    app.router.add_websocket_route("/x", public()(stream))
    assert "GET /x" in faults(app)[0]


def test_rules_of_a_protected_application_knows_what_it_was_protected_with(keys):
    app = app_with("/x")
    app.mount("/static", static)
    protect(app, keys, mounts={"/static": public()}, cors_preflight=True)
    assert "GET /static/{path*}" in table(app)
    assert rules_of(app).cors_preflight


def test_root_path_is_left_out_as_the_router_leaves_it_out(keys, reader):
    app = Starlette(routes=[Route("/open", public()(served)), Mount("/sub", app_with("/y"))])
    protect(app, keys)
    with TestClient(app, root_path="/api") as client:
        assert [200, 200] == [client.get(path, headers=reader).status_code for path in ("/open", "/api/sub/y")]
        assert [400, 401] == [client.get(path).status_code for path in ("/%61pi/open", "/api/api/open")]


def test_without_protect_a_websocket_is_closed_by_its_declaration():
    app = Starlette(routes=[WebSocketRoute("/ws", READ(stream))])
    with pytest.raises(WebSocketDisconnect) as closed, TestClient(app).websocket_connect("/ws"):
        pass
    assert 1011 == closed.value.code


def test_a_route_added_after_the_start_is_never_run(keys, reader):
    app = app_with("/x/{a}")
    protect(app, keys)
    with TestClient(app) as client:
        app.router.routes.insert(0, Route("/x/late", READ(served)))
        assert 500 == client.get("/x/late", headers=reader).status_code
        assert 200 == client.get("/x/early", headers=reader).status_code


def test_a_method_that_is_put_in_the_place_of_the_decided_one_is_not_served(keys, reader):
    class Rows(HTTPEndpoint):
        get = READ(lambda self, request: PlainTextResponse("read"))
        delete = WRITE(lambda self, request: PlainTextResponse("deleted"))

    for method, expected in (("GET", 200), ("DELETE", 500)):
        app = Starlette(routes=[Route("/x", Rows)], middleware=[Middleware(routes.Changing, method=method)])
        protect(app, keys)
        assert [expected] == statuses(app, ["/x"], headers=reader)


class Forgetting:
    """A middleware of a route that takes away what only newer versions of Starlette leave in the scope."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        scope.pop("route", None)
        await self.app(scope, receive, send)


def test_where_starlette_does_not_name_the_route_its_endpoint_is_enough(keys, reader):
    forgetting = {"middleware": [Middleware(Forgetting)]}
    app = Starlette(routes=[Route("/a", READ(served), **forgetting), Route("/b", READ(served), **forgetting)])
    protect(app, keys)
    with TestClient(app) as client:
        assert [200, 200] == [client.get(path, headers=reader).status_code for path in ("/a", "/b")]
        app.router.routes[0] = Route("/{any}", READ(served), **forgetting)
        assert 500 == client.get("/a", headers=reader).status_code
