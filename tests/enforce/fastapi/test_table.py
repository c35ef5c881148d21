"""What is read off the routes of an application, and what of it is refused."""

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from scopekey.enforce.fastapi import public, requires, rules_of
from tests.enforce.fastapi.apps import app_with, faults, nested, served, stream, table


def test_included_routers_count_and_what_is_declared_on_the_way_adds_up():
    expected = {
        "DELETE /api/datasets/{dataset_id}/v1/rows/{row}": "jobs:read, datasets:read, datasets:write",
        "GET /api/datasets/{dataset_id}/v1/rows/feed": "jobs:read, datasets:read, datasets:write",
        "GET /api/datasets/{dataset_id}": "jobs:read, datasets:read",
    }
    assert expected == table(nested())


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


def test_a_name_without_a_mount_is_refused():
    assert ["mounts names '/satic'" in text for text in faults(app_with("/x"), mounts={"/satic": public()})] == [True]


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


def test_a_mounted_application_with_a_root_path_of_its_own_is_refused():
    app = FastAPI()
    sub = app_with("/a")
    sub.root_path = "/elsewhere"
    app.mount("/sub", sub)
    assert "sets root_path" in faults(app)[0]


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
