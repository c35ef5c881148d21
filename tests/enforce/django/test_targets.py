"""What of a path is decided: as Django routes it, less the prefix that Django cuts off."""

import asyncio

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.urls import path

from scopekey.enforce.django import public, requires
from tests.contract.door import request
from tests.contract.door_drivers import environ_of, scope_of
from tests.contract.door_exchange import Upstream
from tests.enforce.django.views import who


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
