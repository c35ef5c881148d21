"""``/check/nginx``: what nginx's `auth_request` asks. It knows 2xx, 401 and 403 only, and passes no body on."""

from scopekey.enforce.doors.original import FIELDS, read

__all__ = ["FIELDS", "PATH", "read"]

PATH = "/check/nginx"
