"""A guarded project: views of every kind, what stands around the middleware, and what is refused."""

import asyncio
import json
import logging
from functools import partial

import pytest
from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, HttpResponseNotAllowed
from django.test import RequestFactory, override_settings
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.http import require_http_methods

from scopekey.enforce.asgi import ScopekeyMiddleware as PlainMiddleware
from scopekey.enforce.django import ScopekeyMiddleware, public, requires, rules, rules_of
from scopekey.enforce.django.table import RoutesTable
from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware
from scopekey.testing import Keys
from tests.contract.door import request
from tests.contract.door_drivers import environ_of, over_asgi, over_wsgi, scope_of
from tests.contract.door_exchange import Upstream
from tests.enforce.django.conftest import urlconf


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write")


@pytest.fixture
def guarded(project, keys):
    """Give the function that makes these patterns the URLconf of a project with these keys."""
    return partial(project, keys=keys)


@pytest.fixture
def secret(keys):
    return keys.add("datasets:read")


def sync(app=None):
    return over_wsgi(app or WSGIHandler(), Upstream())


def on_a_loop(app=None):
    return over_asgi(app or ASGIHandler(), Upstream())


@pytest.fixture(params=[sync, on_a_loop])
def send(request):
    """Send a request to the project as it is now, under WSGI or under ASGI."""

    def sent(asked):
        return request.param()(asked)

    return sent


def who(request, **values):
    return HttpResponse(str(request.scopekey.decision.key_id))


async def who_async(request, **values):
    return HttpResponse(str(request.scopekey.decision.key_id))


class Shown(View):
    @requires("datasets:read")
    def get(self, request, **values):
        return who(request)

    @requires("datasets:write")
    def post(self, request, **values):
        return who(request)


class ShownAsync(View):
    @requires("datasets:read")
    async def get(self, request, **values):
        return await who_async(request)


@method_decorator(requires("datasets:read"), name="dispatch")
class Dispatched(View):
    def get(self, request, **values):
        return who(request)


@method_decorator(requires("datasets:read"), name="dispatch")
class DispatchedAsync(View):
    async def get(self, request, **values):
        return await who_async(request)


VIEWS = [
    requires("datasets:read")(who),
    requires("datasets:read")(who_async),
    requires("datasets:read")(require_http_methods(["GET", "HEAD"])(who)),
    require_http_methods(["GET", "HEAD"])(requires("datasets:read", methods="GET")(who_async)),
    requires("datasets:read", methods="GET")(requires("datasets:write", methods="POST")(who)),
    Shown.as_view(),
    ShownAsync.as_view(),
    Dispatched.as_view(),
    DispatchedAsync.as_view(),
    requires("datasets:read")(Dispatched.as_view()),
    requires(methods=["GET"])(ShownAsync.as_view()),
]


@pytest.mark.parametrize("view", VIEWS)
def test_views_of_every_kind_are_served_with_their_event_and_refused_without_a_key(guarded, keys, secret, send, view):
    guarded(path("a/<x>", view))
    assert (200, keys.key(secret).id.encode()) == send(request(target=b"/a/1", secret=secret))[::2]
    assert 200 == send(request("HEAD", b"/a/1", secret))[0]
    assert 401 == send(request(target=b"/a/1"))[0]
    assert 401 == send(request("POST", b"/a/1", keys.add()))[0]
    assert iscoroutinefunction(view) is (view in {VIEWS[at] for at in (1, 3, 6, 8, 10)})


@pytest.mark.parametrize("view", VIEWS)
def test_a_declared_view_does_not_run_where_nobody_decided(send, view):
    with override_settings(ROOT_URLCONF=urlconf(path("a/<x>", view)), MIDDLEWARE=[], DEBUG=False):
        assert 500 == send(request(target=b"/a/1"))[0]


def test_a_public_view_does_not_run_where_nobody_decided_either(send):
    with override_settings(ROOT_URLCONF=urlconf(path("a", public()(who))), MIDDLEWARE=[]):
        assert 500 == send(request(target=b"/a"))[0]


def test_each_method_of_a_class_needs_its_own(guarded, keys, secret, send):
    guarded(path("a", Shown.as_view()))
    assert [200, 401] == [send(request(method, b"/a", secret))[0] for method in ("GET", "POST")]
    assert [401, 200] == [send(request(method, b"/a", keys.add("datasets:write")))[0] for method in ("GET", "POST")]
    assert ["GET /a", "POST /a"] * 2 == [event.operation for event in keys.events]


