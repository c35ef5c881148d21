"""nginx's door: only 401 and 403 leave it as a no, and what the client should get is told in header fields."""

import json

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.enforce.doors import haproxy, nginx
from scopekey.testing import Keys
from tests.contract.door import CheckContract, request
from tests.contract.door_check import Unasked
from tests.contract.door_drivers import over_asgi
from tests.enforce.doors.told import ToldInFields, ToldOneAddress, door_of, original


class TestNginx(ToldInFields, ToldOneAddress, CheckContract):
    narrow = True

    def check(self, keys):
        return door_of(nginx, keys, only_401_and_403=True)

    def tell(self, asked):
        return original(nginx.PATH, asked)

    def test_a_yes_says_that_it_is_scopekeys(self, door, secret):
        for asked in (request(secret=secret), request(target=b"/open")):
            assert (200, "200") == (door(asked).status, door(asked).field("scopekey-status"))

    def test_the_document_is_the_one_that_other_proxies_pass_on(self, keys, door, secret):
        keys.journal_fails = True
        asked = request(secret=secret, headers=[(b"X-Request-Id", b"same")])
        answer, plain = door(asked), over_asgi(door_of(haproxy, keys), Unasked())(original(haproxy.PATH, asked))
        assert (403, "503", 503) == (answer.status, answer.field("scopekey-status"), plain.status)
        assert plain.body.decode() == answer.field("scopekey-problem")


def refused_for_want_of(*alternatives):
    """What nginx is told where an operation needs one of these sets, of permissions numbered so."""
    keys = Keys(*(f"resource_{number:03}:write" for number in range(100)))
    needed = Requirement(
        tuple(tuple(Permission(f"resource_{number:03}", "write") for number in numbers) for numbers in alternatives)
    )
    keys.apply_rules(Rules((Rule(Operation.parse("GET /datasets/{id}"), needed),)))
    return dict(TestNginx().ask_as(keys, request(secret=keys.add())).headers)


def test_a_document_that_is_not_ascii_is_told_in_escapes():
    catalog = Catalog("c", (Resource("datasets", "Données", "Data", ("read", "write")),), levels=("read", "write"))
    keys = Keys(catalog=catalog)
    keys.apply_rules(
        Rules((Rule(Operation.parse("GET /datasets/{id}"), Requirement.all_of(Permission("datasets", "read"))),))
    )
    told = dict(TestNginx().ask_as(keys, request(secret=keys.add())).headers)[b"scopekey-problem"]
    assert told.isascii()
    assert "Read Données" in json.loads(told)["detail"]


def test_a_document_that_is_too_long_for_a_field_is_told_without_its_lists():
    fields = refused_for_want_of(*([number] for number in range(100)))
    told = json.loads(fields[b"scopekey-problem"])
    assert ("missing_permission", False, False) == (told["code"], "required" in told, "missing" in told)
    assert b"resource_000:write" == fields[b"scopekey-missing"]


def test_a_document_that_is_too_long_all_the_same_is_not_told():
    fields = refused_for_want_of(range(100))
    assert (b"401", False) == (fields[b"scopekey-status"], b"scopekey-problem" in fields)
    assert 100 == len(fields[b"scopekey-missing"].split(b", "))
