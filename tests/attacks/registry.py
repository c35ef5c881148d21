"""Every front there is: an adapter on a server, a proxy before an API, a door that is asked directly."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import msgspec

from scopekey.gateway.proxies.configure import Places, configuration
from tests.attacks.relay import CLIENT, Held, Lines, asks_envoy, asks_forwarded, asks_original, relayed
from tests.attacks.servers import Running, serving
from tests.attacks.wire import Answers, exchange
from tests.journeys.proxies.fronting import PROXIES, front, needed

BEHIND = ("10.0.0.1",)
"""What clients name as addresses before a relay adds theirs."""
Ask = Callable[..., Answers]
"""Takes bytes, and what `wire.exchange` takes by name."""
LOOPBACK = "127.0.0.1"
ASGI = ("uvicorn httptools", "uvicorn h11", "gunicorn asgi")
WSGI = ("gunicorn sync", "gunicorn gthread", "waitress")
BELIEVING = "believing"
"""Servers that take a client's word for its address, because their own option says so."""


class Asking(msgspec.Struct, frozen=True):
    """A front that runs: how to ask it, and where its processes leave their traces."""

    running: Running
    ask: Ask


class Front(msgspec.Struct, frozen=True):
    """A front before it runs. `addresses` are those that callers may be recorded with; empty: any.

    `answers` is the status of an ordinary, allowed request.
    """

    family: str
    app: str
    server: str
    run: Callable[[Path], AbstractContextManager[Asking]]
    addresses: tuple[str, ...] = (LOOPBACK,)
    answers: int = 200

    @property
    def name(self) -> str:
        """What it is called in tests."""
        return f"{self.app}, {self.server}"


@contextmanager
def _serving(folder: Path, *, server: str, app: str) -> Iterator[Asking]:
    with serving(folder, server, app) as running:
        yield Asking(running, partial(exchange, running.port))


@contextmanager
def _fronted(folder: Path, *, proxy: str, server: str) -> Iterator[Asking]:
    needed(proxy)
    with (
        serving(folder, "uvicorn httptools", "doors_app") as doors,
        serving(folder, server, "upstream") as api,
        front(
            proxy, folder / proxy, gateway=f"http://{LOOPBACK}:{doors.port}", api=f"http://{LOOPBACK}:{api.port}"
        ) as (
            _,
            port,
        ),
    ):
        yield Asking(Running(port, folder), partial(exchange, port))


@contextmanager
def _relayed(folder: Path, *, server: str, asks: Callable[[Held], Lines]) -> Iterator[Asking]:
    with (
        serving(folder, server, "doors_app") as doors,
        serving(folder, "uvicorn httptools", "upstream") as api,
    ):
        yield Asking(doors, lambda request, **_: relayed(request, asks, doors.port, api.port))


def _adapter(family: str, app: str, server: str) -> Front:
    addresses = () if BELIEVING in server else (LOOPBACK,)
    name = app.removesuffix("_app").removesuffix("_wsgi").removesuffix("_asgi")
    return Front(family, name, server, partial(_serving, server=server, app=app), addresses)


def _proxy(proxy: str, server: str) -> Front:
    return Front("proxies", proxy, server, partial(_fronted, proxy=proxy, server=server))


DOORS = {
    "/check/nginx": asks_original(b"/check/nginx"),
    "/check/haproxy": asks_original(b"/check/haproxy"),
    "/check/forwarded": asks_forwarded,
    "/ext_authz": asks_envoy,
}


def _door(path: str, server: str) -> Front:
    # A server that takes the client for the peer makes the doors refuse everybody: fields that name addresses
    # are always there in these two.
    answers = 403 if BELIEVING in server and path in {"/check/forwarded", "/ext_authz"} else 200
    return Front("doors", path, server, partial(_relayed, server=server, asks=DOORS[path]), (CLIENT, *BEHIND), answers)


OVER_ASGI = ("asgi_app", "fastapi_app", "starlette_app", "django_asgi_app")
OVER_WSGI = ("wsgi_app", "flask_app", "django_wsgi_app")
FRONTS: tuple[Front, ...] = (
    *(_adapter("ASGI", app, server) for app in OVER_ASGI for server in ASGI),
    *(_adapter("ASGI", "asgi_app", server) for server in ("uvicorn believing", "gunicorn asgi believing")),
    *(_adapter("WSGI", app, server) for app in OVER_WSGI for server in WSGI),
    *(_adapter("WSGI", app, "gunicorn believing") for app in ("wsgi_app", "django_wsgi_app")),
    *(_proxy(proxy, server) for proxy in PROXIES for server in ("uvicorn httptools", "uvicorn h11")),
    *(_door(path, server) for path in DOORS for server in ("uvicorn httptools", "uvicorn believing")),
)


@contextmanager
def _negligent(folder: Path) -> Iterator[Asking]:
    """nginx with a configuration that leaves the client's own identity in its place."""

    def without(proxy: str, places: Places) -> dict[str, str]:
        return {name: text.replace(OVERWRITTEN, "") for name, text in configuration(proxy, places).items()}

    with (
        patch("scopekey.demo.proxy.configuration", without),
        _fronted(folder, proxy="nginx", server="uvicorn h11") as one,
    ):
        yield one


OVERWRITTEN = "proxy_set_header Scopekey-Key-Id $sk_key;"
BROKEN = ("rewriting_app", "normalising_app", "trusting_app", "leaking_app", "forgetful_app")
CONTROLS = (
    *(_adapter("ASGI", app, "uvicorn httptools") for app in BROKEN),
    Front("proxies", "negligent nginx", "", _negligent),
)
"""Fronts that are broken on purpose: the law has to find it."""