class Rewriting:
    """A middleware that changes where a request goes, after it was decided."""

    sync_capable = async_capable = True

    def __new__(cls, get_response):
        def change(request):
            for name, value in REWRITES.get(request.headers["Rewrite"], {}).items():
                setattr(request, name, value)
            return get_response(request)

        async def change_async(request):
            return await change(request)

        return change_async if iscoroutinefunction(get_response) else change


REWRITES = {
    "the path": {"path_info": "/b"},
    "the path, to an include": {"path_info": "/theirs/x"},
    "the method": {"method": "POST"},
    "the method, to one that is not listed": {"method": "DELETE"},
    "the URLconf": {"urlconf": urlconf(path("a", requires("datasets:write")(who)))},
    "the URLconf, to one that declares nothing": {"urlconf": urlconf(path("a", who))},
}


@pytest.mark.parametrize("what", REWRITES)
def test_a_request_that_is_rewritten_behind_the_decision_reaches_no_view(guarded, secret, send, what, caplog):
    guarded(
        path("a", requires("datasets:read", methods="GET")(requires("datasets:write", methods="POST")(who))),
        path("b", requires("datasets:write")(who)),
        path("theirs/", include([path("x", who)])),
        middleware=[f"{__name__}.Rewriting"],
        MOUNTS={"/theirs/": requires("datasets:write")},
    )
    with caplog.at_level(logging.ERROR, "scopekey.enforce"):
        status, headers, body = send(request(target=b"/a", secret=secret, headers=[(b"Rewrite", what.encode())]))
    assert (500, b"no-store") == (status, {name.lower(): value for name, value in headers}[b"cache-control"])
    assert b"is not the operation that was decided" in body
    assert "is not the operation that was decided" in caplog.text
    assert 200 == send(request(target=b"/a", secret=secret, headers=[(b"Rewrite", b"nothing")]))[0]


def forgetful(view):
    """A decorator that does not carry attributes on."""

    def forgotten(request):
        return view(request)

    return forgotten


def test_a_declaration_that_got_lost_on_the_way_is_still_insisted_on(guarded, secret, send):
    guarded(path("a", requires("datasets:read")(forgetful(requires("datasets:write")(who)))))
    assert 500 == send(request(target=b"/a", secret=secret))[0]


def test_what_was_included_as_a_whole_is_served_as_it_was_named(guarded, keys, secret, send):
    theirs = include([path("", who), path("<x>/y", who_async)])
    guarded(path("theirs/", theirs), MOUNTS={"/theirs/": requires("datasets:read")})
    for target in (b"/theirs/", b"/theirs/1/y"):
        assert [200, 401] == [send(request(target=target, secret=given))[0] for given in (secret, None)]
    assert {"GET /theirs/{path*}"} == {event.operation for event in keys.events}


def test_rules_from_elsewhere_around_django_must_be_met_by_what_a_view_declares(keys, secret):
    urls = urlconf(
        path("a", requires("datasets:read")(who_outside)),
        path("b", requires("datasets:write")(who_outside)),
        path("c", requires("datasets:write", mode="report")(who_outside)),
    )
    elsewhere = rules_of(urlconf(*(path(name, requires()(who)) for name in "abc")))
    with override_settings(ROOT_URLCONF=urls, MIDDLEWARE=[]):
        guarded = [
            on_a_loop(PlainMiddleware(ASGIHandler(), keys, elsewhere)),
            sync(ScopekeyWSGIMiddleware(WSGIHandler(), keys, elsewhere)),
        ]
        for send in guarded:
            assert [200, 500, 200] == [
                send(request(target=target, secret=secret))[0] for target in (b"/a", b"/b", b"/c")
            ]


def outside(request):
    """What a plain middleware around Django decided."""
    scope = getattr(request, "scope", None)
    return scope["scopekey"] if scope else request.environ["scopekey.event"]


def who_outside(request):
    return HttpResponse(outside(request).decision.key_id)


def only_sync(get_response):
    return get_response


def test_a_middleware_without_async_behind_it_changes_nothing_on_an_event_loop(guarded, keys, secret):
    guarded(path("a", requires("datasets:read")(who_async)), middleware=[f"{__name__}.only_sync"])
    answers = [on_a_loop()(request(target=b"/a", secret=given)) for given in (secret, None, secret)]
    assert [200, 401, 200] == [status for status, *_ in answers]
    assert 3 == len(keys.events)


