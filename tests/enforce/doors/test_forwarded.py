"""The door of Caddy and Traefik, which tell a request in `X-Forwarded-*`."""

from scopekey.enforce.doors import forwarded
from tests.contract.door import CheckContract, Request
from tests.enforce.doors.told import PROXY, ToldAddresses, ToldInFields, door_of


class TestForwarded(ToldInFields, ToldAddresses, CheckContract):
    def check(self, keys):
        return door_of(forwarded, keys)

    def tell(self, asked):
        told = (
            (b"X-Forwarded-Method", asked.method.encode()),
            (b"X-Forwarded-Uri", asked.target),
            (b"X-Forwarded-For", asked.client.encode()),
        )
        return Request("GET", forwarded.PATH.encode() + b"?uri=/open", (*told, *asked.headers), b"", PROXY)
