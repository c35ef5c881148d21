"""``/ext_authz/…``: what Envoy's HTTP ext_authz filter asks: the request's own line, behind a path prefix."""

from scopekey.enforce.asgi import Scope
from scopekey.enforce.doors.asked import UNTOLD, Asked, ForwardedFor, told_method
from scopekey.enforce.fields import Fields

PREFIX = "/ext_authz"
CLIENT = b"x-forwarded-for"
FIELDS = (CLIENT,)

_RAW_PREFIX = PREFIX.encode()


def read(fields: Fields, scope: Scope, client_of: ForwardedFor) -> Asked:
    """Find the method and the raw target in the request line, and the list of addresses in exactly one field line."""
    method, raw, clients = told_method(scope["method"].encode("latin-1")), scope.get("raw_path"), fields.get(CLIENT)
    if method is None or not isinstance(raw, bytes) or not raw.startswith(_RAW_PREFIX) or clients is None:
        return UNTOLD
    return Asked(method, raw[len(_RAW_PREFIX) :], client_of(clients))
