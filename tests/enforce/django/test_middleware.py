"""A guarded project: views of every kind, what stands around the middleware, and what is refused."""

import logging

import pytest
from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, HttpResponseNotAllowed
from django.test import RequestFactory, override_settings
from django.urls import include, path
from django.views import View

from scopekey.enforce.asgi import ScopekeyMiddleware as PlainMiddleware
from scopekey.enforce.django import public, requires, rules, rules_of
from scopekey.enforce.django.table import RoutesTable
from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware
from tests.contract.door import request
from tests.contract.door_drivers import over_asgi, over_wsgi
from tests.contract.door_exchange import Upstream
from tests.enforce.django.conftest import urlconf
from tests.enforce.django.sending import on_a_loop, sync
from tests.enforce.django.views import VIEWS, Shown, who, who_async


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
    assert "/a (tests.enforce.django.views.who) declares nothing" in caplog.text
    assert "/c (tests.enforce.django.views.who) declares nothing" in caplog.text


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
