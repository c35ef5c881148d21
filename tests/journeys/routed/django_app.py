"""The routes on Django."""

import re
from collections.abc import Callable

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import path

from tests.journeys.routed.routes import ROUTES, header

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        APPEND_SLASH=True,
        ROOT_URLCONF=__name__,
        SECRET_KEY="only for this test",
    )


def view(operations: dict[str, str]) -> Callable[..., HttpResponse]:
    # Django routes by the path alone: a view sorts the methods out by itself.
    def reached(request: HttpRequest, **values: str) -> HttpResponse:
        operation = operations.get("GET" if request.method == "HEAD" else str(request.method))
        if operation is None:
            return HttpResponseNotAllowed(operations)
        return HttpResponse("routed", headers=dict([header(operation, values)]))

    return reached


def spelled(template: str) -> str:
    written = re.sub(r"\{(\w+)\*\}", r"<path:\1>", template.removeprefix("/"))
    return re.sub(r"\{(\w+)\}", r"<\1>", written)


methods: dict[str, dict[str, str]] = {}
for one in ROUTES:
    methods.setdefault(one.partition(" ")[2], {})[one.partition(" ")[0]] = one
urlpatterns = [path(spelled(template), view(operations)) for template, operations in methods.items()]
app = WSGIHandler()
