"""``/check/forwarded``: what Caddy's `forward_auth` and Traefik's ForwardAuth ask, in `X-Forwarded-*` of their own."""

from scopekey.enforce.asgi import Scope
from scopekey.enforce.doors.asked import UNTOLD, Asked, ForwardedFor, told_method
from scopekey.enforce.fields import Fields

PATH = "/check/forwarded"
METHOD_FIELD, TARGET, CLIENT = b"x-forwarded-method", b"x-forwarded-uri", b"x-forwarded-for"
FIELDS = (METHOD_FIELD, TARGET, CLIENT)


def read(fields: Fields, scope: Scope, client_of: ForwardedFor) -> Asked:  # noqa: ARG001 - Envoy's needs the scope
    """Find method, target and list of addresses, each in exactly one field line."""
    method, target, clients = told_method(fields.get(METHOD_FIELD)), fields.get(TARGET), fields.get(CLIENT)
    if method is None or target is None or clients is None:
        return UNTOLD
    return Asked(method, target, client_of(clients))
