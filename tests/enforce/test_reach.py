"""Who is not held back, whatever position they name; who is, is tried on every adapter and door by the contract."""

import pytest

from scopekey.enforce.asgi import ScopekeyMiddleware
from scopekey.testing import Keys
from tests.enforce.test_asgi import RULES, App, call

FEED = "testing"


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write", rules=RULES)


def position(keys, ahead=0):
    return f"{FEED}-{keys.index.place().position + ahead}"


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
