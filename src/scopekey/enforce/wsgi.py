"""Guards any WSGI application (PEP 3333): one request, one decision, one record.

It decides on the raw target as the server tells it beside the standard (`RAW_URI`, `REQUEST_URI`), and
only where that spells the path that the application will route. Nothing in it fails open.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from scopekey.core.network import Network
from scopekey.core.rules import Rules
from scopekey.core.target import UnreadableTarget, escaped, read_target
from scopekey.enforce.credential import credential
from scopekey.enforce.fields import Fields
from scopekey.enforce.keys import Keys
from scopekey.enforce.middleware import Middleware, Passed
from scopekey.enforce.reach import HEADER, behind
from scopekey.enforce.request import REQUEST_FIELDS, is_preflight, log_fault, new_request_id, request_id
from scopekey.enforce.respond import (
    JOURNAL_UNAVAILABLE,
    REALM,
    UNAVAILABLE,
    Headers,
    Refusal,
    refuse_unchecked,
    told,
)
from scopekey.replica.event import Event
from scopekey.replica.journal import DONE, JournalUnavailableError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

ENVIRON_KEY = "scopekey.event"
"""Where an application finds what was decided about its request: `environ["scopekey.event"].decision`."""

_RAW_TARGETS = ("RAW_URI", "REQUEST_URI")
_NAMES = {"HTTP_" + name.decode().upper().replace("-", "_"): name for name in REQUEST_FIELDS}
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_UNREADABLE = b""
# What servers write for the peer of a Unix socket: gunicorn, waitress, Werkzeug, uWSGI, nginx's $remote_addr.
_UNIX_SOCKET = frozenset({"", "localhost", "<local>", "0.0.0.0", "unix:"})  # noqa: S104 - nothing is bound to it

_log = logging.getLogger("scopekey.enforce")


class ScopekeyWSGIMiddleware(Middleware):
    """Lets a request through where the rules and its key allow it, and refuses it otherwise.

    `keys` is anything with a `verifier`; `rules` are the application's own, None for the applied ones.
    The application finds the event in `environ["scopekey.event"]`. The path is the raw one, less `SCRIPT_NAME`
    where that is a prefix; where the server gives no raw path (wsgiref), every request is refused.

    `trusted_proxies` are networks whose `X-Forwarded-For` is believed, read from the right; without
    them the peer of the connection is the caller. With them a Unix socket is trusted too.
    In report-only mode the application is called, and the answer names what would have been missing
    in `Scopekey-Missing`.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        keys: Keys,
        rules: Rules | None = None,
        *,
        trusted_proxies: Iterable[str | Network] = (),
        realm: str = REALM,
        missing_permission_status: int | None = None,
    ) -> None:
        super().__init__(
            keys,
            rules,
            trusted_proxies=trusted_proxies,
            realm=realm,
            missing_permission_status=missing_permission_status,
        )
        self.app = app
        self._warned = False

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Decide one request, and call the application or answer with the refusal."""
        outcome = self.decide(environ)
        if isinstance(outcome, Refusal):
            return refuse_wsgi(outcome, environ, start_response)
        environ[ENVIRON_KEY] = outcome.event
        return self.app(
            environ, _adding(start_response, outcome.told, outcome.event) if outcome.told else start_response
        )

    def decide(self, environ: "WSGIEnvironment") -> Passed | Refusal:
        """Ask the verifier, and wait until the record is as safe as its mode wants it; calls no application."""
        name = ""
        try:
            fields = fields_of_environ(environ)
            name = request_id(fields)
            method = environ["REQUEST_METHOD"]
            guard, presented = self.guard(), credential(fields)
            event, ticket = guard.request(
                method,
                self._raw_target(environ),
                presented,
                address=self._caller(_peer(environ), lambda: environ.get("HTTP_X_FORWARDED_FOR", "")),
                request_id=name,
                preflight=method == "OPTIONS" and is_preflight(fields),
                refused=behind(guard.verifier, fields, presented) if HEADER in fields else None,
            )
            if ticket is not DONE:
                ticket.wait()
            return Passed(event, told(event)) if event.proceeds else self._refusal(event)
        except JournalUnavailableError:
            return refuse_unchecked(JOURNAL_UNAVAILABLE, name)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the answer is no
            log_fault(error, name)
            return refuse_unchecked(UNAVAILABLE, name or new_request_id())

    def _raw_target(self, environ: "WSGIEnvironment") -> bytes:
        """The raw target; says once, for whoever runs the server, that every request is refused without one."""
        if not self._warned and not any(name in environ for name in _RAW_TARGETS):
            self._warned = True
            _log.error(
                "every request is refused: this server tells the raw target neither in RAW_URI nor in REQUEST_URI; "
                "gunicorn, uWSGI, mod_wsgi, waitress and Werkzeug do; wsgiref, gevent's and bridges from ASGI do not"
            )
        return raw_target(environ)


def fields_of_environ(environ: Mapping[str, Any]) -> Fields:
    """Take the header fields that a check looks at. Servers join lines of one name with a comma."""
    return {name: environ[key].encode("latin-1") for key, name in _NAMES.items() if key in environ}


def raw_target(environ: Mapping[str, Any]) -> bytes:
    """The raw target less `SCRIPT_NAME`; empty, thus unreadable, where it is not what the application will route."""
    given = {environ[name] for name in _RAW_TARGETS if name in environ}
    raw = given.pop() if len(given) == 1 else None
    if not isinstance(raw, str):
        return _UNREADABLE
    # Servers route the path of an absolute-form target (RFC 9112 section 3.2.2), and leave RAW_URI as it came.
    absolute = None if raw.startswith("/") else _ABSOLUTE.match(raw)
    target = raw[absolute.end() :] if absolute else raw
    path, script = environ.get("PATH_INFO", ""), environ.get("SCRIPT_NAME", "")
    if _spells(target, path):
        return target.encode("latin-1")
    for prefix in _spellings(script) if script else ():
        rest = target[len(prefix) :]
        if target.startswith(prefix) and rest.startswith("/") and _spells(rest, path):
            return rest.encode("latin-1")
    # Somebody has rewritten the path: what would be decided is not what would be routed.
    return _UNREADABLE


def _spells(target: str, path: str) -> bool:
    """Tell whether the path of a raw target decodes to this one, whose characters stand for bytes."""
    spelled = target.partition("?")[0]
    return spelled == path if "%" not in spelled else unquote_to_bytes(spelled) == path.encode("latin-1")


@lru_cache(maxsize=256)
def _spellings(script: str) -> tuple[str, ...]:
    """How a script name may stand in a raw target: percent-encoded, or as it is, for gunicorn never decodes it.

    Not one that could be read in two ways: gunicorn takes it from a header field of a proxy that it trusts.
    """
    spelled = dict.fromkeys((escaped(script.encode("latin-1")), script))
    readable = (s for s in spelled if not isinstance(read_target(s.encode("latin-1")), UnreadableTarget))
    return tuple(s for s in readable if not s.endswith("/"))


def _peer(environ: Mapping[str, Any]) -> str | None:
    """The address of the connection's other end; None for a Unix socket."""
    peer = environ.get("REMOTE_ADDR", "")
    return None if peer in _UNIX_SOCKET else peer


def _adding(start_response: "StartResponse", headers: Headers, event: Event) -> "StartResponse":
    """Start the application's answer with these headers, and a request id where it gives none of its own."""

    def starting(status: str, given: list[tuple[str, str]], exc_info: Any = None) -> Any:
        present = list(given)
        if "x-request-id" not in [name.lower() for name, _ in present]:
            present.append(("x-request-id", event.request_id))
        present += _text(headers)
        return start_response(status, present, exc_info) if exc_info else start_response(status, present)

    return starting


def refuse_wsgi(refusal: Refusal, environ: Mapping[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
    """Answer a request with its refusal."""
    start_response(f"{refusal.status} {HTTPStatus(refusal.status).phrase}", _text(refusal.headers))
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [refusal.body]


def _text(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
