"""The configuration of each proxy: its files, by name, the main one first."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from scopekey.core.network import parse_address
from scopekey.enforce.respond import UNAVAILABLE
from scopekey.gateway.proxies.address import Address
from scopekey.wire.problems import problem_document

_SLOT = re.compile(r"<<(\w+)>>")
_EMPTY_LINE = re.compile(r"\n[ \t]*\n(?=[ \t]*\n)")
_STATE = re.compile(r"/[A-Za-z0-9._/@+~-]*")


class Places(NamedTuple):
    """What a configuration is made for.

    `api` is what is guarded, `gateway` the data plane that decides, `listen` the proxy's own address. `state` is an
    absolute folder for the proxy's own files, empty where its package's places are meant.
    """

    api: Address
    gateway: Address
    listen: Address
    state: str = ""


def configuration(proxy: str, places: Places) -> dict[str, str]:
    """Write the files of a proxy. Raises ValueError for what it cannot do, and KeyError for no proxy of ours."""
    if places.state and not _STATE.fullmatch(places.state):
        raise ValueError(
            f"{places.state!r} is no folder that every proxy can read: an absolute path of plain characters"
        )
    names, slots = PROXIES[proxy]
    values = _common(places) | slots(places)
    return {name: _fill(Path(__file__).with_name(name).read_text("utf-8"), values) for name in names}


def _common(places: Places) -> dict[str, str]:
    unchecked = problem_document(UNAVAILABLE, detail=UNAVAILABLE.detail, request_id="").decode()
    return {
        "api": str(places.api),
        "gateway": str(places.gateway),
        "listen": places.listen.at,
        "listen_host": places.listen.bare_host,
        "listen_port": str(places.listen.port),
        "unavailable": unchecked,
    }


def _fill(template: str, values: Mapping[str, str]) -> str:
    # A slot that stays empty leaves no gap.
    return _EMPTY_LINE.sub("\n", _SLOT.sub(lambda found: values[found[1]], template))


def _nginx(places: Places) -> dict[str, str]:
    def server(address: Address) -> str:
        return str(address) if address.path else address.at

    state = places.state.rstrip("/")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    process = f"pid {state}/nginx.pid;\nerror_log {state}/nginx.log;\n" if state else ""
    folders = (
        "".join(f"{kind}_temp_path {state}/{kind};\n    " for kind in kinds) + "access_log off;\n" if state else ""
    )
    return {
        "process": "worker_processes auto;\n" + process,
        "folders": folders,
        "gateway_server": server(places.gateway),
        "api_server": server(places.api),
    }


def _caddy(places: Places) -> dict[str, str]:
    def dial(address: Address) -> str:
        return f"unix/{address.path}" if address.path else address.at

    return {
        "storage": f"storage file_system {places.state}" if places.state else "",
        "gateway_dial": dial(places.gateway),
        "api_dial": dial(places.api),
    }


def _haproxy(places: Places) -> dict[str, str]:
    gateway, api = places.gateway, places.api
    path = "/check/haproxy"
    return {
        "lua": f"{places.state or '/etc/haproxy'}/scopekey.lua",
        # Beside a socket the host says nothing.
        "check_url": f"http://127.0.0.1{path}" if gateway.path else f"http://{gateway.at}{path}",
        "check_dst": f'"unix@{gateway.path}"' if gateway.path else "nil",
        "api_server": f"unix@{api.path}" if api.path else api.at,
    }


def _envoy(places: Places) -> dict[str, str]:
    def address(of: Address) -> str:
        if of.path:
            return f'{{ pipe: {{ path: "{of.path}" }} }}'
        return f'{{ socket_address: {{ address: "{of.bare_host}", port_value: {of.port} }} }}'

    def kind(of: Address) -> str:
        # A name is looked up, an address is not.
        return "STATIC" if of.path or parse_address(of.bare_host) else "STRICT_DNS"

    return {
        "gateway_uri": "http://scopekey" if places.gateway.path else str(places.gateway),
        "gateway_type": kind(places.gateway),
        "gateway_address": address(places.gateway),
        "api_type": kind(places.api),
        "api_address": address(places.api),
    }


def _traefik(places: Places) -> dict[str, str]:
    for address in (places.gateway, places.api):
        if address.path:
            raise ValueError(f"{address} is a Unix socket, which Traefik cannot ask: give http://host:port")
    return {"gateway_uri": str(places.gateway), "api_uri": str(places.api)}


Slots = Callable[[Places], dict[str, str]]
PROXIES: dict[str, tuple[tuple[str, ...], Slots]] = {
    "nginx": (("nginx.conf",), _nginx),
    "caddy": (("Caddyfile",), _caddy),
    "haproxy": (("haproxy.cfg", "scopekey.lua"), _haproxy),
    "envoy": (("envoy.yaml",), _envoy),
    "traefik": (("traefik.yml", "dynamic.yml"), _traefik),
}
"""Every proxy: the templates that are its files, and what is filled into them."""
