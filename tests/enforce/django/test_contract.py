"""What every adapter must do, by Django under WSGI and under ASGI."""

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

from scopekey.enforce.django import public, requires
from tests.contract import door


def views(upstream, chunks):
    """The API of the contract, as functions."""

    def serve(request, **values):
        upstream.reached(request.method, request.path_info, request.scopekey, request.read())
        if request.path_info == "/stream":
            return StreamingHttpResponse(chunks())
        return HttpResponse(door.OK, headers=dict(upstream.headers) if values else {})

    return serve


def api(serve):
    read, write, jobs = "datasets:read", "datasets:write", "jobs:write"
    return [
        path("datasets/<str:id>", requires(read, object="id", methods=["GET"])(serve)),
        path("datasets", requires(write, methods=["POST"])(serve)),
        path("runs", requires(any_of=[[read, write, jobs], [write, jobs]], methods=["POST"])(serve)),
        path("trial", requires(write, mode="report", methods=["POST"])(serve)),
        path("whoami", requires(methods="GET")(serve)),
        path("nobody", requires(any_of=[], methods="GET")(serve)),
        path("open", public(methods="GET")(serve)),
        path(
            "listed",
            requires(read, methods="GET")(requires(jobs, methods="HEAD")(requires(write, methods="OPTIONS")(serve))),
        ),
        path("stream", requires(read, methods="GET")(serve)),
    ]


class TestDjangoUnderWsgi(door.WsgiContract):
    @pytest.fixture(autouse=True)
    def _project(self, project):
        self.project = project

    def application(self, keys, upstream, *, cors_preflight=False):
        self.project(*api(views(upstream, upstream.chunks)), keys=keys, CORS_PREFLIGHT=cors_preflight)
        return WSGIHandler()


class TestDjangoUnderAsgi(door.AsgiContract):
    reads_bodies_first = True

    @pytest.fixture(autouse=True)
    def _project(self, project):
        self.project = project

    def application(self, keys, upstream, *, cors_preflight=False):
        self.project(*api(views(upstream, upstream.chunks_async)), keys=keys, CORS_PREFLIGHT=cors_preflight)
        return ASGIHandler()
