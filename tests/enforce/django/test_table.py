"""The table that is read off a URLconf, and what cannot be read."""

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.test import override_settings
from django.urls import include, path, re_path, register_converter
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.permission import InvalidPermissionError
from scopekey.enforce.django import RulesError, public, requires, rules_of
from tests.enforce.django.conftest import urlconf


class FourDigits:
    regex = "[0-9]{4}"
    to_python = int
    to_url = str


class Anything(FourDigits):
    regex = "[a-z]+|.*"


register_converter(FourDigits, "year")
register_converter(Anything, "anything")


@requires("datasets:read", methods="GET")
def read(request, **values):
    return HttpResponse("ok")


def plain(request, **values):
    return HttpResponse("ok")


def table(*patterns, **options):
    """The table as text: each operation and what it needs."""
    return {
        str(rule.operation): None if rule.requirement is None else str(rule.requirement)
        for rule in rules_of(urlconf(*patterns), **options).rules
    }


def paths(*patterns):
    return [operation.partition(" ")[2] for operation in table(*patterns)]


def faults(*patterns, **options):
    with pytest.raises(RulesError) as raised:
        rules_of(urlconf(*patterns), **options)
    return raised.value.faults


def test_converters_become_parameters_and_spans():
    expected = [
        "/", "/a", "/a/", "/d/{x}", "/s/{x}/", "/n/{x}", "/slug/{x}", "/u/{x}", "/y{x}.{y}", "/files/{x*}",
        "/100%25/%C3%A9",
    ]  # fmt: skip
    routes = [
        "", "a", "a/", "d/<x>", "s/<str:x>/", "n/<int:x>", "slug/<slug:x>", "u/<uuid:x>", "y<year:x>.<y>",
        "files/<path:x>", "100%/é",
    ]  # fmt: skip
    assert expected == paths(*(path(route, read) for route in routes))


@pytest.mark.parametrize(
    ("expected", "expression"),
    [
        ("/", "^$"),
        ("/a/", r"^a/$"),
        ("/a.b", r"^a\.b\Z"),
        ("/d/{x}", r"^d/(?P<x>[^/]+)$"),
        ("/d/{x}/rows", r"^d/(?P<x>\d+)/rows$"),
        ("/d/{x}-{y}", r"^d/(?P<x>[0-9]{4})-(?P<y>[\w-]+)$"),
        ("/static/{path*}", r"^static/(?P<path>.*)$"),
    ],
)
def test_expressions_that_are_plain_paths_are_read(expected, expression):
    assert [expected] == paths(re_path(expression, read))


@pytest.mark.parametrize(
    ("expected", "expression"),
    [
        ("not anchored", r"^a/"),
        ("not anchored", r"a/$"),
        ("not anchored", r"^a\$"),
        ("no plain path", r"^a/?$"),
        ("no plain path", r"^a.b$"),
        ("no plain path", r"^a/(\d+)$"),
        ("no plain path", r"^a/(?P<x>\d+)?$"),
        ("no plain path", r"^(?:a|b)$"),
        ("nothing or a slash", r"^a/(?P<x>\d*)$"),
        ("nothing or a slash", r"^a/(?P<x>[^.]+)$"),
        ("nothing or a slash", r"^a/(?P<x>\D+)$"),
        ("nothing or a slash", r"^a/(?P<x>a|.+)$"),
        ("nothing or a slash", r"^a/(?P<x>[!-~]+)$"),
        ("nothing or a slash", r"^a/(?P<x>\x2f)$"),
    ],
)
def test_any_other_expression_is_refused_and_named(expected, expression):
    [fault] = faults(re_path(expression, read))
    assert expected in fault


def test_includes_are_walked_with_their_prefix_and_namespace():
    inner = ([path("", read), re_path(r"^(?P<row>\d+)/x/$", read)], "rows")
    assert ["/api/{dataset}/rows/", "/api/{dataset}/rows/{row}/x/"] == paths(
        path("api/", include([path("<slug:dataset>/", include([path("rows/", include(inner, namespace="one"))]))]))
    )
    assert ["/a/b", "/ab"] == paths(re_path("^a", include([path("/b", read), path("b", read)])))


