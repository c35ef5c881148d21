"""The ASGI middleware for frameworks with routes: the rules are read off the routes when the application starts."""

import logging
from typing import Any, Generic, Protocol, TypeVar

from scopekey.enforce.asgi import ASGIApp, Receive, Scope, ScopekeyMiddleware, Send
from scopekey.enforce.keys import Keys
from scopekey.enforce.routes.lookup import looked_up
from scopekey.enforce.routes.table import RulesError, Table
from scopekey.replica.verifier import Guard

SERVED_KEY = "scopekey.served"
"""Where the middleware leaves the table's `served`: from a served route to its operations."""

_log = logging.getLogger("scopekey.enforce")

T = TypeVar("T", bound=Table)


class Reading(Protocol[T]):
    """How to read an application's table: its routes may still grow until it starts."""

    cors_preflight: bool

    def fresh(self) -> T:
        """Read the routes as they are now."""

    def show(self, table: T) -> None:
        """Note that this table is the one that will be decided by."""


class ProtectionMiddleware(ScopekeyMiddleware, Generic[T]):
    """Reads the table when the lifespan starts, else at the first request.

    With faults there is no start, and where the server goes on regardless, every request is refused.
    """

    def __init__(self, app: ASGIApp, keys: Keys, table: Reading[T], *, applied: bool, **options: Any) -> None:
        super().__init__(app, keys, **options)
        self._reading = table
        self._applied = applied
        self._table: T | None = None
        self._broken: RulesError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decide one request or websocket handshake; the first thing of all is to read the table."""
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
            self.rules = looked_up(
                table.rules(cors_preflight=self._reading.cors_preflight), self.keys, applied=self._applied
            )
            self._table = table
            self._reading.show(table)
        except RulesError as error:
            self._broken = error
            _log.error("every request is refused: %s", error)
