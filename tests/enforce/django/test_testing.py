"""Django's own test clients, which tell the raw target too."""

import asyncio

import pytest
from django import test
from django.http import HttpResponse
from django.urls import path

from scopekey.enforce.django import requires
from scopekey.enforce.django.testing import AsyncClient, Client
from scopekey.testing import Keys


def view(request, **values):
    return HttpResponse(f"{request.method} {values['x']} {request.GET.get('q')}")


@pytest.fixture
def headers(project):
    keys = Keys("datasets:read")
    project(path("a/<x>", requires("datasets:read")(view)), keys=keys)
    return {"X-API-Key": keys.add("datasets:read")}


ROWS = [(b"GET b None", "/a/b"), (b"GET b 1", "/a/b?q=1"), (b"GET b c None", "/a/b%20c")]


@pytest.mark.parametrize(("expected", "target"), [*ROWS, (b"GET \xc3\xa9 None", "/a/é")])
def test_the_client_reaches_a_guarded_view(headers, expected, target):
    assert expected == Client().get(target, headers=headers).content


@pytest.mark.parametrize(("expected", "target"), ROWS)
def test_the_async_client_reaches_it_too(headers, expected, target):
    assert expected == asyncio.run(AsyncClient().get(target, headers=headers)).content


def test_other_methods_and_fields_go_as_they_do_with_djangos_own(headers):
    assert b"POST b None" == Client(headers=headers).post("/a/b", {"x": 1}).content
    assert 401 == Client().get("/a/b").status_code
    assert 400 == Client(headers=headers).get("/a/b%2Fc").status_code


def test_djangos_own_clients_tell_no_raw_target_and_are_refused(headers):
    assert 400 == test.Client().get("/a/b", headers=headers).status_code
    assert 400 == asyncio.run(test.AsyncClient().get("/a/b", headers=headers)).status_code
