"""``protect``: the middleware over the table that the endpoints declare, read when the application starts."""

from collections.abc import Iterable, Mapping

from starlette.applications import Starlette

from scopekey.core.catalog import Catalog
from scopekey.core.rules import Rules
from scopekey.enforce.keys import Keys
from scopekey.enforce.protection import ProtectionMiddleware
from scopekey.enforce.respond import REALM
from scopekey.enforce.routes.reading import Reading
from scopekey.enforce.starlette.declare import Declared
from scopekey.enforce.starlette.table import RoutesTable

_STATE = "scopekey_table"


def protect(
    app: Starlette,
    keys: Keys,
    *,
    mounts: Mapping[str, Declared] | None = None,
    cors_preflight: bool = False,
    trusted_proxies: Iterable[str] = (),
    applied: bool = True,
    realm: str = REALM,
    missing_permission_status: int | None = None,
) -> None:
    """Guard an application with what its endpoints declare: every one needs `requires(…)` or `public()`.

    The routes are read when the lifespan starts, else at the first request; what is wrong with them then
    stops the start, or refuses every request, and is logged. `mounts` names what has no routes to read
    (`{"/static": public()}`), `cors_preflight` lets CORS preflights pass; add the CORS middleware after
    this call, so that it stands in front. With `applied=False` this is an API of its own, and no warning is
    given where its rules are not the applied ones. Raises RuntimeError where it is guarded already.
    """
    if hasattr(app.state, _STATE):
        raise RuntimeError("this application is guarded already: call protect once")
    reading = _reading(app, mounts, cors_preflight=cors_preflight)
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
    app: Starlette,
    catalog: Catalog | None = None,
    *,
    mounts: Mapping[str, Declared] | None = None,
    cors_preflight: bool = False,
) -> Rules:
    """Give the table that `protect` would build with the same arguments, or did build for this application.

    An application that is protected already knows its arguments. With a catalog, permissions are looked
    up in it, aliases included. Raises RulesError with everything that is wrong.
    """
    reading: Reading[RoutesTable] | None = getattr(app.state, _STATE, None)
    if reading is None or mounts or cors_preflight:
        reading = _reading(app, mounts, cors_preflight=cors_preflight)
    return reading.rules(catalog)


def _reading(app: Starlette, mounts: Mapping[str, Declared] | None, *, cors_preflight: bool) -> Reading[RoutesTable]:
    return Reading(lambda: RoutesTable(app, mounts), cors_preflight=cors_preflight)


class _Protection(ProtectionMiddleware[RoutesTable]):
    """The middleware over Starlette's table."""
