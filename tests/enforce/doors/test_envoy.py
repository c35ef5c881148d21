"""Envoy's door reads the request line behind its prefix, and nothing else but the list of addresses."""

import pytest

from scopekey.enforce.doors import envoy
from tests.contract.door import CheckContract, Request, request
from tests.enforce.doors.told import PROXY, ToldAddresses, door_of


class TestEnvoy(ToldAddresses, CheckContract):
    def check(self, keys):
        return door_of(envoy, keys)

    def tell(self, asked):
        told = (b"X-Forwarded-For", asked.client.encode())
        return Request(asked.method, envoy.PREFIX.encode() + asked.target, (told, *asked.headers), b"", PROXY)

    @pytest.mark.parametrize("target", [b"/datasets/7", b"/ext_authz", b"/ext_authzopen", b"/%65xt_authz/datasets/7"])
    def test_what_is_not_behind_the_prefix_is_unreadable(self, keys, secret, target):
        asked = self.tell(request(secret=secret))._replace(target=target)
        answer = self.ask_as(keys, asked, tell=False)
        assert b"unreadable_target" == dict(answer.headers)[b"scopekey-code"]

    @pytest.mark.parametrize("target", [b"//open", b"open", b"%2Fopen", b"/%6fpen"])
    def test_the_target_is_taken_as_it_came(self, door, secret, target):
        assert "unreadable_target" == door(request(target=target, secret=secret)).field("scopekey-code")

    def test_a_refusal_of_head_has_no_body(self, door, secret):
        answer = door(request("HEAD", b"/nowhere", secret))
        assert (401, "unlisted_operation", b"") == (answer.status, answer.field("scopekey-code"), answer.body)
