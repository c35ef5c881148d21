"""What every adapter and every door must do: run on each of them, by the modules of tests/enforce.

A test module inherits the class of its kind. An adapter is an `AsgiContract` or a `WsgiContract` (and a
`WebsocketContract` where its framework has them), and gives `application`: the API of `RULES`, declared as the
framework declares it and guarded. Each of its functions calls `upstream.reached(method, path, event, body)` with the
event that it found in its request, and answers `OK`, `GET /datasets/{id}` with `upstream.headers` and `GET /stream`
with `upstream.chunks()`. A door that a proxy asks is a `CheckContract`, and gives `check` and `tell`.
tests/enforce/test_asgi.py and tests/enforce/doors/test_haproxy.py are to be read first.
"""

from tests.contract.door_adapter import AsgiContract, WebsocketContract, WsgiContract
from tests.contract.door_check import CheckContract
from tests.contract.door_exchange import OK, RULES, SOCKET, Request, request

__all__ = [
    "OK",
    "RULES",
    "SOCKET",
    "AsgiContract",
    "CheckContract",
    "Request",
    "WebsocketContract",
    "WsgiContract",
    "request",
]
