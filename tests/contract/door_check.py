"""Doors: a proxy asks about a request it holds, and hands on what it is answered."""

import json

import pytest

from scopekey.core.rules import Rules
from tests.contract.door_all import DoorContract
from tests.contract.door_drivers import over_asgi
from tests.contract.door_exchange import RULES, Seen, request
from tests.contract.door_position import Waits

IDENTITY = (b"scopekey-key-id", b"scopekey-organization", b"scopekey-environment", b"scopekey-used")

OF_OTHER_DOORS = [
    (b"x-original-method", b"POST"),
    (b"x-original-uri", b"/nowhere"),
    (b"x-original-client", b"198.51.100.1"),
    (b"x-forwarded-method", b"POST"),
    (b"x-forwarded-uri", b"/nowhere"),
    (b"x-forwarded-for", b"198.51.100.1"),
    (b"x-original-url", b"/nowhere"),
    (b"x-envoy-original-path", b"/nowhere"),
    (b"x-http-method-override", b"POST"),
    (b"forwarded", b"for=198.51.100.1"),
]
"""All that some proxy tells a request in; a door looks at its own only."""


class CheckContract(Waits, DoorContract):
    """A door that a proxy asks about a request it holds. `check` is the door, `tell` what the proxy sends it.

    The proxy of this suite does what ours are configured to: where the answer is 200 the request goes on,
    with the identity fields of the answer in place of the client's.
    """

    narrow = False
    """True where only 401 and 403 leave, with the answer that is meant in header fields."""

    def check(self, keys):
        raise NotImplementedError

    def tell(self, asked):
        """The request of the proxy about the one it holds."""
        raise NotImplementedError

    def serve(self, keys, upstream, *, cors_preflight=False):
        if cors_preflight:
            keys.apply_rules(Rules(RULES.rules, cors_preflight=True))
        ask = over_asgi(self.check(keys), Unasked())

        def send(asked):
            answer = ask(self.tell(asked))
            if answer.status == 200:
                fields = dict(answer.headers)
                who = [fields[name].decode() for name in IDENTITY]
                upstream.seen.append(Seen(asked.method, asked.target.partition(b"?")[0].decode(), *who))
            return answer

        return send

    def leaving(self, status):
        return 403 if self.narrow and status not in {401, 403} else status

    def told(self, answer):
        if not self.narrow:
            return super().told(answer)
        assert (b"", "0") == (answer.body, answer.field("content-length"))
        told = answer.field("scopekey-problem")
        assert told.isascii()
        assert len(told) <= 2048
        return int(answer.field("scopekey-status")), json.loads(told)

    def test_who_is_let_through_is_told_in_four_fields_and_nothing_else_is_said(self, keys, door, secret):
        for target, presented in ((b"/datasets/7", secret), (b"/open", None), (b"/open", "nonsense")):
            answer = door(request(target=target, secret=presented))
            named = {name for name, _ in answer.headers}
            assert (200, b"", "0") == (answer.status, answer.body, answer.field("content-length"))
            assert {name.decode() for name in IDENTITY} <= named
            told = {"scopekey-requires"} if presented == secret else set()
            told |= {"scopekey-status"} if self.narrow else set()
            assert told | {"content-length", "x-request-id"} == named - {name.decode() for name in IDENTITY}

    def test_a_refusal_names_nobody(self, door, secret):
        answer = door(request(target=b"/nowhere", secret=secret))
        assert not {name.decode() for name in IDENTITY} & {name for name, _ in answer.headers}

    @pytest.mark.parametrize(("peer", "trusted"), [("127.0.0.9", True), ("192.0.2.1", False), (None, True)])
    def test_only_a_trusted_proxy_is_answered_and_a_unix_socket_is_one(self, keys, secret, peer, trusted):
        answer = self.ask_as(keys, request(secret=secret), client=(peer, 1) if peer else None)
        expected = (200, None) if trusted else (403, "untrusted_proxy")
        code = dict(answer.headers).get(b"scopekey-code")
        assert expected == (answer.status, code and code.decode())
        assert trusted is bool(keys.events), "who is not answered is not recorded either"

    def test_the_doors_own_query_is_not_looked_at(self, keys, secret):
        assert 200 == self.ask_as(keys, request(secret=secret), query_string=b"target=/nowhere&method=POST").status

    def test_a_key_that_is_bound_to_networks_is_checked_against_the_address_that_the_proxy_saw(self, keys, door):
        secret = keys.add("datasets:read", networks=["192.0.2.0/24"])
        assert 200 == door(request(secret=secret, client="192.0.2.1")).status
        for client in ("198.51.100.1", "", "unknown"):
            assert "address_not_allowed" == door(request(secret=secret, client=client)).field("scopekey-code")

    def test_a_field_of_the_request_that_is_not_there_exactly_once_is_refused(self, keys, secret):
        asked = self.tell(request(secret=secret))
        told = [field for field in asked.headers if field[0].lower().startswith(b"x-")]
        assert told, "a proxy tells at least the address in a field"
        for one in told:
            without = tuple(field for field in asked.headers if field != one)
            for headers in (without, (*asked.headers, one)):
                answer = self.ask_as(keys, asked._replace(headers=headers), tell=False)
                assert self.leaving(400) == answer.status
                assert b"unreadable_target" == dict(answer.headers)[b"scopekey-code"]

    def test_fields_of_other_doors_are_not_looked_at(self, keys, secret):
        asked = self.tell(request(secret=secret))
        own = {name.lower() for name, _ in asked.headers}
        strange = [(name, value) for name, value in OF_OTHER_DOORS if name not in own]
        assert 200 == self.ask_as(keys, asked._replace(headers=(*asked.headers, *strange)), tell=False).status

    def ask_as(self, keys, asked, *, tell=True, **scope):
        """Ask the door with a scope that is changed."""
        door = self.check(keys)

        async def app(given, receive, send):
            await door(given | scope, receive, send)

        return over_asgi(app, Unasked())(self.tell(asked) if tell else asked)


class Unasked:
    """Stands where a driver tells an application what happens: a check has no body to be read."""

    begun = False

    def left(self, chunk):
        pass

    @property
    def log(self):
        raise AssertionError("a check has no body to be read")
