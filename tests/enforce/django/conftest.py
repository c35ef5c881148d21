"""Django's settings are those of the whole process: they are made once, and a test overrides what it needs."""

import types
from functools import partial

import django
import pytest
from django.conf import settings
from django.test import override_settings

from scopekey.testing import Keys
from tests.enforce.django.sending import on_a_loop, sync

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="only for these tests",
        USE_I18N=True,
        LANGUAGES=[("en", "English"), ("de", "Deutsch")],
    )
    django.setup()


def urlconf(*patterns):
    """A URLconf of these patterns."""
    module = types.ModuleType("urls_of_a_test")
    module.urlpatterns = list(patterns)
    return module


@pytest.fixture
def project():
    """Give the function that makes these patterns the URLconf of a guarded project, until the test ends."""
    overridden = []

    def made(*patterns, keys=None, middleware=(), settings=(), **options):
        ours = {
            "ROOT_URLCONF": urlconf(*patterns),
            "MIDDLEWARE": ["scopekey.enforce.django.ScopekeyMiddleware", *middleware],
            "SCOPEKEY": {"KEYS": keys, "APPLIED": False, **options},
        }
        one = override_settings(**(ours | dict(settings)))
        one.enable()
        overridden.append(one)

    yield made
    for one in reversed(overridden):
        one.disable()


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write")


@pytest.fixture
def guarded(project, keys):
    """Give the function that makes these patterns the URLconf of a project with these keys."""
    return partial(project, keys=keys)


@pytest.fixture
def secret(keys):
    return keys.add("datasets:read")


@pytest.fixture(params=[sync, on_a_loop])
def send(request):
    """Send a request to the project as it is now, under WSGI or under ASGI."""

    def sent(asked):
        return request.param()(asked)

    return sent
