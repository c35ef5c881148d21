"""Django's settings are those of the whole process: they are made once, and a test overrides what it needs."""

import types

import django
import pytest
from django.conf import settings
from django.test import override_settings

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
