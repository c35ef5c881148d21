"""Django with Scopekey's middleware: every view says what it needs. CommonMiddleware stands behind, as usual."""

import re
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path

from tests.attacks.cases import FILE
from tests.attacks.fronts.traced import PLANE, reached, served, who_of

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=[
            "scopekey.enforce.django.ScopekeyMiddleware",
            f"{__name__}.traced",
            "django.middleware.common.CommonMiddleware",
        ],
        ROOT_URLCONF=__name__,
        SECRET_KEY="only for this test",
        SCOPEKEY={"KEYS": PLANE},
    )
    django.setup()

from scopekey.enforce.django import public, requires


def traced(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Note every request that gets here, before anything routes it."""

    def noting(request: HttpRequest) -> Any:
        reached(who_of(getattr(request, "scopekey", None)), str(request.method), request.path_info)
        return get_response(request)

    return noting


def view(rules: dict[str, dict[str, Any]]) -> Callable[..., Any]:
    # Django routes by the path alone: a view sorts the methods out by itself.
    def answer(request: HttpRequest, **values: str) -> JsonResponse:
        rule = rules["GET" if request.method == "HEAD" else str(request.method)]
        len(request.body)
        return JsonResponse(served(who_of(getattr(request, "scopekey", None)), rule["operation"], values))

    declared: Callable[..., Any] = answer
    for method, rule in rules.items():
        declare = public if rule.get("public") else requires
        needs = {} if rule.get("public") else {"any_of": rule["any_of"], "object": rule.get("object")}
        declared = declare(methods=[method], **needs)(declared)
    return declared


def spelled(template: str) -> str:
    written = re.sub(r"\{(\w+)\*\}", r"<path:\1>", template.removeprefix("/"))
    return re.sub(r"\{(\w+)\}", r"<\1>", written)


by_path: dict[str, dict[str, dict[str, Any]]] = {}
for one in FILE["rules"]:
    by_path.setdefault(one["operation"].partition(" ")[2], {})[one["operation"].partition(" ")[0]] = one
urlpatterns = [path(spelled(template), view(rules)) for template, rules in by_path.items()]
