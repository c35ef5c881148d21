"""Views of every kind that Django knows, each of which says who called."""

from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.http import require_http_methods

from scopekey.enforce.django import requires


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