def test_a_prefix_must_end_in_one_place_only():
    assert "set a slash behind it" in faults(path("<slug:x>", include([path("a", read)])))[0]
    assert "spans segments" in faults(path("<path:x>/", include([path("a", read)])))[0]
    assert "two parameters named 'pk'" in faults(path("<int:pk>/", include([path("<int:pk>", read)])))[0]


def test_a_path_that_changes_with_the_language_is_refused():
    [fault] = faults(*i18n_patterns(path("a", read)))
    assert "changes with the language" in fault
    assert "changes with the language" in faults(path(gettext_lazy("a"), read))[0]


def test_a_converter_that_may_match_a_slash_or_nothing_is_refused():
    assert "may match nothing or a slash" in faults(path("a/<anything:x>", read))[0]


def test_every_view_without_a_declaration_is_named_and_everything_wrong_is_said_at_once():
    found = faults(
        path("a", plain), path("b", read), path("c/<x>", plain), re_path("d", read), path("e", TemplateView.as_view())
    )
    assert [
        "/a (tests.enforce.django.test_table.plain) declares nothing: decorate it with requires(…) or public()",
        "/c/{x} (tests.enforce.django.test_table.plain) declares nothing: decorate it with requires(…) or public()",
    ] == [fault for fault in found if "plain)" in fault]
    assert 4 == len(found)
    assert "/e (django.views.generic.base.TemplateView) declares nothing" in found[3]


def test_a_function_answers_every_common_method_or_those_its_declarations_name():
    every = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
    assert {f"{method} /a": "a:read" for method in every} == table(path("a", requires("a:read")(plain)))
    stacked = requires("a:read", methods=["GET", "PURGE"])(requires("a:write", methods="PUT")(plain))
    assert {"GET /a": "a:read", "PURGE /a": "a:read", "PUT /a": "a:write"} == table(path("a", stacked))


def test_declarations_add_up_each_for_its_methods():
    view = requires(any_of=["b:read", ["c:read", "d:read"]])(requires("a:read", methods=["GET"])(csrf_exempt(plain)))
    found = table(path("a", view))
    assert ("a:read, b:read; a:read, c:read, d:read", "b:read; c:read, d:read") == (found["GET /a"], found["POST /a"])
    assert {"GET /live": "", "GET /open": None} == table(
        path("live", requires(methods="GET")(plain)), path("open", public(methods="GET")(plain))
    )


class Handlers(View):
    @requires("a:read")
    def get(self, request):
        return HttpResponse("got")

    @method_decorator(requires("a:write"))
    def post(self, request):
        return HttpResponse("posted")


@method_decorator([requires("b:read"), requires("b:write", methods="POST")], name="dispatch")
class Both(Handlers):
    pass


@method_decorator(requires("c:read"), name="dispatch")
class More(Both):
    def options(self, request):
        return HttpResponse("mine")


class Overridden(Handlers):
    def post(self, request):
        return HttpResponse("forgotten")


class Nothing(View):
    pass


def test_a_class_answers_what_it_has_handlers_for():
    assert {"GET /a": "a:read", "POST /a": "a:write"} == table(path("a", Handlers.as_view()))
    assert {"GET /a": "a:read"} == table(path("a", Handlers.as_view(http_method_names=["get", "options"])))
    assert {"GET /a": "z:read, a:read", "POST /a": "z:read, a:write"} == table(
        path("a", requires("z:read")(Handlers.as_view()))
    )


def test_what_a_class_its_parents_and_its_handlers_declare_adds_up():
    assert {"GET /a": {"b:read", "a:read"}, "POST /a": {"b:read", "b:write", "a:write"}} == {
        operation: set(needs.split(", ")) for operation, needs in table(path("a", Both.as_view())).items()
    }
    assert {
        "GET /a": {"c:read", "b:read", "a:read"},
        "OPTIONS /a": {"c:read", "b:read"},
        "POST /a": {"c:read", "b:read", "b:write", "a:write"},
    } == {operation: set(needs.split(", ")) for operation, needs in table(path("a", More.as_view())).items()}


def test_the_options_of_djangos_own_view_are_listed_where_somebody_speaks_of_them():
    view = public(methods="OPTIONS")(Handlers.as_view())
    assert {"GET /a": "a:read", "OPTIONS /a": None, "POST /a": "a:write"} == table(path("a", view))


