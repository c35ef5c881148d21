"""``scopekey gateway config PROXY``: the whole configuration of a proxy that asks a data plane about every request."""

from pathlib import Path
from typing import Annotated

import typer

from scopekey.cli.acting import CannotActError
from scopekey.cli.output import warn
from scopekey.gateway.proxies.address import UNIX, Address
from scopekey.gateway.proxies.configure import PROXIES, Places, configuration
from scopekey.settings import Settings

_KNOWN = ", ".join(PROXIES)
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on everywhere is asked on loopback


def config(
    proxy: Annotated[str, typer.Argument(metavar="PROXY", help=f"One of: {_KNOWN}.")],
    api: Annotated[
        str, typer.Option(help="What is guarded: http://host:port, or unix:PATH.")
    ] = "http://127.0.0.1:8000",
    gateway: Annotated[
        str | None,
        typer.Option(
            help="The gateway or `serve` that decides, written like --api; else what SCOPEKEY_SOCKET, or "
            "SCOPEKEY_HOST and SCOPEKEY_PORT, say."
        ),
    ] = None,
    listen: Annotated[str, typer.Option(help="What the proxy listens on: host:port.")] = "127.0.0.1:8080",
    state: Annotated[
        Path | None,
        typer.Option(
            help="A folder for the proxy's own files (pid, logs, temporary ones, its Lua); else its package's places."
        ),
    ] = None,
    file: Annotated[str | None, typer.Option(help="Which file to print, where there are several.")] = None,
) -> None:
    """Print the configuration of a proxy that asks Scopekey about every request, and hands on who calls."""
    if proxy not in PROXIES:
        raise CannotActError(f"there is no configuration for {proxy!r}: name one of {_KNOWN}")
    places = Places(
        _address(api),
        _own() if gateway is None else _address(gateway),
        Address.listen(listen),
        "" if state is None else str(state.absolute()),
    )
    files = configuration(proxy, places)
    main, *more = files
    wanted = file or main
    if wanted not in files:
        raise CannotActError(f"{proxy} has no file {wanted!r}: it has {', '.join(files)}")
    typer.echo(files[wanted], nl=False)
    if file is None and more:
        warn(f"{main} reads {', '.join(more)} too: print that with --file {more[0]}")


def _address(text: str) -> Address:
    """Read an address; a socket's path may be relative to the working folder here, but not in a configuration."""
    if text.startswith(UNIX) and not text.startswith(f"{UNIX}/"):
        return Address.parse(f"{UNIX}{Path(text.removeprefix(UNIX)).absolute()}")
    return Address.parse(text)


def _own() -> Address:
    """Where a gateway with these settings listens."""
    settings = Settings()
    if settings.socket is not None:
        return Address.parse(f"{UNIX}{settings.socket.absolute()}")
    host = _EVERYWHERE.get(settings.host, settings.host)
    return Address.parse(f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}")
