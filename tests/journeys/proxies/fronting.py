"""Real proxies in front of an API, each with exactly the configuration that `scopekey gateway config` prints."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scopekey.demo.proxy import program, running_proxy
from scopekey.gateway.proxies.address import Address
from scopekey.gateway.proxies.configure import Places
from tests.journeys.serving import free_port

PROXIES = ("nginx", "caddy", "haproxy")
HOST = "127.0.0.1"


def installed(proxy: str) -> bool:
    """Whether a proxy can be started here."""
    return program(proxy) is not None


def needed(proxy: str) -> None:
    """Skip the test where the proxy is not installed, and say so."""
    if not installed(proxy):
        pytest.skip(f"{proxy} is not installed on this machine")


@contextmanager
def front(proxy: str, folder: Path, *, gateway: str, api: str) -> Iterator[tuple[str, int]]:
    """Run a proxy, `nginx`, `caddy` or `haproxy`, and give the host and port it listens on; its files are in `folder`.

    `gateway` is the data plane that it asks and `api` what it guards, both `http://host:port` or `unix:/path`.
    """
    port = free_port()
    places = Places(Address.parse(api), Address.parse(gateway), Address.listen(f"{HOST}:{port}"))
    with running_proxy(proxy, folder, places):
        yield HOST, port