def test_a_handler_that_was_overridden_must_declare_again():
    [fault] = faults(path("a", Overridden.as_view()))
    assert "Overridden) declares nothing for POST" in fault
    assert "answers no method" in faults(path("a", Nothing.as_view()))[0]


def test_the_first_route_that_matches_must_be_the_one_that_the_rules_choose():
    write = requires("datasets:write", methods="POST")(plain)
    [fault] = faults(path("d/<x>", read), path("d/new", read))
    assert "GET /d/new" in fault
    assert "hidden by GET /d/{x}" in fault
    assert ["GET /d/new", "GET /d/{x}"] == list(table(path("d/new", read), path("d/<x>", read)))
    # Django routes by the path alone: the first route keeps the method from the second.
    [fault] = faults(path("d/<x>", read), path("d/new", write))
    assert "POST /d/new" in fault
    assert "hidden by POST /d/{x}" in fault


def test_a_method_that_a_route_does_not_answer_stays_shut_on_its_paths():
    write = requires("datasets:write", methods=["POST", "HEAD"])(plain)
    expected = {
        "GET /d/new": "datasets:read",
        "HEAD /d/new": "datasets:read",
        "POST /d/new": "",
        "HEAD /d/{x}": "datasets:write",
        "POST /d/{x}": "datasets:write",
    }
    routes = path("d/new", read), path("d/<x>", write)
    assert expected == table(*routes)
    shut = [rule for rule in rules_of(urlconf(*routes)).rules if str(rule.operation) == "POST /d/new"]
    assert [()] == [rule.requirement.any_of for rule in shut]


def test_a_span_takes_no_empty_rest_in_a_path_and_one_in_an_expression():
    assert {"GET /f/{x*}", "GET /f/"} == set(table(path("f/<path:x>", read), path("f/", read)))
    assert "where nothing stands for its <path:…>" in faults(path("f/<path:x>", read), path("<x>/", read))[0]
    assert "hidden by" in faults(re_path("^f/(?P<x>.*)$", read), path("f/", read))[0]


def test_what_is_included_and_declares_nothing_is_named_as_a_whole():
    theirs = include([path("", plain), re_path(r"^(\d+)/?$", plain)])
    assert {"GET /x": "datasets:read", "GET /admin/{path*}": None} == table(
        path("x", read), path("admin/", theirs), mounts={"/admin/": public(methods=["GET"])}
    )
    every = table(path("admin/", theirs), mounts={"/admin/": requires("a:write")})
    assert (7, {"a:write"}) == (len(every), set(every.values()))
    hidden = faults(path("admin/", theirs), path("admin/x", read), mounts={"/admin/": public()})[0]
    assert "GET /admin/x" in hidden
    assert "hidden by the include at /admin/" in hidden
    assert "nothing is included there" in faults(path("x", read), mounts={"/x": public()})[0]
    assert "ends inside a segment" in faults(path("x", theirs), mounts={"/x": public()})[0]


def test_the_setting_is_asked_for_what_is_not_given():
    included = urlconf(path("admin/", include([path("", plain)])))
    with override_settings(SCOPEKEY={"MOUNTS": {"/admin/": public()}, "CORS_PREFLIGHT": True}, ROOT_URLCONF=included):
        assert (7, True) == (len(rules_of().rules), rules_of().cors_preflight)


def test_permissions_are_looked_up_where_there_is_a_catalog():
    catalog = Catalog("shop", (Resource("datasets", "Datasets", "Core", ("read",)),))
    assert {"GET /a": "datasets:read"} == table(path("a", read), catalog=catalog)
    [fault] = faults(path("a", requires("nothing:read", methods="GET")(plain)), catalog=catalog)
    assert "GET /a" in fault


def test_a_declaration_that_means_nothing_is_refused_at_once():
    with pytest.raises(InvalidPermissionError):
        requires("datasets")
    with pytest.raises(ValueError, match="perhaps"):
        requires("a:read", mode="perhaps")
    with pytest.raises(ValueError, match="upper case"):
        requires("a:read", methods=["get"])
    with pytest.raises(TypeError, match="method_decorator"):
        requires("a:read")(Handlers)
    found = faults(path("a/<x>", public(methods="GET")(requires("a:read", object="y", methods="GET")(plain))))
    assert ["declared public and guarded at once", "names the object 'y'"] == [
        words for words in ("declared public and guarded at once", "names the object 'y'") if words in " ".join(found)
    ]
