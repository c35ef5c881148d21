"""The middleware: one request, one decision, one record, under WSGI and under ASGI."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction
from django.http import HttpResponse, HttpResponseNotAllowed

from scopekey.core.matcher import PREFLIGHT
from scopekey.core.rules import Rules
from scopekey.enforce.asgi import Scope, raw_target
from scopekey.enforce.asgi import ScopekeyMiddleware as OverAsgi
from scopekey.enforce.django.declare import EVENT, MISROUTED, TABLE
from scopekey.enforce.django.options import Options
from scopekey.enforce.django.rules import reading_of
from scopekey.enforce.django.table import RoutesTable
from scopekey.enforce.middleware import Middleware, Passed
from scopekey.enforce.respond import Refusal
from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware as OverWsgi
from scopekey.replica.verifier import Guard

_log = logging.getLogger("scopekey.enforce")


class ScopekeyMiddleware:
    """Guards a Django project with what its views declare; what it needs stands in the setting `SCOPEKEY`.

    Put it first in `MIDDLEWARE`: what stands before it answers without a decision. A view finds the event in
    `request.scopekey`. The URLconf is read at the first request; where it has faults, every request is refused.
    Raises ImproperlyConfigured for a setting that means nothing, and without `KEYS`.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        options = Options.read()
        keys = options.opened_keys()
        given: dict[str, Any] = {
            "trusted_proxies": tuple(options.trusted_proxies),
            "realm": options.realm,
            "missing_permission_status": options.missing_permission_status,
        }
        reading = reading_of(options.mounts, cors_preflight=options.cors_preflight)
        self._begin = partial(reading.begin, keys, applied=options.applied)
        self._over_asgi = _OverAsgi(_uncalled, keys, **given)
        self._over_wsgi = _OverWsgi(_uncalled, keys, **given)
        self._over_asgi.begin = self._over_wsgi.begin = self._begin
        self._get_response = get_response
        self._is_async = bool(iscoroutinefunction(get_response))
        if self._is_async:
            markcoroutinefunction(self)
        # On an event loop Django takes a thread for one that is not async, at every request.
        self.process_view: Callable[..., Any] = self._reached_async if self._is_async else self._reached

    def __call__(self, request: Any) -> Any:
        """Decide one request; gives the answer, or a promise of it where Django runs on an event loop."""
        if self._is_async:
            return self._answer_async(request)
        if hasattr(request, "scope"):
            outcome = async_to_sync(self._over_asgi.decide)(_scope_of(request))
        else:
            outcome = self._over_wsgi.decide(_environ_of(request))
        if isinstance(outcome, Refusal):
            return _refuse(outcome, request)
        return _told(outcome, self._get_response(self._passed(outcome, request)))

    async def _answer_async(self, request: Any) -> Any:
        outcome = await self._over_asgi.decide(_scope_of(request))
        if isinstance(outcome, Refusal):
            return _refuse(outcome, request)
        return _told(outcome, await self._get_response(self._passed(outcome, request)))

    def _passed(self, outcome: Passed, request: Any) -> Any:
        """The request, with what was decided about it and by which table."""
        setattr(request, EVENT, outcome.event)
        setattr(request, TABLE, self._begin()[0])
        return request

    def _reached(self, request: Any, *_: Any) -> Any:
        """Answer in place of a view that was reached, where it is not the operation that was decided."""
        table, event = getattr(request, TABLE), getattr(request, EVENT)
        if table.is_decided(request):
            return None
        if event.match is PREFLIGHT:
            # Nobody asked for a key: it is for a CORS middleware to answer, and never for a view.
            return HttpResponseNotAllowed(table.answered(request))
        known = {"request_id": event.request_id}
        _log.error("request %s was refused: %s", event.request_id, MISROUTED, extra=known)
        return HttpResponse(MISROUTED, status=500, content_type="text/plain", headers={"Cache-Control": "no-store"})

    async def _reached_async(self, request: Any, *_: Any) -> Any:
        return self._reached(request)


class _Under(Middleware):
    """Decides under the rules of the URLconf; `begin` gives its table and them."""

    begin: Callable[[], tuple[RoutesTable, Rules]]

    def guard(self) -> Guard:
        """The guard over the URLconf's own rules. Raises RulesError where they could not be read."""
        _, self.rules = self.begin()
        return super().guard()


class _OverAsgi(_Under, OverAsgi):
    """Decides about an ASGI request."""


class _OverWsgi(_Under, OverWsgi):
    """Decides about a WSGI request."""


def _uncalled(*_: Any) -> Any:
    """Stands for the application: Django calls its own."""
    raise NotImplementedError


def _scope_of(request: Any) -> Scope:
    """The scope as Django routes it: less the prefix that Django cuts off, unreadable where that is another path."""
    scope = {**request.scope, "root_path": request.script_name}
    if unquote(raw_target(scope).partition(b"?")[0].decode("latin-1")) != request.path_info:
        scope["raw_path"] = None
    return scope


def _environ_of(request: Any) -> dict[str, Any]:
    """The environ with the path that Django routes, which it has decoded in place (PEP 3333: latin-1)."""
    prefix, path = str(request.META.get("SCRIPT_NAME", "")), str(request.path_info)
    return {
        **request.META,
        "SCRIPT_NAME": prefix.encode().decode("latin-1"),
        "PATH_INFO": path.encode().decode("latin-1"),
    }


def _refuse(refusal: Refusal, request: Any) -> Any:
    response = HttpResponse(b"" if request.method == "HEAD" else refusal.body, status=refusal.status)
    for name, value in refusal.headers:
        response.headers[name.decode("latin-1")] = value.decode("latin-1")
    return response


def _told(passed: Passed, response: Any) -> Any:
    """The view's answer with what a live key is told, and a request id where it gives none of its own."""
    if passed.told:
        response.headers.setdefault("x-request-id", passed.event.request_id)
    for name, value in passed.told:
        response.headers[name.decode("latin-1")] = value.decode("latin-1")
    return response
