"""What `scopekey gateway config` prints, and what it refuses to."""

import subprocess
from pathlib import Path

import pytest

from scopekey.demo.proxy import program
from scopekey.gateway.proxies.address import Address
from scopekey.gateway.proxies.configure import PROXIES, Places, configuration

USUAL = Places(Address("127.0.0.1", 8000), Address("127.0.0.1", 8700), Address("127.0.0.1", 8080))


@pytest.mark.parametrize("proxy", PROXIES)
def test_it_prints_the_configuration(command, proxy):
    ended = command("gateway", "config", proxy)
    main, *more = configuration(proxy, USUAL).values()
    assert (0, main) == (ended.code, ended.out)
    assert bool(more) == ("too: print that" in ended.err)


@pytest.mark.parametrize(("proxy", "file"), [("haproxy", "scopekey.lua"), ("traefik", "dynamic.yml")])
def test_it_prints_the_other_file_of_a_proxy(command, proxy, file):
    assert (0, configuration(proxy, USUAL)[file], "") == command("gateway", "config", proxy, "--file", file)


def test_it_takes_addresses(command, folder):
    ended = command(
        "gateway",
        "config",
        "nginx",
        "--api",
        "unix:api.sock",
        "--gateway",
        "http://10.0.0.7:9",
        "--listen",
        "10.0.0.8:80",
    )
    places = Places(Address(path=f"{folder}/api.sock"), Address("10.0.0.7", 9), Address("10.0.0.8", 80))
    assert configuration("nginx", places)["nginx.conf"] == ended.out


@pytest.mark.parametrize(
    ("settings", "gateway"),
    [
        ({"port": 9000}, Address("127.0.0.1", 9000)),
        ({"host": "0.0.0.0"}, Address("127.0.0.1", 8700)),
        ({"host": "::1"}, Address("[::1]", 8700)),
        ({"socket": "/run/scopekey.sock"}, Address(path="/run/scopekey.sock")),
    ],
)
def test_the_gateway_is_the_one_of_the_settings(command, settings, gateway):
    assert configuration("nginx", USUAL._replace(gateway=gateway))["nginx.conf"] == (
        command("gateway", "config", "nginx", **settings).out
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["apache"], "name one of nginx, caddy, haproxy, envoy, traefik"),
        (["nginx", "--file", "scopekey.lua"], "it has nginx.conf"),
        (["nginx", "--api", "http://127.0.0.1:8000; return 200"], "is no address"),
        (["nginx", "--listen", "unix:/run/x"], "listens on host:port"),
        (["traefik", "--gateway", "unix:/run/x"], "Traefik cannot ask"),
    ],
)
def test_what_it_cannot_do_is_said_in_a_line(command, words, said):
    code, out, err = command("gateway", "config", *words)
    assert (2, "") == (code, out)
    assert said in err
    assert 1 == err.count("\n")


def test_the_gateway_itself_is_still_a_command(command):
    ended = command("gateway")
    assert 2 == ended.code
    assert "upstream" in ended.err


CHECKS = {
    "nginx": ["-t", "-q", "-e", "{}/nginx.log", "-c", "{}/nginx.conf"],
    "caddy": ["validate", "--adapter", "caddyfile", "--config", "{}/Caddyfile"],
    "haproxy": ["-c", "-q", "-f", "{}/haproxy.cfg"],
}


@pytest.mark.parametrize(
    "addresses",
    [
        [],
        ["--api", "unix:/tmp/api.sock", "--gateway", "unix:/tmp/check.sock"],
        ["--api", "http://[::1]:8000", "--gateway", "http://localhost:8700", "--listen", "[::1]:8080"],
    ],
    ids=["usual", "sockets", "IPv6"],
)
@pytest.mark.parametrize("proxy", CHECKS)
def test_the_proxy_itself_takes_it(command, folder, monkeypatch, proxy, addresses):
    found = program(proxy)
    if found is None:
        pytest.skip(f"{proxy} is not installed on this machine")
    for name in configuration(proxy, USUAL):
        printed = command("gateway", "config", proxy, "--state", folder, "--file", name, *addresses)
        Path(folder, name).write_text(printed.out)
    monkeypatch.setenv("HOME", str(folder))
    checked = subprocess.run(
        [found, *(word.format(folder) for word in CHECKS[proxy])],
        text=True,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert 0 == checked.returncode, checked.stderr
