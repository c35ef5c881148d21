"""An application guarded by what its own views declare."""

import asyncio

import pytest
from flask import Flask, Response
from flask.views import MethodView
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from scopekey.enforce.flask import Protection, current_event, protect, requires, rules_of
from scopekey.testing import Keys
from tests.enforce.flask.apps import app_with, ask, served


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", "jobs:read")


def test_an_async_view_is_awaited(keys):
    app = Flask("made_up", static_folder=None)

    @app.get("/a")
    @requires("datasets:read")
    async def view():
        await asyncio.sleep(0)
        return {"by": current_event().decision.key_id}

    protect(app, keys, applied=False)
    answer = ask(app, keys, "/a", "datasets:read")
    assert (200, keys.events[-1].decision.key_id) == (answer.status_code, answer.json["by"])


def test_head_and_options_are_what_flask_makes_of_them(keys):
    app = app_with("/a")
    protect(app, keys, applied=False)
    assert 200 == ask(app, keys, "/a", "datasets:read", method="HEAD").status_code
    refused = ask(app, keys, "/a", "datasets:read", method="OPTIONS")
    assert (401, "unlisted_operation") == (refused.status_code, refused.headers["Scopekey-Code"])
    lenient = app_with("/a")
    protect(lenient, keys, applied=False, cors_preflight=True)
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    passed = lenient.test_client().options("/a", headers=asked)
    assert (200, {"GET", "HEAD", "OPTIONS"}) == (passed.status_code, set(passed.allow))


def test_a_redirect_to_another_spelling_is_refused_before_flask_thinks_of_it(keys):
    app = app_with("/a/", "/b")
    app.add_url_rule("/c/", "c", requires("datasets:read")(served), strict_slashes=False)
    app.add_url_rule("/d", "d", requires("datasets:read")(served), strict_slashes=False)
    protect(app, keys, applied=False)
    status = {path: ask(app, keys, path, "datasets:read").status_code for path in ("/a", "/b/", "//b", "/b//")}
    assert {"/a": 401, "/b/": 401, "//b": 400, "/b//": 400} == status
    assert [200] * 4 == [ask(app, keys, path, "datasets:read").status_code for path in ("/c", "/c/", "/d", "/d/")]


def test_a_route_that_was_added_after_the_start_is_refused(keys):
    app = app_with("/a")
    protect(app, keys, applied=False)
    assert 200 == ask(app, keys, "/a", "datasets:read").status_code
    app.url_map.add(Rule("/late", endpoint="r0"))
    app.url_map.add(Rule("/<any(a,b):x>", endpoint="r0"))
    assert [401, 401] == [ask(app, keys, path, "datasets:read").status_code for path in ("/late", "/b")]


@pytest.mark.parametrize("declared", [True, False])
def test_another_route_than_the_one_decided_is_not_run(keys, declared):
    app, called = app_with("/<x>"), []

    def other():
        called.append(1)
        return "other"

    protect(app, keys, applied=False)
    assert 200 == ask(app, keys, "/b", "datasets:read").status_code
    app.view_functions["other"] = requires("jobs:read")(other) if declared else other
    app.url_map.add(Rule("/a", endpoint="other"))
    answer = ask(app, keys, "/a", "datasets:read")
    assert (500, []) == (answer.status_code, called)
    assert "not the operation that was decided" in answer.text


def test_a_view_without_any_middleware_is_not_run():
    app = app_with("/a")
    assert 500 == app.test_client().get("/a").status_code
    with app.test_request_context("/a"), pytest.raises(LookupError, match="no Scopekey middleware"):
        current_event()


def test_the_answer_to_what_was_misrouted_may_be_the_applications_own(keys):
    app = app_with("/a")

    @app.errorhandler(HTTPException)
    def own(error):
        return Response("own", error.code)

    assert (500, "own") == ((answer := app.test_client().get("/a")).status_code, answer.text)


def test_an_extension_guards_the_applications_it_is_given_each_with_its_own_routes(keys):
    protection = Protection(keys, applied=False)
    first, second = app_with("/a"), app_with("/b")
    protection.init_app(first)
    protection.init_app(second)
    assert [200, 401] == [ask(first, keys, path, "datasets:read").status_code for path in ("/a", "/b")]
    assert [401, 200] == [ask(second, keys, path, "datasets:read").status_code for path in ("/a", "/b")]
    with pytest.raises(RuntimeError, match="guarded already"):
        protect(first, keys)


def test_the_options_of_the_middleware_are_handed_on(keys):
    app = app_with("/a")
    protect(app, keys, applied=False, realm="datasets", missing_permission_status=403, trusted_proxies=["10.0.0.0/8"])
    answer = ask(
        app,
        keys,
        "/a",
        "jobs:read",
        environ_base={"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.7"},
    )
    assert (403, True) == (answer.status_code, 'realm="datasets"' in answer.headers["WWW-Authenticate"])
    assert "192.0.2.7" == keys.events[-1].address


def test_a_guarded_application_knows_its_own_arguments(keys, tmp_path):
    app = Flask("made_up", static_folder=tmp_path, static_url_path="/static")
    protect(app, keys, static="public", cors_preflight=True)
    assert rules_of(app, static="public", cors_preflight=True) == rules_of(app)
    assert rules_of(app).cors_preflight


def test_a_handler_of_another_method_of_a_class_than_the_one_decided_is_not_run(keys):
    class Datasets(MethodView):
        @requires("datasets:read")
        def get(self):
            return {"read": True}

        @requires("datasets:write")
        def delete(self):
            return {"deleted": True}

    app = Flask("made_up", static_folder=None)
    app.add_url_rule("/datasets", view_func=Datasets.as_view("datasets"))
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start: inner(environ | {"REQUEST_METHOD": "DELETE"}, start)
    protect(app, keys, applied=False)
    assert 500 == ask(app, keys, "/datasets", "datasets:read").status_code
    assert 200 == ask(app, keys, "/datasets", "datasets:write", method="DELETE").status_code
