"""Django in one file: every view says what it needs, and the middleware reads it off the URLconf.

Run: gunicorn django_app:app --bind 127.0.0.1:8000
"""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views import View

from scopekey import Scopekey
from scopekey.enforce.django import public, requires

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    MIDDLEWARE=["scopekey.enforce.django.ScopekeyMiddleware"],
    ROOT_URLCONF=__name__,
    SCOPEKEY={"KEYS": Scopekey.open()},  # the home folder of this machine
)


class Dataset(View):
    @requires("datasets:read", object="dataset_id")
    def get(self, request: HttpRequest, dataset_id: int):
        return JsonResponse({"id": dataset_id, "asked_by": request.scopekey.decision.key_id})

    @requires("datasets:write", object="dataset_id")
    def delete(self, _request: HttpRequest, dataset_id: int):
        return JsonResponse({"deleted": dataset_id})


@public(methods=["GET"])
def healthz(_request: HttpRequest):
    return JsonResponse({"ok": True})


urlpatterns = [path("datasets/<int:dataset_id>", Dataset.as_view()), path("healthz", healthz)]
app = get_wsgi_application()
