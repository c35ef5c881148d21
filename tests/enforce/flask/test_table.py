"""What is read off the routes of an application, and what of it is refused."""

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView, View
from werkzeug.routing import BaseConverter, Rule

from scopekey.enforce.flask import protect, public, requires, rules_of
from scopekey.testing import Keys
from tests.enforce.flask.apps import app_with, ask, faults, served, table


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", "jobs:read")


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


def test_what_declares_nothing_is_named_with_everything_else_that_is_wrong():
    app = app_with("/fine", "/<int:a>/x", "/<b>/x", "/files/<path:p>.txt")
    app.add_url_rule("/bare", "bare", served)
    app.add_url_rule("/both", "both", public()(requires("jobs:read")(served)))
    app.add_url_rule("/object", "object", requires(object="nothing")(served))
    app.url_map.add(Rule("/nowhere", endpoint="nowhere", redirect_to="/bare"))
    app.url_map.add(Rule("/hosted", endpoint="r0", subdomain="api"))
    found = "\n".join(faults(app, views={"gone": public()}))
    for expected in (
        "GET /bare (tests.enforce.flask.apps.served) declares nothing: put @requires(…)",
        "GET /both",
        "names the object 'nothing'",
        "views={'nowhere': public()}",
        "/hosted is bound to a host",
        "views names 'gone'",
        "must be a segment of its own",
        "GET /<b>/x (tests.enforce.flask.apps.served) is hidden by GET /<int:a>/x",
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


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_a_listed_head_or_options_that_another_route_would_answer_is_refused(method):
    for paths, fine in ((("/a", "/a"), False), (("/<x>", "/a"), True), (("/a", "/<x>"), False)):
        app = app_with(paths[0])
        app.add_url_rule(paths[1], "own", requires("jobs:read")(served), methods=[method])
        assert fine or f"answers {method} too" in faults(app)[0]
        assert not fine or f"{method} /a" in table(app)


def test_only_the_spellings_that_werkzeug_serves_are_listed():
    paths = ("/a", "/b/", "/c/<x>", "/d/<path:x>", "/e/<path:x>/", "/f/<path:x>/<y>")
    loose = app_with(*paths, strict_slashes=False)
    expected = {"/a", "/a/", "/b", "/b/", "/c/{x}", "/c/{x}/", "/d/{x*}", "/e/{x*}", "/e/{x*}/", "/f/{x*}/{y}"}
    assert expected == {operation.removeprefix("GET ") for operation in table(loose)}
