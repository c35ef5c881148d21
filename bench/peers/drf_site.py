"""A Django site with one view of Django REST framework, in three versions: their permission class alone differs.

Settings as `startproject` writes them, DEBUG off, the key package added as its documentation says. As a program
(`python -m bench.peers.drf_site COUNT`): makes the database and so many keys, and prints the keys as JSON.
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

FOLDER, GUARD = "BENCH_FOLDER", "BENCH_GUARD"

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(os.environ[FOLDER]) / "site.db"}},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "rest_framework",
        "rest_framework_api_key",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of the benchmark",
    USE_TZ=True,
)
django.setup()

# Models can be imported only once Django is set up.
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.permissions import AllowAny, BasePermission  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_api_key.models import APIKey  # noqa: E402
from rest_framework_api_key.permissions import HasAPIKey  # noqa: E402


def guard() -> type[BasePermission]:
    """The permission class that this version of the site is guarded by."""
    chosen = os.environ.get(GUARD, "open")
    if chosen == "scopekey":
        from bench.peers.drf_scopekey import HasScopekey  # noqa: PLC0415 - opens the replica

        return HasScopekey
    return {"open": AllowAny, "drf_api_key": HasAPIKey}[chosen]


class Sample(APIView):
    """An operation that does nothing, behind the permission class."""

    permission_classes = (guard(),)

    def get(self, request: Any, dataset_id: str) -> Response:  # noqa: ARG002 - as the framework calls it
        """Answer with an empty object."""
        return Response({})


urlpatterns = [path("datasets/<str:dataset_id>/sample", Sample.as_view())]
application = get_wsgi_application()


def make(count: int) -> list[str]:
    """Make the database and so many keys; gives the keys."""
    call_command("migrate", verbosity=0)
    return [APIKey.objects.create_key(name=f"{at}")[1] for at in range(count)]


def versions() -> str:
    """What is compared with, and what it stands on."""
    packages = ("djangorestframework-api-key", "djangorestframework", "django", "gunicorn")
    return ", ".join(f"{name} {version(name)}" for name in packages)


if __name__ == "__main__":
    print(json.dumps({"keys": make(int(sys.argv[1])), "version": versions()}))
