"""An application guarded by what its own views declare."""

import asyncio
import logging

import pytest
from flask import Blueprint, Flask, Response, request
from flask.views import MethodView, View
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Rule

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.permission import InvalidPermissionError
from scopekey.enforce.flask import Protection, RulesError, current_event, protect, public, requires, rules_of
from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware
from scopekey.testing import Keys


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", "jobs:read")


def served(**values):
    return {"served": request.url_rule.rule} | values


def app_with(*paths, declared=None, **options):
    """An application whose routes all need datasets:read."""
    app = Flask("made_up", static_folder=None)
    for number, path in enumerate(paths):
        app.add_url_rule(path, f"r{number}", (declared or requires("datasets:read"))(served), **options)
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


def ask(app, keys, target, *permissions, method="GET", **options):
    secret = keys.add(*permissions)
    return app.test_client().open(target, method=method, headers={"X-API-Key": secret}, **options)


def test_blueprints_count_and_each_method_of_a_route_is_an_operation():
    rows = Blueprint("rows", "made_up", url_prefix="/rows")
    rows.add_url_rule("/<int:row>", view_func=requires("datasets:write")(served), methods=["PUT", "DELETE"])
    outer = Blueprint("outer", "made_up")
    outer.register_blueprint(rows)
    app = app_with("/datasets")
    app.register_blueprint(outer, url_prefix="/v1")
    expected = {
        "GET /datasets": "datasets:read",
        "DELETE /v1/rows/{row}": "datasets:write",
        "PUT /v1/rows/{row}": "datasets:write",
    }
    assert expected == table(app)


def test_declarations_add_up():
    app = Flask("made_up", static_folder=None)

    @app.get("/a/<a>")
    @requires("datasets:read", object="a")
    @requires(any_of=["jobs:read", ["datasets:write", "jobs:write"]])
    def view(a):
        return a

    assert {"GET /a/{a}": "jobs:read, datasets:read; datasets:write, jobs:write, datasets:read"} == table(app)
    assert "a" == rules_of(app).rules[0].object


def test_every_converter_of_werkzeug_has_its_template():
    app = app_with(
        "/s/<x>",
        "/i/<int:x>",
        "/f/<float(signed=True):x>",
        "/u/<uuid:x>",
        "/p/<path:x>",
        "/y/<any(a,b):x>",
        "/m/<x>.<y>",
        "/c/café <x>",
        "/t/",
        declared=public(),
    )
    paths = ["/c/caf%C3%A9%20{x}", "/f/{x}", "/i/{x}", "/m/{x}.{y}", "/p/{x*}", "/s/{x}", "/t/", "/u/{x}", "/y/{x}"]
    assert [f"GET {path}" for path in paths] == sorted(table(app))


def test_a_converter_of_ones_own_is_read_off_its_expression(keys):
    class Even(BaseConverter):
        regex = "[02468]+"

    app = Flask("made_up", static_folder=None)
    app.url_map.converters["even"] = Even
    app.add_url_rule("/<even:x>", "even", requires("datasets:read")(served))
    app.add_url_rule("/odd", "odd", requires("datasets:write")(served))
    protect(app, keys, applied=False)
    assert 200 == ask(app, keys, "/24", "datasets:read").status_code
    assert 404 == ask(app, keys, "/23", "datasets:read").status_code
    assert 401 == ask(app, keys, "/odd", "datasets:read").status_code


def test_a_converter_that_takes_slashes_but_not_everything_hides_what_it_declines():
    class Deep(BaseConverter):
        regex = "[ab][ab/]*"

    app = Flask("made_up", static_folder=None)
    app.url_map.converters["deep"] = Deep
    app.add_url_rule("/a/<deep:x>", "deep", requires("datasets:read")(served))
    assert {"GET /a/{x*}": "datasets:read"} == table(app)
    app.add_url_rule("/<x>/z", "other", requires("jobs:read")(served))
    assert "whose convertors decline some paths" in faults(app)[0]


def test_a_class_of_views_declares_for_all_its_methods_and_each_for_itself(keys):
    class Datasets(MethodView):
        decorators = (requires("datasets:read"),)

        def get(self):
            return served()

        @requires("datasets:write")
        def post(self):
            return served()

    class Plain(View):
        decorators = (public(),)

        def dispatch_request(self):
            return served()

    app = Flask("made_up", static_folder=None)
    app.add_url_rule("/datasets", view_func=Datasets.as_view("datasets"))
    app.add_url_rule("/plain", view_func=Plain.as_view("plain"))
    expected = {
        "GET /datasets": "datasets:read",
        "GET /plain": None,
        "POST /datasets": "datasets:read, datasets:write",
    }
    assert expected == table(app)
    protect(app, keys, applied=False)
    assert 200 == ask(app, keys, "/datasets", "datasets:read").status_code
    assert 401 == ask(app, keys, "/datasets", "datasets:read", method="POST").status_code
    assert 200 == ask(app, keys, "/datasets", "datasets:read", "datasets:write", method="POST").status_code


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


