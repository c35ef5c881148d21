"""Envoy's door reads the request line behind its prefix, and nothing else but the list of addresses."""

import pytest

from scopekey.enforce.doors import envoy
from scopekey.testing import Keys
from tests.enforce.doors.asking import IDENTITY, ask
from tests.enforce.doors.test_check import RULES


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", rules=RULES)


def asked(keys, method, target, *more, clients="192.0.2.1", secret=None):
    headers = [("X-Forwarded-For", clients), *more] if clients else list(more)
    headers.append(("Authorization", f"Bearer {secret or keys.add('datasets:read')}"))
    return ask(keys, envoy, envoy.PREFIX + target, headers, method)


def test_the_request_line_behind_the_prefix_is_decided(keys):
    status, told, body = asked(keys, "GET", "/datasets/7?limit=/../x")
    assert (200, b"", True) == (status, body, all(told[name] for name in IDENTITY))
    assert ("GET /datasets/{id}", "7") == (keys.events[-1].operation, keys.events[-1].object)
    status, told, body = asked(keys, "POST", "/datasets")
    assert (401, "missing_permission") == (status, told["scopekey-code"])
    assert b'"missing":["datasets:write"]' in body


@pytest.mark.parametrize(
    "target", ["/datasets/%2e%2e/open", "//open", "/datasets/7;x", "/a%2Fb", "", "open", "%2Fopen"]
)
def test_the_target_is_taken_as_it_came(keys, target):
    status, told, _ = asked(keys, "GET", target)
    assert (400, "unreadable_target") == (status, told["scopekey-code"])


def test_a_refusal_of_head_has_no_body(keys):
    status, told, body = asked(keys, "HEAD", "/nowhere")
    assert (401, "unlisted_operation", b"") == (status, told["scopekey-code"], body)


def test_the_list_of_addresses_must_be_there_once(keys):
    assert 400 == asked(keys, "GET", "/datasets/7", clients=None)[0]
    assert 400 == asked(keys, "GET", "/datasets/7", ("X-Forwarded-For", "192.0.2.1"))[0]


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Uri", "X-Original-URI", "X-Envoy-Original-Path", "X-HTTP-Method-Override"]
)
def test_other_fields_that_name_a_request_are_not_looked_at(keys, name):
    assert 200 == asked(keys, "GET", "/datasets/7", (name, "POST"))[0]
