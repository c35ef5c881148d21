"""The Django site under ASGI."""

from tests.attacks.fronts import django_site  # noqa: F401, I001 - makes the settings
from django.core.handlers.asgi import ASGIHandler

app = ASGIHandler()
