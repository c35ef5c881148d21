"""What ``manage.py check`` says, and what the app brings: a development server that tells the raw target."""

import http.client
import threading

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import load_command_class
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

from scopekey.enforce.django import public, requires
from scopekey.enforce.django.apps import ScopekeyConfig
from scopekey.enforce.django.checks import guarded
from scopekey.enforce.django.management.commands.runserver import RawTargetServer
from scopekey.testing import Keys

OURS = "scopekey.enforce.django.ScopekeyMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
SECURITY = "django.middleware.security.SecurityMiddleware"


def view(request, **values):
    return HttpResponse(request.path_info)


@pytest.fixture
def keys():
    return Keys("datasets:read")


def said():
    return [(message.id, message.msg) for message in guarded(None)]


def test_a_project_that_can_be_guarded_passes(project, keys):
    project(path("a", requires("datasets:read")(view)), keys=keys, middleware=[COMMON])
    assert [] == said()


def test_each_fault_of_the_urlconf_is_an_error_of_its_own(project, keys):
    project(path("a", view), path("b", public()(view)), path("c", view), keys=keys)
    assert [("scopekey.E003", "/a"), ("scopekey.E003", "/c")] == [(code, words[:2]) for code, words in said()]


def test_a_setting_that_means_nothing_is_an_error(keys):
    with override_settings(SCOPEKEY={"KEYS": keys, "KEYZ": 1}):
        assert ["scopekey.E001"] == [code for code, _ in said()]
    with override_settings(SCOPEKEY={"KEYS": "nowhere.keys"}):
        assert ["scopekey.E001"] == [code for code, _ in said()]


def test_what_stands_in_front_is_warned_of_but_for_what_is_harmless(project, keys):
    route = path("a", requires("datasets:read")(view))
    for expected, middleware in (
        ([], [SECURITY, OURS, COMMON]),
        (["scopekey.W001"], [SECURITY, COMMON, OURS]),
        (["scopekey.E002"], [COMMON]),
    ):
        project(route, keys=keys, settings={"MIDDLEWARE": middleware})
        assert expected == [code for code, _ in said()]


def test_the_app_has_the_project_checked(project, keys):
    project(path("a", view), keys=keys)
    with override_settings(INSTALLED_APPS=["scopekey.enforce.django"]):
        config = apps.get_app_config("scopekey")
        assert isinstance(config, ScopekeyConfig)
        assert "scopekey.E003" in [message.id for message in run_checks(tags=["security"])]


@pytest.mark.parametrize("installed", [[], ["django.contrib.staticfiles"]])
def test_the_development_server_is_djangos_own_but_for_its_server(installed):
    with override_settings(INSTALLED_APPS=["scopekey.enforce.django", *installed], STATIC_URL="static/"):
        assert RawTargetServer is load_command_class("scopekey.enforce.django", "runserver").server_cls


def test_the_development_server_tells_the_raw_target(project, keys):
    project(path("a/<x>", requires("datasets:read")(view)), keys=keys)
    server = RawTargetServer(("127.0.0.1", 0), None)
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        for expected, target in ((200, "/a/%C3%A9?x=1"), (400, "/a/b%2Fc"), (401, "/b")):
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
            connection.request("GET", target, headers={"X-API-Key": keys.add("datasets:read")})
            assert expected == connection.getresponse().status
            connection.close()
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
