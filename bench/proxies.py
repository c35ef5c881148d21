"""What a check costs behind a real proxy: the printed configuration against the same proxy without a check.

Proxy, gateway and API share the core of servers, the load has the other, 64 connections. A proxy that is not
installed is left out.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.door import many, server, table
from bench.load import load
from bench.measure import Result, Timing, interleaved
from bench.serving import HOST, serving
from bench.traffic import get, traffic
from scopekey.demo.proxy import RUN, arguments, program
from scopekey.gateway.proxies.address import Address
from scopekey.gateway.proxies.configure import Places, configuration

KEYS = 10_000
PLAIN = {
    "nginx": (
        "nginx.conf",
        """pid {state}/nginx.pid; error_log {state}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {state}/b; proxy_temp_path {state}/p;
  fastcgi_temp_path {state}/f; uwsgi_temp_path {state}/u; scgi_temp_path {state}/s;
  upstream api {{ server {api}; keepalive 32; }}
  server {{ listen {listen}; location / {{
    proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
  }} }}
}}
""",
    ),
    "caddy": (
        "Caddyfile",
        """{{
	admin off
	storage file_system {state}
}}
http://:{port} {{
	bind {host}
	reverse_proxy {api}
}}
""",
    ),
    "haproxy": (
        "haproxy.cfg",
        """defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 60s
frontend plain
    bind {listen}
    default_backend api
backend api
    server api {api}
""",
    ),
}
"""Each proxy handing everything on, as its documentation begins."""


def bench_proxies(folder: Path) -> list[Result]:
    """Measure each installed proxy with and without Scopekey behind it."""
    calls, rules = table()
    world = load(folder / "replica", KEYS, rules)
    reads = [target for method, target in calls if method == "GET"]
    requests = [
        get(reads[at % len(reads)], Authorization=f"Bearer {printed}") for at, printed in enumerate(many(world.printed))
    ]
    results: list[Result] = []
    with ExitStack() as stack, server(folder, "sink", "--beside") as sink:
        gateway = stack.enter_context(server(folder, "gateway", sink=sink))
        api = stack.enter_context(server(folder, "empty_door"))
        for proxy in filter(program, RUN):
            with (
                _running(proxy, folder / f"{proxy}-plain", partial(_plain, proxy, api)) as plain,
                _running(proxy, folder / f"{proxy}-guarded", partial(_guarded, proxy, api, gateway)) as guarded,
            ):
                results += _results(proxy, _measured(folder, requests, plain, guarded))
    return results


def _measured(folder: Path, requests: list[str], plain: int, guarded: int) -> dict[str, Timing]:
    with ExitStack() as stack:
        rounds = {
            name: stack.enter_context(traffic(port, requests, folder / f"{port}.json")).round("load")
            for name, port in (("plain", plain), ("guarded", guarded))
        }
        return interleaved(rounds)


def _results(proxy: str, found: dict[str, Timing]) -> list[Result]:
    plain, guarded = found["plain"], found["guarded"]
    note = f"{proxy}, one core for proxy, gateway and API; without a check {1e9 / plain.median:,.0f}/s ({plain.spread})"
    return [
        Result(f"proxy.{proxy}.vs_plain", round(plain.median / guarded.median, 3), "×", guarded.n, note),
        Result(f"proxy.{proxy}.per_s", round(1e9 / guarded.median), "/s", guarded.n, note),
    ]


def _plain(proxy: str, api: int, state: Path, listen: Address) -> dict[str, str]:
    name, template = PLAIN[proxy]
    places = {"listen": listen.at, "host": listen.host, "port": listen.port, "state": state}
    return {name: template.format(api=f"{HOST}:{api}", **places)}


def _guarded(proxy: str, api: int, gateway: int, state: Path, listen: Address) -> dict[str, str]:
    return configuration(proxy, Places(Address(HOST, api), Address(HOST, gateway), listen, str(state)))


@contextmanager
def _running(proxy: str, state: Path, files: Callable[[Path, Address], dict[str, str]]) -> Iterator[int]:
    """Run a proxy with these files, which are made for its folder and for where it listens; gives its port."""
    state = state.absolute()
    state.mkdir()

    def command(address: str) -> list[str]:
        for name, text in files(state, Address.parse(address)).items():
            (state / name).write_text(text)
        return [str(program(proxy)), *arguments(proxy, state)]

    with serving(command, HOME=str(state)) as port:
        yield port
