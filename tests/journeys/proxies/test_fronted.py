"""Promise: behind each proxy, with the configuration as printed, the API sees only what was let through, and whose."""

import pytest

pytestmark = pytest.mark.journey

IDENTITY = ("scopekey-key-id", "scopekey-organization", "scopekey-environment", "scopekey-used")


def test_an_allowed_call_arrives_with_who_calls(asked):
    secret = asked.keys.add("datasets:read")
    answer = asked.send("GET /datasets/1?page=2", key=secret)
    assert (200, b"served") == (answer.status, answer.body)
    key = asked.keys.key(secret)
    told = [value.decode() for name in IDENTITY for value in asked.seen.all(name)]
    assert [key.id, key.organization, "live", "datasets:read"] == told
