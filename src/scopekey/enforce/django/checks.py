"""What ``manage.py check`` says about a guarded project, before a request finds out."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import Error, Warning  # noqa: A004 - Django's own name for it
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from scopekey.enforce.django.middleware import ScopekeyMiddleware
from scopekey.enforce.django.options import Options
from scopekey.enforce.django.rules import rules_of
from scopekey.enforce.routes.table import RulesError

HARMLESS = frozenset({"django.middleware.security.SecurityMiddleware", "corsheaders.middleware.CorsMiddleware"})
"""What may stand in front: they answer with redirects and preflights only, and add fields to refusals too."""


def guarded(app_configs: Any, **_: Any) -> list[Any]:  # noqa: ARG001 - Django gives it by name
    """Check setting, middleware and URLconf: errors `scopekey.E001` to `E003`, warning `scopekey.W001`."""
    try:
        Options.read().opened_keys()
    except (ImproperlyConfigured, ImportError) as error:
        return [Error(str(error), id="scopekey.E001")]
    return [*_order(), *_faults()]


def _order() -> Iterator[Any]:
    names: list[str] = list(settings.MIDDLEWARE)
    place = next((at for at, name in enumerate(names) if _is_ours(name)), None)
    if place is None:
        hint = "Put scopekey.enforce.django.ScopekeyMiddleware first."
        yield Error("MIDDLEWARE has no ScopekeyMiddleware: nothing is decided.", hint=hint, id="scopekey.E002")
        return
    for name in names[:place]:
        if name not in HARMLESS:
            hint = "Put scopekey.enforce.django.ScopekeyMiddleware before it."
            yield Warning(f"{name} answers before anything is decided.", hint=hint, id="scopekey.W001")


def _is_ours(name: str) -> bool:
    middleware = import_string(name)
    return isinstance(middleware, type) and issubclass(middleware, ScopekeyMiddleware)


def _faults() -> Iterator[Any]:
    try:
        rules_of()
    except RulesError as error:
        for fault in error.faults:
            yield Error(fault, id="scopekey.E003")
