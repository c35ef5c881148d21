"""``Protection`` and ``protect``: the middleware over the table that the routes declare, read at the first request."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from flask import Flask, request

from scopekey.core.catalog import Catalog
from scopekey.core.rules import Rules
from scopekey.enforce.flask.declare import Declared, refuse_misrouted
from scopekey.enforce.flask.table import RoutesTable
from scopekey.enforce.keys import Keys
from scopekey.enforce.middleware import Passed
from scopekey.enforce.respond import REALM, Refusal
from scopekey.enforce.routes.reading import Reading
from scopekey.enforce.routes.table import SERVED_KEY
from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware
from scopekey.replica.verifier import Guard

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

_EXTENSION = "scopekey"


class Protection:
    """Guards applications with what their routes declare: every route needs `@requires(…)` or `@public()`.

    For applications that a function makes: `protection = Protection(keys)`, then `protection.init_app(app)`. The
    routes are read at the first request; what is wrong with them then refuses every request, and is logged, and
    `rules_of(app)` at the end of that function raises it.

    `views` names by endpoint what cannot be decorated (`{"static": public()}`), `static="public"` opens the files that
    Flask itself serves, `cors_preflight` lets CORS preflights pass. With `applied=False` this is an API of its own,
    and no warning is given where its rules are not the applied ones.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        views: Mapping[str, Declared] | None = None,
        static: Literal["public"] | None = None,
        cors_preflight: bool = False,
        trusted_proxies: Iterable[str] = (),
        applied: bool = True,
        realm: str = REALM,
        missing_permission_status: int | None = None,
    ) -> None:
        self._keys = keys
        self._views = views
        self._static = static
        self._cors_preflight = cors_preflight
        self._applied = applied
        self._options: dict[str, Any] = {
            "trusted_proxies": tuple(trusted_proxies),
            "realm": realm,
            "missing_permission_status": missing_permission_status,
        }

    def init_app(self, app: Flask) -> None:
        """Guard this application. Raises RuntimeError where it is guarded already."""
        if _EXTENSION in app.extensions:
            raise RuntimeError("this application is guarded already: call protect or init_app once")
        reading = _reading(app, self._views, self._static, cors_preflight=self._cors_preflight)
        app.extensions[_EXTENSION] = reading
        middleware = _Middleware(app.wsgi_app, self._keys, reading, applied=self._applied, **self._options)
        # Flask's documented way to wrap an application is to put another function in this place.
        app.wsgi_app = middleware  # type: ignore[method-assign]
        # Before anything else that is done about a request: also views that are only named run no other way.
        app.before_request_funcs.setdefault(None, []).insert(0, _refuse_misrouted)


def protect(
    app: Flask,
    keys: Keys,
    *,
    views: Mapping[str, Declared] | None = None,
    static: Literal["public"] | None = None,
    cors_preflight: bool = False,
    trusted_proxies: Iterable[str] = (),
    applied: bool = True,
    realm: str = REALM,
    missing_permission_status: int | None = None,
) -> None:
    """Guard an application with what its routes declare; the parameters are those of `Protection`.

    Call it before or after the routes are added, and before what wraps `app.wsgi_app` and shall stand in front.
    """
    Protection(
        keys,
        views=views,
        static=static,
        cors_preflight=cors_preflight,
        trusted_proxies=trusted_proxies,
        applied=applied,
        realm=realm,
        missing_permission_status=missing_permission_status,
    ).init_app(app)


def rules_of(
    app: Flask,
    catalog: Catalog | None = None,
    *,
    views: Mapping[str, Declared] | None = None,
    static: Literal["public"] | None = None,
    cors_preflight: bool = False,
) -> Rules:
    """Give the table that `protect` would build with the same arguments, or did build for this application.

    An application that is guarded already knows its arguments. With a catalog, permissions are looked up in it,
    aliases included. Raises RulesError with everything that is wrong.
    """
    reading: Reading[RoutesTable] | None = app.extensions.get(_EXTENSION)
    if reading is None or views or static or cors_preflight:
        reading = _reading(app, views, static, cors_preflight=cors_preflight)
    return reading.rules(catalog)


def _reading(
    app: Flask, views: Mapping[str, Declared] | None, static: str | None, *, cors_preflight: bool
) -> Reading[RoutesTable]:
    return Reading(lambda: RoutesTable(app, views, static), cors_preflight=cors_preflight)


class _Middleware(ScopekeyWSGIMiddleware):
    """Reads the table at the first request. With faults, every request is refused."""

    def __init__(
        self, app: "WSGIApplication", keys: Keys, reading: Reading[RoutesTable], *, applied: bool, **options: Any
    ) -> None:
        super().__init__(app, keys, **options)
        self._reading = reading
        self._applied = applied

    def decide(self, environ: "WSGIEnvironment") -> Passed | Refusal:
        """Decide one request; by the time it passes, the table has been read."""
        outcome = super().decide(environ)
        if isinstance(outcome, Passed):
            environ[SERVED_KEY] = self._begin().served
        return outcome

    def guard(self) -> Guard:
        """The guard over the routes' own rules. Raises RulesError where they could not be read."""
        if self.rules is None:
            self._begin()
        return super().guard()

    def _begin(self) -> RoutesTable:
        table, self.rules = self._reading.begin(self.keys, applied=self._applied)
        return table


def _refuse_misrouted() -> None:
    """Refuse what Flask serves instead of what was decided; its own answer to OPTIONS is no view."""
    route = request.url_rule
    if route is None or (request.method == "OPTIONS" and getattr(route, "provide_automatic_options", False)):
        return
    refuse_misrouted(None)