def test_what_declares_nothing_is_named_with_everything_else_that_is_wrong():
    app = app_with("/fine", "/<int:a>/x", "/<b>/x", "/files/<path:p>.txt")
    app.add_url_rule("/bare", "bare", served)
    app.add_url_rule("/both", "both", public()(requires("jobs:read")(served)))
    app.add_url_rule("/object", "object", requires(object="nothing")(served))
    app.url_map.add(Rule("/nowhere", endpoint="nowhere", redirect_to="/bare"))
    app.url_map.add(Rule("/hosted", endpoint="r0", subdomain="api"))
    found = "\n".join(faults(app, views={"gone": public()}))
    for expected in (
        "GET /bare (tests.enforce.flask.test_protect.served) declares nothing: put @requires(…)",
        "GET /both",
        "names the object 'nothing'",
        "views={'nowhere': public()}",
        "/hosted is bound to a host",
        "views names 'gone'",
        "must be a segment of its own",
        "GET /<b>/x (tests.enforce.flask.test_protect.served) is hidden by GET /<int:a>/x",
    ):
        assert expected in found


def test_a_declaration_above_the_route_is_none():
    app = Flask("made_up", static_folder=None)
    requires("datasets:read")(app.get("/a")(served))
    assert "beneath the decorator that adds the route" in faults(app)[0]


@pytest.mark.parametrize("options", [{"host_matching": True, "static_host": "a"}, {"subdomain_matching": True}])
def test_an_application_that_looks_at_hosts_is_refused(options):
    app = Flask("made_up", static_folder=None, **options)
    assert "rules decide on the path alone" in faults(app)[0]


def test_files_of_flask_and_of_blueprints_must_be_named(keys, tmp_path):
    (tmp_path / "a.txt").write_text("file")
    app = Flask("made_up", static_folder=tmp_path, static_url_path="/static")
    own = Blueprint("own", "made_up", static_folder=tmp_path, static_url_path="/static", url_prefix="/own")
    app.register_blueprint(own)
    assert ["views={'static'", "views={'own.static'"] == [
        name for name in ("views={'static'", "views={'own.static'") if any(name in fault for fault in faults(app))
    ]
    expected = {"GET /static/{filename*}": None, "GET /own/static/{filename*}": None}
    assert expected == table(app, static="public")
    named = table(app, static="public", views={"own.static": requires("datasets:read")})
    assert expected | {"GET /own/static/{filename*}": "datasets:read"} == named
    protect(app, keys, static="public", views={"own.static": requires("datasets:read")}, applied=False)
    with app.test_client().get("/static/a.txt") as answer:
        assert (200, b"file") == (answer.status_code, answer.data)
    assert 401 == app.test_client().get("/own/static/a.txt").status_code
    with ask(app, keys, "/own/static/a.txt", "datasets:read") as answer:
        assert 200 == answer.status_code


def test_a_catch_all_beside_the_files_is_decided_where_it_is_served(keys, tmp_path):
    app = Flask("made_up", static_folder=tmp_path, static_url_path="/static")
    app.add_url_rule("/<path:page>", "page", requires("datasets:read")(served))
    protect(app, keys, static="public", applied=False)
    assert 401 == app.test_client().get("/static/").status_code
    answer = ask(app, keys, "/static/", "datasets:read")
    assert (200, "static/") == (answer.status_code, answer.json["page"])
    assert 404 == app.test_client().get("/static/none").status_code


def test_another_word_for_static_is_refused():
    assert "static='open' means nothing" in faults(app_with("/a"), static="open")[0]