def test_the_prefix_that_django_cuts_off_is_no_part_of_what_is_decided(guarded, secret):
    guarded(path("a", requires("datasets:read")(who)))

    def under(root, **more):
        asked = request(target=b"/root/a" if root else b"/a", secret=secret)
        environ = environ_of(asked, Upstream()) | {"SCRIPT_NAME": root, "PATH_INFO": "/a"} | more
        return int(started(WSGIHandler(), environ))

    assert [200, 200] == [under(""), under("/root")]
    assert 400 == under("/root", PATH_INFO="/b")
    assert 400 == under("/root", PATH_INFO="")
    asked = request(target=b"/root/a", secret=secret)
    for expected, root in ((200, "/root"), (401, ""), (400, "/roo")):
        assert expected == asyncio.run(status_of(ASGIHandler(), scope_of(asked, root_path=root)))


@pytest.mark.parametrize(
    ("expected", "target"), [(200, b"/a"), (200, b"/forced/a"), (400, b"/forced//a"), (401, b"/b")]
)
def test_a_forced_script_name_is_cut_off_where_django_cuts_it(guarded, secret, expected, target):
    guarded(path("a", requires("datasets:read")(who)), settings={"FORCE_SCRIPT_NAME": "/forced"})
    asked = request(target=target, secret=secret)
    assert expected == asyncio.run(status_of(ASGIHandler(), scope_of(asked)))
    environ = environ_of(asked, Upstream())
    environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/forced")
    assert expected == int(started(WSGIHandler(), environ))


def started(app, environ):
    told = []
    app(environ, lambda status, headers, exc_info=None: told.append(status[:3]))
    return told[0]


async def status_of(app, scope):
    body, sent = [{"type": "http.request", "body": b""}], []

    async def receive():
        return body.pop() if body else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"]


@pytest.mark.parametrize(
    ("expected", "target"), [(200, "/käse"), (200, "/%C3%A9t%C3%A9"), (400, "/%ff"), (400, "/a%2Fb")]
)
def test_a_path_is_compared_as_django_has_decoded_it(guarded, secret, send, expected, target):
    guarded(path("<x>", requires("datasets:read")(who)))
    raw = target.replace("ä", "%C3%A4").encode()
    assert expected == send(request(target=raw, secret=secret))[0]


def test_without_a_raw_target_everything_is_refused(guarded):
    guarded(path("a", public()(who)))
    environ = environ_of(request(target=b"/a"), Upstream())
    del environ["RAW_URI"]
    assert "400" == started(WSGIHandler(), environ)
    assert 400 == asyncio.run(status_of(ASGIHandler(), scope_of(request(target=b"/a"), raw_path=None)))


def test_a_path_without_its_slash_is_no_operation_and_is_not_redirected(guarded, secret, send):
    common = "django.middleware.common.CommonMiddleware"
    guarded(path("a/", requires("datasets:read")(who)), middleware=[common], settings={"APPEND_SLASH": True})
    status, headers, _ = send(request(target=b"/a", secret=secret))
    assert (401, b"unlisted_operation") == (status, dict(headers)[b"scopekey-code"])


def test_a_preflight_that_no_middleware_answers_is_told_the_methods_and_reaches_no_view(guarded, send):
    guarded(path("a", requires("datasets:read", methods=["GET", "PUT"])(who)), CORS_PREFLIGHT=True)
    preflight = [(b"Origin", b"https://a.example"), (b"Access-Control-Request-Method", b"GET")]
    status, headers, body = send(request("OPTIONS", b"/a", headers=preflight))
    allow = {name.lower(): value for name, value in headers}[b"allow"]
    assert (405, {"GET", "HEAD", "PUT"}, b"") == (status, set(allow.decode().split(", ")), body)


def test_an_answer_from_behind_the_middleware_is_told_too(guarded, secret, send):
    guarded(path("a/<int:x>", requires("datasets:read")(who)))
    status, headers, _ = send(request(target=b"/a/b", secret=secret))
    assert (404, b"datasets:read") == (status, dict(headers)[b"scopekey-requires"])


@pytest.mark.parametrize(("making", "over"), [(WSGIHandler, over_wsgi), (ASGIHandler, over_asgi)])
def test_a_urlconf_with_faults_refuses_every_request_and_says_all_of_them_once(guarded, secret, making, over, caplog):
    guarded(path("a", who), path("b", public()(who)), path("c", who))
    send = over(making(), Upstream())
    with caplog.at_level(logging.ERROR, "scopekey.enforce"):
        assert [503, 503] == [send(request(target=target, secret=secret))[0] for target in (b"/a", b"/b")]
    assert 1 == caplog.text.count("every request is refused")
    assert "/a (tests.enforce.django.test_middleware.who) declares nothing" in caplog.text
    assert "/c (tests.enforce.django.test_middleware.who) declares nothing" in caplog.text


