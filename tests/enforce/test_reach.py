"""A caller that names where it has been is not answered from before it, and nobody else is held back."""

import asyncio
import time

import pytest

from scopekey.enforce.asgi import ScopekeyMiddleware
from scopekey.testing import Keys
from tests.enforce.test_asgi import RULES, App, call

FEED = "testing"


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", rules=RULES)


def ask(keys, secret, *positions, meanwhile=None):
    """One request that names positions; `meanwhile` happens while it is held back."""
    app = App()
    middleware = ScopekeyMiddleware(app, keys, RULES)
    headers = [(b"scopekey-position", position.encode()) for position in positions]

    async def both():
        answered = asyncio.to_thread(call, middleware, b"/datasets/1", secret, headers=headers)
        task = asyncio.create_task(answered)
        await asyncio.sleep(0.03)
        if meanwhile:
            meanwhile()
        return await task

    began = time.monotonic()
    status, told, _ = asyncio.run(both())
    return status, told.get(b"scopekey-code", b"").decode(), time.monotonic() - began


def position(keys, ahead=0):
    return f"{FEED}-{keys.index.place().position + ahead}"


def test_a_position_that_was_reached_holds_nobody_back(keys):
    secret = keys.add("datasets:read")
    assert (200, "") == ask(keys, secret, position(keys))[:2]


def test_a_call_waits_for_the_position_and_is_decided_after_it(keys):
    secret = keys.add("datasets:read")
    status, code, _ = ask(keys, secret, position(keys, 1), meanwhile=lambda: keys.revoke(secret))
    assert (401, "revoked_key") == (status, code), "the control: without waiting it would have been allowed"


def test_a_position_that_does_not_come_is_a_503_after_a_while_and_is_recorded(keys):
    secret = keys.add("datasets:read")
    status, code, took = ask(keys, secret, position(keys, 1))
    assert (503, "stale_replica") == (status, code)
    assert 0.25 <= took < 5
    event = keys.events[-1]
    assert (keys.key(secret).id, False, "GET /datasets/{id}") == (
        event.decision.key_id,
        event.proceeds,
        event.operation,
    )


@pytest.mark.parametrize("told", [["another-99"], ["nonsense"], ["testing-"], ["testing-99", "testing-99"], []])
def test_what_is_no_position_of_this_feed_is_ignored(keys, told):
    secret = keys.add("datasets:read")
    assert (200, "") == ask(keys, secret, *told)[:2]


def test_a_key_whose_secret_does_not_match_makes_nobody_wait(keys, monkeypatch):
    async def refuse(_):
        raise AssertionError("somebody waited")

    secret = keys.add("datasets:read")
    wrong = secret[:-7] + ("0" if secret[-7] != "0" else "1") + secret[-6:]
    monkeypatch.setattr("scopekey.enforce.reach.asyncio.sleep", refuse)
    app = App()
    middleware = ScopekeyMiddleware(app, keys, RULES)
    header = [(b"scopekey-position", position(keys, 5).encode())]
    for presented in (wrong, "nonsense", None):
        assert 401 == call(middleware, b"/datasets/1", presented, headers=header)[0]
    assert not app.calls


def test_a_public_operation_is_open_whatever_the_caller_waits_for(keys):
    header = [(b"scopekey-position", position(keys, 5).encode())]
    assert 200 == call(ScopekeyMiddleware(App(), keys, RULES), b"/open", keys.add("datasets:read"), headers=header)[0]