@pytest.mark.parametrize(
    ("second", "first"),
    [
        ("/<x>", "/<path:y>"),
        ("/<int:x>/z", "/a/<y>"),
        ("/<int:x>/settings", "/<int:x>/<name>"),
        ("/me/<x>", "/<int:y>/<z>"),
        ("/a/<int:x>", "/a/b"),
        ("/<x>/<y>/", "/a/<path:z>"),
        ("/<x>/<path:y>", "/<path:z>"),
        ("/<x>/", "/a/<path:y>"),
        ("/b/", "/<x>/<path:y>"),
    ],
)
def test_routes_that_werkzeug_tells_apart_as_the_rules_do_may_stand_beside_each_other(first, second):
    for paths in ((first, second), (second, first)):
        assert {"GET"} == {operation.partition(" ")[0] for operation in table(app_with(*paths))}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/a", "/a"),
        ("/<x>", "/<y>"),
        ("/<int:x>", "/<y>"),
        ("/<int:x>", "/<path:y>"),
        ("/<x>/a", "/b/<int:y>"),
        ("/a<int:x>", "/<y>"),
        ("/x/a<int:y>", "/<z>/ab"),
        ("/<int:x>/a", "/<string(length=2):y>/<z>"),
        ("/<x>/<path:y>", "/<int:z>/<path:t>/"),
    ],
)
def test_routes_that_werkzeug_tells_apart_in_another_way_are_refused(first, second):
    for paths in ((first, second), (second, first)):
        assert "change one of the paths" in faults(app_with(*paths))[0]


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


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_a_listed_head_or_options_that_another_route_would_answer_is_refused(method):
    for paths, fine in ((("/a", "/a"), False), (("/<x>", "/a"), True), (("/a", "/<x>"), False)):
        app = app_with(paths[0])
        app.add_url_rule(paths[1], "own", requires("jobs:read")(served), methods=[method])
        assert fine or f"answers {method} too" in faults(app)[0]
        assert not fine or f"{method} /a" in table(app)


def test_a_redirect_to_another_spelling_is_refused_before_flask_thinks_of_it(keys):
    app = app_with("/a/", "/b")
    app.add_url_rule("/c/", "c", requires("datasets:read")(served), strict_slashes=False)
    app.add_url_rule("/d", "d", requires("datasets:read")(served), strict_slashes=False)
    protect(app, keys, applied=False)
    status = {path: ask(app, keys, path, "datasets:read").status_code for path in ("/a", "/b/", "//b", "/b//")}
    assert {"/a": 401, "/b/": 401, "//b": 400, "/b//": 400} == status
    assert [200] * 4 == [ask(app, keys, path, "datasets:read").status_code for path in ("/c", "/c/", "/d", "/d/")]


def test_only_the_spellings_that_werkzeug_serves_are_listed():
    paths = ("/a", "/b/", "/c/<x>", "/d/<path:x>", "/e/<path:x>/", "/f/<path:x>/<y>")
    loose = app_with(*paths, strict_slashes=False)
    expected = {"/a", "/a/", "/b", "/b/", "/c/{x}", "/c/{x}/", "/d/{x*}", "/e/{x*}", "/e/{x*}/", "/f/{x*}/{y}"}
    assert expected == {operation.removeprefix("GET ") for operation in table(loose)}


def test_with_faults_every_request_is_refused_and_they_are_said_once(keys, caplog):
    app = app_with("/a")
    app.add_url_rule("/bare", "bare", served)
    protect(app, keys, applied=False)
    answers = [ask(app, keys, path, "datasets:read") for path in ("/a", "/bare", "/none")]
    assert [(503, "unavailable")] * 3 == [(a.status_code, a.headers["Scopekey-Code"]) for a in answers]
    assert 1 == caplog.text.count("GET /bare")


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


def test_behind_the_plain_middleware_a_view_runs_where_its_own_declaration_is_held(keys):
    app = app_with("/a")
    app.add_url_rule("/open", "open", public()(served))
    app.wsgi_app = ScopekeyWSGIMiddleware(app.wsgi_app, keys, rules_of(app_with("/a", "/open", declared=requires())))
    assert [200, 500] == [ask(app, keys, "/a", permission).status_code for permission in ("datasets:read", "jobs:read")]
    assert 200 == ask(app, keys, "/open").status_code


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


def test_permissions_are_looked_up_where_there_is_a_catalog():
    catalog = Catalog("c", (Resource("datasets", "Datasets", "Data", ("read", "write")),), levels=("read", "write"))
    assert "datasets:read" == str(rules_of(app_with("/a"), catalog).rules[0].requirement)
    with pytest.raises(RulesError, match="jobs"):
        rules_of(app_with("/a", declared=requires("jobs:read")), catalog)


def test_permissions_that_nobody_can_hold_refuse_every_request(keys, caplog):
    app = app_with("/a", declared=requires("nothing:read"))
    protect(app, keys, applied=False)
    assert 503 == ask(app, keys, "/a").status_code
    assert "nothing" in caplog.text


@pytest.mark.parametrize("applied", [True, False])
def test_a_warning_says_where_these_are_not_the_applied_rules(keys, applied, caplog):
    app = app_with("/a")
    protect(app, keys, applied=applied)
    with caplog.at_level(logging.WARNING):
        ask(app, keys, "/a", "datasets:read")
    assert applied == ("not the applied ones" in caplog.text)


def test_a_declaration_that_means_nothing_is_refused_where_it_stands():
    with pytest.raises(InvalidPermissionError):
        requires("datasets")
    with pytest.raises(ValueError, match="loud"):
        requires("datasets:read", mode="loud")


def test_a_method_that_something_behind_the_guard_changes_is_not_served(keys):
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
