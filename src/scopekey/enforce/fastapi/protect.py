"""``protect``: the middleware over the table that the routes declare, read when the application starts."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from fastapi import FastAPI

from scopekey.core.catalog import Catalog, UnknownPermissionError
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Rule, Rules
from scopekey.enforce.asgi import ASGIApp, Receive, Scope, ScopekeyMiddleware, Send
from scopekey.enforce.fastapi.declare import SERVED_KEY
from scopekey.enforce.fastapi.document import document
from scopekey.enforce.fastapi.table import RulesError, Table
from scopekey.enforce.keys import Keys
from scopekey.enforce.respond import REALM
from scopekey.replica.verifier import Guard
from scopekey.wire.changes import rules_digest

_STATE = "scopekey_table"

_log = logging.getLogger("scopekey.enforce")


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
    reading = _Reading(app, mounts, docs, cors_preflight=cors_preflight)
    setattr(app.state, _STATE, reading)
    app.add_middleware(
        ProtectionMiddleware,  # type: ignore[arg-type] # Starlette's protocol wants the scope to be Any
        keys=keys,
        table=reading,
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
    reading = getattr(app.state, _STATE, None)
    if not isinstance(reading, _Reading) or mounts or docs or cors_preflight:
        reading = _Reading(app, mounts, docs, cors_preflight=cors_preflight)
    rules = reading.fresh().rules(cors_preflight=reading.cors_preflight)
    return rules if catalog is None else known(rules, catalog)


def known(rules: Rules, catalog: Catalog) -> Rules:
    """The same rules in the catalog's own names. Raises RulesError naming every unknown permission."""
    faults: list[str] = []
    found = tuple(msgspec.structs.replace(rule, requirement=_known(rule, catalog, faults)) for rule in rules.rules)
    if faults:
        raise RulesError(dict.fromkeys(faults))
    return msgspec.structs.replace(rules, rules=found)


def _known(rule: Rule, catalog: Catalog, faults: list[str]) -> Requirement | None:
    if rule.requirement is None:
        return None
    try:
        return Requirement(
            tuple(tuple(catalog.permission(str(p)) for p in alternative) for alternative in rule.requirement.any_of)
        )
    except UnknownPermissionError as error:
        faults.append(f"{rule.operation}: {error}")
        return rule.requirement


class _Reading:
    """How to read an application's table: its routes may still grow until it starts."""

    def __init__(
        self, app: FastAPI, mounts: Mapping[str, Any] | None, docs: str | None, *, cors_preflight: bool
    ) -> None:
        self.app = app
        self.cors_preflight = cors_preflight
        self._mounts = mounts
        self._docs = docs
        self._documented = False

    def fresh(self) -> Table:
        """Read the routes as they are now."""
        return Table(self.app, self._mounts, self._docs)

    def show(self, table: Table) -> None:
        """Let the OpenAPI documents tell the permissions, once."""
        if not self._documented:
            self._documented = True
            for app, rules in table.documented:
                document(app, rules)


class ProtectionMiddleware(ScopekeyMiddleware):
    """The ASGI middleware, with rules that are read off the routes when the application starts."""

    def __init__(self, app: ASGIApp, keys: Keys, table: _Reading, *, applied: bool, **options: Any) -> None:
        super().__init__(app, keys, **options)
        self._reading = table
        self._applied = applied
        self._table: Table | None = None
        self._broken: RulesError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the table when the lifespan starts, else at the first request; with faults there is no start."""
        if self._table is None and self._broken is None:
            self._start()
        if scope["type"] == "lifespan" and self._broken is not None:
            # Servers take a mere exception for an application without a lifespan, and would go on.
            await receive()
            await send({"type": "lifespan.startup.failed", "message": str(self._broken)})
            raise self._broken
        if self._table is not None:
            scope[SERVED_KEY] = self._table.served
        await super().__call__(scope, receive, send)

    def guard(self) -> Guard:
        """The guard over the routes' own rules. Raises RulesError where they could not be read."""
        if self._broken is not None or self.rules is None:
            raise self._broken or RulesError(["the routes were not read"])
        return super().guard()

    def _start(self) -> None:
        """Read the table, and look its permissions up where there is a catalog to look in."""
        try:
            table = self._reading.fresh()
            self.rules = self._looked_up(table.rules(cors_preflight=self._reading.cors_preflight))
            self._table = table
            self._reading.show(table)
        except RulesError as error:
            self._broken = error
            _log.error("every request is refused: %s", error)

    def _looked_up(self, rules: Rules) -> Rules:
        try:
            verifier = self.keys.verifier
            verifier.applied.matcher()
            register, of_store = verifier.register, verifier.index.rules()
        except Exception as error:  # noqa: BLE001 - the start goes on; requests are refused until it can be read
            _log.warning("the rules were not looked up: the replica cannot be read (%s)", type(error).__name__)
            return rules
        found = rules if register is None else known(rules, register.catalog)
        if self._applied and (of_store is None or rules_digest(of_store) != rules_digest(found)):
            _log.warning(
                "the rules of this application are not the applied ones, so reach, whoami and the doors tell another "
                "story: write them with `scopekey rules from-app` and apply them, or call protect(applied=False)"
            )
        return found
