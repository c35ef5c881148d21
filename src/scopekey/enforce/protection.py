"""The ASGI middleware for frameworks with routes: the rules are read off the routes when the application starts."""

from typing import Any, Generic, TypeVar

from scopekey.core.rules import Rules
from scopekey.enforce.asgi import ASGIApp, Receive, Scope, ScopekeyMiddleware, Send
from scopekey.enforce.keys import Keys
from scopekey.enforce.routes.reading import Reading
from scopekey.enforce.routes.table import SERVED_KEY, RulesError, Table
from scopekey.replica.verifier import Guard

T = TypeVar("T", bound=Table)


class ProtectionMiddleware(ScopekeyMiddleware, Generic[T]):
    """Reads the table when the lifespan starts, else at the first request.

    With faults there is no start, and where the server goes on regardless, every request is refused.
    """

    def __init__(self, app: ASGIApp, keys: Keys, reading: Reading[T], *, applied: bool, **options: Any) -> None:
        super().__init__(app, keys, **options)
        self._reading = reading
        self._applied = applied

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decide one request or websocket handshake; the first thing of all is to read the table."""
        try:
            scope[SERVED_KEY] = self._begin().served
        except RulesError as error:
            if scope["type"] == "lifespan":
                # Servers take a mere exception for an application without a lifespan, and would go on.
                await receive()
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
        await super().__call__(scope, receive, send)

    def guard(self) -> Guard:
        """The guard over the routes' own rules. Raises RulesError where they could not be read."""
        if self.rules is None:
            self._begin()
        return super().guard()

    def _begin(self) -> T:
        table, rules = self._reading.begin(self.keys, applied=self._applied)
        self.rules: Rules | None = rules
        return table