def test_a_urlconf_that_cannot_be_imported_refuses_every_request(keys, secret, send):
    with override_settings(
        ROOT_URLCONF="nowhere.urls",
        MIDDLEWARE=["scopekey.enforce.django.ScopekeyMiddleware"],
        SCOPEKEY={"KEYS": keys},
    ):
        assert 503 == send(request(target=b"/a", secret=secret))[0]


def test_the_table_is_read_once(guarded, secret, monkeypatch):
    read = []
    guarded(path("a", requires("datasets:read")(who)))
    monkeypatch.setattr(rules, "RoutesTable", lambda *args: read.append(1) or RoutesTable(*args))
    app = WSGIHandler()
    assert [] == read
    assert [200, 200] == [sync(app)(request(target=b"/a", secret=secret))[0] for _ in range(2)]
    assert [1] == read


def test_rules_that_are_not_the_applied_ones_are_warned_of(guarded, secret, send, caplog):
    guarded(path("a", requires("datasets:read")(who)), APPLIED=True)
    with caplog.at_level(logging.WARNING, "scopekey.enforce"):
        send(request(target=b"/a", secret=secret))
    assert "not the applied ones" in caplog.text


def test_keys_may_be_the_dotted_path_of_them(guarded, keys, secret, send, monkeypatch):
    monkeypatch.setattr(f"{__name__}.OURS", keys, raising=False)
    guarded(path("a", requires("datasets:read")(who)), keys=f"{__name__}.OURS")
    assert 200 == send(request(target=b"/a", secret=secret))[0]


@pytest.mark.parametrize(
    ("expected", "setting"),
    [
        ("must be what has the keys", {}),
        ("KEYZ, which means nothing", {"KEYZ": 1}),
        ("must be requires", {"KEYS": Keys("a:read"), "MOUNTS": {"/a/": "public"}}),
        ("is a dictionary", ["KEYS"]),
    ],
)
def test_a_setting_that_means_nothing_stops_the_start(expected, setting):
    with override_settings(SCOPEKEY=setting), pytest.raises(ImproperlyConfigured, match=expected):
        ScopekeyMiddleware(who)


def test_a_project_without_the_setting_does_not_start():
    with pytest.raises(ImproperlyConfigured, match="must be what has the keys"):
        ScopekeyMiddleware(who)


@pytest.mark.parametrize("setting", [{"REALM": 'a"b'}, {"MISSING_PERMISSION_STATUS": 200}, {"TRUSTED_PROXIES": ["no"]}])
def test_values_that_mean_nothing_stop_the_start(keys, setting):
    with override_settings(SCOPEKEY={"KEYS": keys, **setting}), pytest.raises(ValueError):  # noqa: PT011
        ScopekeyMiddleware(who)


def test_the_setting_says_how_refusals_are_worded_and_whose_forwarded_header_is_believed(guarded, keys, secret, send):
    options = {"REALM": "shop", "MISSING_PERMISSION_STATUS": 403, "TRUSTED_PROXIES": ["192.0.2.0/24"]}
    guarded(path("a", requires("datasets:write")(who)), **options)
    status, headers, body = send(
        request(target=b"/a", secret=secret, headers=[(b"X-Forwarded-For", b"198.51.100.9")], client="192.0.2.1")
    )
    assert (403, 403) == (status, json.loads(body)["status"])
    assert b'realm="shop"' in dict(headers)[b"www-authenticate"]
    assert "198.51.100.9" == keys.events[-1].address


def test_a_view_that_is_called_without_being_routed_does_not_run(keys):
    with pytest.raises(ImproperlyConfigured, match="not the operation"):
        requires("datasets:read")(who)(RequestFactory().get("/a"))


def test_a_view_may_call_the_handler_of_another_method(guarded, secret, send):
    class Posting(View):
        @requires("datasets:read", methods="GET")
        def get(self, request):
            return HttpResponseNotAllowed([]) if request.method == "PUT" else who(request)

        @requires("datasets:read")
        def post(self, request):
            return self.get(request)

    guarded(path("a", Posting.as_view()))
    assert 200 == send(request("POST", b"/a", secret))[0]
