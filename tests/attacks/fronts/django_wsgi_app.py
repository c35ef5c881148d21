"""The Django site under WSGI."""

from tests.attacks.fronts import django_site  # noqa: F401, I001 - makes the settings
from django.core.handlers.wsgi import WSGIHandler

app = WSGIHandler()
