"""The doors that a proxy asks: each is told of a request in its own way, and does what all of them do."""

import pytest

from scopekey.enforce.doors import envoy, forwarded, haproxy, nginx
from scopekey.enforce.doors.check import CheckDoor
from scopekey.settings import LOOPBACK
from tests.contract.door import CheckContract, Request, request

PROXY = "127.0.0.1"


def original(asked):
    """A request as a configuration tells it in `X-Original-*`."""
    told = (
        (b"X-Original-Method", asked.method.encode()),
        (b"X-Original-URI", asked.target),
        (b"X-Original-Client", asked.client.encode()),
    )
    return Request("GET", b"/check/nginx", (*told, *asked.headers), b"", PROXY)


class OfMethods:
    """A door that is told the method in a field."""

    @pytest.mark.parametrize("method", ["get", "GET, POST", "", "GET POST", "GET\x00"])
    def test_what_is_no_method_makes_the_request_unreadable(self, keys, door, secret, method):
        answer = door(request(method, secret=secret))
        assert (self.leaving(400), "unreadable_target") == (answer.status, answer.field("scopekey-code"))


class OfOneAddress:
    """A door that is told one address, not a list."""

    def test_two_addresses_are_none(self, keys, door):
        secret = keys.add("datasets:read", networks=["192.0.2.0/24"])
        answer = door(request(secret=secret, client="192.0.2.1, 192.0.2.2"))
        assert (401, "address_not_allowed") == (answer.status, answer.field("scopekey-code"))


class OfManyAddresses:
    """A door that is told a list: the caller is the first from the right that is no trusted proxy."""

    @pytest.mark.parametrize(
        ("expected", "told"),
        [
            (200, "192.0.2.1"),
            (200, "198.51.100.1, 192.0.2.1"),
            (200, "192.0.2.1, 127.0.0.1"),
            (401, "192.0.2.1, 198.51.100.1"),
            (401, "192.0.2.1, unknown"),
            (401, "192.0.2.1,"),
        ],
    )
    def test_the_caller_is_the_first_from_the_right_that_is_no_proxy(self, keys, door, expected, told):
        secret = keys.add("datasets:read", networks=["192.0.2.0/24"])
        assert expected == door(request(secret=secret, client=told)).status


class TestNginx(OfMethods, OfOneAddress, CheckContract):
    narrow = True

    def check(self, keys):
        return CheckDoor(keys, nginx.read, fields=nginx.FIELDS, trusted_proxies=LOOPBACK, only_401_and_403=True)

    def tell(self, asked):
        return original(asked)


class TestHaproxy(OfMethods, OfOneAddress, CheckContract):
    def check(self, keys):
        return CheckDoor(keys, haproxy.read, fields=haproxy.FIELDS, trusted_proxies=LOOPBACK)

    def tell(self, asked):
        return original(asked)


class TestForwarded(OfMethods, OfManyAddresses, CheckContract):
    def check(self, keys):
        return CheckDoor(keys, forwarded.read, fields=forwarded.FIELDS, trusted_proxies=LOOPBACK)

    def tell(self, asked):
        told = (
            (b"X-Forwarded-Method", asked.method.encode()),
            (b"X-Forwarded-Uri", asked.target),
            (b"X-Forwarded-For", asked.client.encode()),
        )
        return Request("GET", b"/check/forwarded", (*told, *asked.headers), b"", PROXY)


class TestEnvoy(OfManyAddresses, CheckContract):
    def check(self, keys):
        return CheckDoor(keys, envoy.read, fields=envoy.FIELDS, trusted_proxies=LOOPBACK)

    def tell(self, asked):
        told = (b"X-Forwarded-For", asked.client.encode())
        return Request(asked.method, b"/ext_authz" + asked.target, (told, *asked.headers), b"", PROXY)

    def test_what_is_not_behind_the_prefix_is_unreadable(self, keys, secret):
        asked = self.tell(request(secret=secret))
        for target in (b"/datasets/7", b"/ext_authz", b"/%65xt_authz/datasets/7"):
            answer = self.ask_as(keys, asked._replace(target=target), tell=False)
            assert b"unreadable_target" == dict(answer.headers)[b"scopekey-code"]
