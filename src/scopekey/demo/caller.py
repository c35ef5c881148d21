"""Who calls, for work that goes on after the call: told by the guard in this process, or by a proxy in front of it."""

from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts

from scopekey.core.ids import KeyId
from scopekey.demo.problems import Refused
from scopekey.enforce.asgi import SCOPE_KEY
from scopekey.enforce.fastapi.routes import declared_by
from scopekey.enforce.keys import Keys
from scopekey.replica.event import Event
from scopekey.replica.held import Held


class Caller(NamedTuple):
    """The key of a call that was let through, and the call's request id."""

    held: Held
    request_id: str


Who = Callable[[Request], Caller]


def told_by_guard(request: Request) -> Caller:
    """Who the middleware let through."""
    event: Event = request.scope[SCOPE_KEY]
    return Caller(Held.of(event), event.request_id)


def told_by_proxy(keys: Keys) -> Who:
    """Read the proxy's header fields. Only for a platform that nobody but the proxy can reach: they are believed."""

    def who(request: Request) -> Caller:
        key, now = keys.verifier.index.key(KeyId(request.headers.get("scopekey-key-id", ""))), keys.verifier.clock()
        valid = [one.number for one in key.secrets if one.until is None or one.until > now] if key else []
        if key is None or not valid:
            detail = "The proxy did not say whose call this is, or the key is not known here."
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "unknown_caller", detail)
        # The fields name the key and not which of its secrets was sent: while two are valid, the one that ends first.
        held = Held(key.id, min(valid), request.headers.get("x-forwarded-for"))
        return Caller(held, request.headers.get("x-request-id", ""))

    return who


def leave_to_proxy(app: FastAPI) -> None:
    """Let the routes run without a guard in this process. What they declare is for the rules that are read off them.

    Without this call each of them refuses, for nobody has decided in here.
    """
    for context in iter_route_contexts(app.routes):
        # FastAPI's own pages declare nothing.
        dependant = getattr(context, "dependant", None)
        for declared in declared_by(dependant) if dependant is not None else ():
            app.dependency_overrides[declared] = _decided_in_front


def _decided_in_front() -> None:
    return
