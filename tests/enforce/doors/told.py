"""How proxies tell a request in header fields, and what holds for each way of telling."""

import pytest

from scopekey.core.network import parse_network
from scopekey.enforce.doors.check import CheckDoor
from tests.contract.door import Request, request

PROXY = "127.0.0.1"
TRUSTED = (parse_network("127.0.0.0/8"), parse_network("10.0.0.0/8"))


def door_of(module, keys, **options):
    """The door of a module of `enforce.doors`."""
    return CheckDoor(keys, module.read, fields=module.FIELDS, trusted_proxies=TRUSTED, **options)


def original(path, asked):
    """A request as a configuration tells it in `X-Original-*`."""
    told = (
        (b"X-Original-Method", asked.method.encode()),
        (b"X-Original-URI", asked.target),
        (b"X-Original-Client", asked.client.encode()),
    )
    return Request("GET", path.encode(), (*told, *asked.headers), b"", PROXY)


class ToldInFields:
    """A door that is told method and target in fields."""

    @pytest.mark.parametrize("method", ["get", "GET, POST", "GET,POST", "", "GET POST", "GET\x00"])
    def test_what_is_no_method_makes_the_request_unreadable(self, door, secret, method):
        answer = door(request(method, secret=secret))
        assert (self.leaving(400), "unreadable_target") == (answer.status, answer.field("scopekey-code"))

    def test_a_target_may_hold_a_comma(self, door, secret):
        assert ["a,b"] == [event.object for event in door(request(target=b"/datasets/a,b", secret=secret)).records]

    def test_an_empty_target_is_unreadable(self, door, secret):
        assert "unreadable_target" == door(request(target=b"", secret=secret)).field("scopekey-code")


class ToldOneAddress:
    """A door that is told one address, not a list."""

    def test_two_addresses_are_none(self, keys, door):
        secret = keys.add("datasets:read", networks=["192.0.2.0/24"])
        answer = door(request(secret=secret, client="192.0.2.1, 192.0.2.2"))
        assert (401, "address_not_allowed") == (answer.status, answer.field("scopekey-code"))


class ToldAddresses:
    """A door that is told a list of addresses."""

    @pytest.mark.parametrize(
        ("address", "told"),
        [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1", "198.51.100.7, 192.0.2.1"),
            ("192.0.2.1", "192.0.2.1, 10.0.0.3"),
            ("192.0.2.1", "192.0.2.1,10.0.0.3 ,127.0.0.1"),
            ("10.0.0.3", "10.0.0.3, 127.0.0.1"),
            ("192.0.2.1", "::ffff:192.0.2.1"),
            ("192.0.2.1", "nonsense, 192.0.2.1"),
            (None, "192.0.2.1, nonsense"),
            (None, "192.0.2.1:80"),
            (None, "192.0.2.1,"),
            (None, ""),
            (None, ","),
        ],
    )
    def test_the_client_is_the_first_from_the_right_that_is_no_trusted_proxy(self, keys, door, address, told):
        secret = keys.add("datasets:read", networks=["192.0.2.0/24"])
        answer = door(request(secret=secret, client=told))
        assert [address] == [event.address for event in answer.records]
        assert (200 if address == "192.0.2.1" else 401) == answer.status
