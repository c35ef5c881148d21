"""Every configuration is complete for every kind of address, and says of every proxy what its contract needs."""

import json
import re
from pathlib import Path

import pytest
import yaml

from scopekey.gateway.proxies.address import Address
from scopekey.gateway.proxies.configure import PROXIES, Places, configuration

CONTRACTS = Path(__file__).parents[4] / "shared" / "reference" / "http-contracts.json"
IDENTITY = {"scopekey-key-id", "scopekey-organization", "scopekey-environment", "scopekey-used"}
TCP = Places(
    Address.parse("http://127.0.0.1:8000"), Address.parse("http://127.0.0.1:8700"), Address.listen("[::1]:8080")
)
SOCKETS = TCP._replace(api=Address.parse("unix:/run/api.sock"), gateway=Address.parse("unix:/run/check.sock"))


def everything(proxy, places=TCP):
    return "\n".join(configuration(proxy, places).values())


def without_comments(text):
    return re.sub(r"^\s*(#|--).*$", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("places", [TCP, SOCKETS], ids=["tcp", "sockets"])
@pytest.mark.parametrize("proxy", PROXIES)
def test_every_slot_is_filled(proxy, places):
    if proxy == "traefik" and places is SOCKETS:
        pytest.skip("Traefik asks over TCP only")
    text = everything(proxy, places)
    assert "<<" not in text
    for address in (places.api, places.gateway):
        assert (address.path or str(address.port)) in without_comments(text)


@pytest.mark.parametrize("proxy", PROXIES)
def test_every_configuration_says_who_calls_and_keeps_the_key(proxy):
    text = without_comments(everything(proxy)).lower()
    said = IDENTITY if proxy != "traefik" else {"^scopekey-"}
    assert all(name in text for name in said)
    assert {"authorization", "x-api-key", "scopekey-position"} <= set(re.findall(r"[a-z][a-z-]+", text))


def test_traefik_is_told_that_it_cannot_ask_a_socket():
    with pytest.raises(ValueError, match=r"unix:/run/check.sock is a Unix socket.*http://host:port"):
        configuration("traefik", TCP._replace(gateway=SOCKETS.gateway))


@pytest.mark.parametrize("state", ["relative", "/a b", "/a;b", "/a\n"])
def test_a_folder_of_odd_characters_is_refused(state):
    with pytest.raises(ValueError, match="is no folder"):
        configuration("nginx", TCP._replace(state=state))


def test_nginx_keeps_its_files_where_it_is_told():
    kept = configuration("nginx", TCP._replace(state="/srv/proxy"))["nginx.conf"]
    assert re.findall(r"^\s*(\w+) /srv/proxy/", kept, re.MULTILINE) == [
        "pid",
        "error_log",
        *(f"{kind}_temp_path" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")),
    ]
    assert "temp_path" not in configuration("nginx", TCP)["nginx.conf"]


def test_nginx_hands_the_raw_target_on():
    passed = re.findall(r"proxy_pass (\S+);", configuration("nginx", TCP)["nginx.conf"])
    # A name, whose path is the client's: one behind it would be what nginx makes of that.
    assert ["http://scopekey/check/nginx", "http://$sk_api"] == passed


needs_contracts = pytest.mark.skipif(
    not CONTRACTS.exists(), reason="the shared references are not in a clone of the repository alone"
)


def envoy():
    [listener] = yaml.safe_load(configuration("envoy", TCP)["envoy.yaml"])["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return manager, {one["name"].rpartition(".")[2]: one["typed_config"] for one in manager["http_filters"]}


@needs_contracts
def test_envoy_is_configured_as_its_contract_says():
    contract = json.loads(CONTRACTS.read_text())["forward_auth"]["envoy_ext_authz_http"]
    manager, filters = envoy()
    check = filters["ext_authz"]
    assert "failure_mode_allow default false" in contract["outage"]
    assert (False, "ServiceUnavailable") == (check["failure_mode_allow"], check["status_on_error"]["code"])
    assert contract["path"].startswith("path_prefix + original :path")
    assert "/ext_authz" == check["http_service"]["path_prefix"]
    asked = re.findall(r"normalize_path|merge_slashes|path_with_escaped_slashes_action", str(contract["notes"]))
    assert set(asked) <= set(manager)
    assert manager["path_with_escaped_slashes_action"] in {"REJECT_REQUEST", "UNESCAPE_AND_REDIRECT"}


def test_envoy_strips_before_the_check_and_the_key_after_it():
    manager, filters = envoy()
    assert ["header_mutation", "ext_authz", "router"] == list(filters)
    removed = {one["remove"] for one in filters["header_mutation"]["mutations"]["request_mutations"]}
    assert removed >= IDENTITY
    check = filters["ext_authz"]["http_service"]["authorization_response"]
    assert IDENTITY == {one["exact"] for one in check["allowed_upstream_headers"]["patterns"]}
    # What the router removes would be gone after the check: never what the check has just set.
    assert {"authorization", "x-api-key", "scopekey-position"} == set(
        manager["route_config"]["request_headers_to_remove"]
    )


def test_envoy_knows_which_addresses_are_looked_up():
    named = TCP._replace(api=Address.parse("api.internal:80"), gateway=SOCKETS.gateway)
    clusters = yaml.safe_load(configuration("envoy", named)["envoy.yaml"])["static_resources"]["clusters"]
    assert {"scopekey": "STATIC", "api": "STRICT_DNS"} == {one["name"]: one["type"] for one in clusters}


@needs_contracts
def test_traefik_is_configured_as_its_contract_says():
    contract = json.loads(CONTRACTS.read_text())["forward_auth"]["traefik_forwardauth"]
    files = configuration("traefik", TCP)
    static, routed = (yaml.safe_load(text) for text in files.values())
    assert list(files)[1] == static["providers"]["file"]["filename"]
    assert static["entryPoints"]["api"]["forwardedHeaders"]["insecure"] is False
    check = routed["http"]["middlewares"]["scopekey"]["forwardAuth"]
    assert {"X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-For"} <= set(contract["headers_in"])
    assert "http://127.0.0.1:8700/check/forwarded" == check["address"]
    assert "trustForwardHeader default false" in contract["notes"][0]
    assert check["trustForwardHeader"] is False
    assert "authResponseHeadersRegex strips matching client headers first" in contract["notes"][1]
    assert all(re.match(check["authResponseHeadersRegex"], name.title()) for name in IDENTITY)
    assert ["forged", "scopekey", "key"] == routed["http"]["routers"]["api"]["middlewares"]
