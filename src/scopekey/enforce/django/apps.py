"""The app that a project may install: what is wrong stands in ``manage.py check``, and ``runserver`` can be guarded."""

from django.apps import AppConfig
from django.core import checks

from scopekey.enforce.django.checks import guarded


class ScopekeyConfig(AppConfig):  # type: ignore[misc] # Django has no types
    """`scopekey.enforce.django` in `INSTALLED_APPS`. It has no models."""

    name = "scopekey.enforce.django"
    label = "scopekey"
    verbose_name: str = "Scopekey"

    def ready(self) -> None:
        """Have the project checked."""
        checks.register(guarded, checks.Tags.security)
