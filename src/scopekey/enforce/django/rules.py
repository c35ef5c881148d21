"""The rules of a URLconf: for whoever applies them, and for the middleware, which reads them at its first request."""

from collections.abc import Mapping
from typing import Any

from django.urls import get_resolver

from scopekey.core.catalog import Catalog
from scopekey.core.rules import Rules
from scopekey.enforce.django.declare import Declared
from scopekey.enforce.django.options import Options
from scopekey.enforce.django.table import RoutesTable
from scopekey.enforce.routes.reading import Reading


def rules_of(
    urlconf: Any = None,
    catalog: Catalog | None = None,
    *,
    mounts: Mapping[str, Declared] | None = None,
    cors_preflight: bool | None = None,
) -> Rules:
    """Give the table that the middleware would build of a URLconf, None for `ROOT_URLCONF`.

    `mounts` and `cors_preflight` are those of the setting `SCOPEKEY` unless given. With a catalog, permissions are
    looked up in it, aliases included. Raises RulesError with everything that is wrong.
    """
    options = Options.read()
    reading = reading_of(
        options.mounts if mounts is None else mounts,
        urlconf,
        cors_preflight=options.cors_preflight if cors_preflight is None else cors_preflight,
    )
    return reading.rules(catalog)


def reading_of(mounts: Mapping[str, Declared], urlconf: Any = None, *, cors_preflight: bool) -> Reading[RoutesTable]:
    """Make what reads a URLconf, None for `ROOT_URLCONF`; it is imported when it is first read."""
    return Reading(lambda: RoutesTable(get_resolver(urlconf), mounts), cors_preflight=cors_preflight)
