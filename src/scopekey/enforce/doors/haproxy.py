"""``/check/haproxy``: what HAProxy's Lua action asks. It tells a request as nginx does, and takes every answer."""

from scopekey.enforce.doors.original import FIELDS, read

__all__ = ["FIELDS", "PATH", "read"]

PATH = "/check/haproxy"
