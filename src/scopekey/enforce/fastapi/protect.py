"""``protect``: the middleware over the table that the routes declare, read when the application starts."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from fastapi import FastAPI

from scopekey.core.catalog import Catalog
from scopekey.core.rules import Rules
from scopekey.enforce.fastapi.document import document
from scopekey.enforce.fastapi.table import RoutesTable
from scopekey.enforce.keys import Keys
from scopekey.enforce.protection import ProtectionMiddleware
from scopekey.enforce.respond import REALM
from scopekey.enforce.routes.reading import Reading

_STATE = "scopekey_table"


def protect(
    app: FastAPI,
    keys: Keys,
    *,
    mounts: Mapping[str, Any] | None = None,
    docs: Literal["public"] | None = None,
    cors_preflight: bool = False,
    trusted_proxies: Iterable[str] = (),
    applied: bool = True,
    realm: str = REALM,
    missing_permission_status: int | None = None,
) -> None:
    """Guard an application with what its routes declare: every route needs `requires(…)` or `public()`.

    The routes are read when the lifespan starts, else at the first request; what is wrong with them then
    stops the start, or refuses every request, and is logged. `mounts` names what has no routes to read
    (`{"/static": public()}`), `docs="public"` opens FastAPI's own pages, `cors_preflight` lets CORS
    preflights pass; add the CORS middleware after this call, so that it stands in front. With
    `applied=False` this is an API of its own, and no warning is given where its rules are not the applied ones.
    """
    reading = _reading(app, mounts, docs, cors_preflight=cors_preflight)
    setattr(app.state, _STATE, reading)
    app.add_middleware(
        _Protection,  # type: ignore[arg-type] # Starlette's protocol wants the scope to be Any
        keys=keys,
        reading=reading,
        trusted_proxies=tuple(trusted_proxies),
        applied=applied,
        realm=realm,
        missing_permission_status=missing_permission_status,
    )


def rules_of(
    app: FastAPI,
    catalog: Catalog | None = None,
    *,
    mounts: Mapping[str, Any] | None = None,
    docs: Literal["public"] | None = None,
    cors_preflight: bool = False,
) -> Rules:
    """Give the table that `protect` would build with the same arguments, or did build for this application.

    An application that is protected already knows its arguments. With a catalog, permissions are looked
    up in it, aliases included. Raises RulesError with everything that is wrong.
    """
    reading: Reading[RoutesTable] | None = getattr(app.state, _STATE, None)
    if reading is None or mounts or docs or cors_preflight:
        reading = _reading(app, mounts, docs, cors_preflight=cors_preflight)
    return reading.rules(catalog)


def _reading(
    app: FastAPI, mounts: Mapping[str, Any] | None, docs: str | None, *, cors_preflight: bool
) -> Reading[RoutesTable]:
    return Reading(lambda: RoutesTable(app, mounts, docs), cors_preflight=cors_preflight, begun=_document)


def _document(table: RoutesTable) -> None:
    """Let the OpenAPI documents tell the permissions."""
    for app, rules in table.documented:
        document(app, rules)


class _Protection(ProtectionMiddleware[RoutesTable]):
    """The middleware over FastAPI's table."""
