"""What leaves a client and what it remembers, for both: nothing is lost, repeated or kept that should not be."""

import logging
import pickle
import subprocess
import sys

import pytest

from scopekey.client import (
    AsyncScopekeyClient,
    ConfigurationError,
    ScopekeyClient,
    ScopekeyError,
    UnreachableError,
)
from tests.client.telling import KEY, Told, refusal


def refused(drive, url, do):
    with pytest.raises(ConfigurationError) as caught:
        drive(url)(do)
    return caught.value.code


def test_a_paths_own_query_stays_beside_the_parameters(server, drive):
    drive(server.url)(lambda c: c.request("GET", "/things?a=1&b=x%20y", params={"a": 2, "c": ["3", "4"]}))
    ((_, path, _),) = server.heard
    assert "/things?a=1&a=2&b=x+y&c=3&c=4" == path


@pytest.mark.parametrize(
    "headers", [{"x": "a\r\nAuthorization: Bearer b"}, {"x": "a\x00"}, {"x": "é"}, {"x y": "a"}, {"": "a"}, {"x": " a"}]
)
def test_a_header_field_that_cannot_be_sent_is_refused_before_anything_is(server, drive, headers):
    server.tell(Told())
    assert "bad_request" == refused(drive, server.url, lambda c: c.request("GET", "/", headers=headers))
    with pytest.raises(ConfigurationError):
        drive(server.url, headers=headers)
    assert [] == server.heard


def test_an_idempotency_key_that_cannot_be_sent_is_refused_too(server, drive):
    given = {"name": "a", "permissions": [], "idempotency_key": "a\nb"}
    assert "bad_request" == refused(drive, server.url, lambda c: c.create_key(**given))


def test_a_cookie_is_not_kept_for_the_next_call_which_may_be_another_keys(server, drive):
    server.tell(Told(headers={"set-cookie": "session=1; path=/"}))
    driven = drive(server.url)
    for _ in range(2):
        driven(lambda c: c.request("GET", "/"))
    assert [None, None] == [heard.get("Cookie") for _, _, heard in server.heard]


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        (["feed-7", "feed-5"], "feed-7"),
        (["feed-7", "feed-10"], "feed-10"),
        (["feed-7", "other-1"], "other-1"),
        (["feed-7", "nonsense"], "feed-7"),
        (["ä-7"], None),
    ],
)
def test_the_furthest_position_of_a_feed_is_the_one_that_is_sent(server, drive, told, sent):
    server.tell(*(Told(headers={"scopekey-position": one}) for one in told), Told())
    driven = drive(server.url)
    for _ in range(len(told) + 1):
        driven(lambda c: c.request("GET", "/"))
    assert sent == server.heard[-1][2].get("Scopekey-Position")


def test_an_answer_that_is_not_scopekeys_came_and_is_not_asked_for_again(server, drive):
    server.tell(Told(200, "<html>a page of somebody else's</html>"))
    with pytest.raises(UnreachableError, match="no answer of Scopekey's") as caught:
        drive(server.url)(lambda c: c.whoami())
    assert (1, 200, None) == (len(server.heard), caught.value.status, caught.value.__context__)


@pytest.mark.parametrize("path", ["../../keys", "tile/../key", "tile//0", "tile/./0", ""])
def test_a_tile_is_below_the_log(server, drive, path):
    assert "bad_request" == refused(drive, server.url, lambda c: c.show_tile(path))
    assert [] == server.heard


def test_what_nobody_offers_is_not_taken_in_silence(server, drive):
    with pytest.raises(TypeError, match="timout"):
        drive(server.url, timout=5)
    with pytest.raises(TypeError, match="stauts"):
        drive(server.url).all(lambda c: c.list_keys(stauts="revoked"))
    with pytest.raises(TypeError, match="actoin"):
        drive(server.url).all(lambda c: c.search_log(actoin="key.revoke"))
    with pytest.raises(TypeError, match="sicne"):
        drive(server.url).all(lambda c: c.export_log(sicne="7d"))
    assert [] == server.heard


@pytest.mark.parametrize("kind", [ScopekeyClient, AsyncScopekeyClient])
@pytest.mark.parametrize(
    ("key", "options", "code"),
    [(KEY, {}, "no_address"), (None, {"environment": "https://api.example.com"}, "bad_api_key")],
)
def test_what_is_left_out_is_named(kind, key, options, code):
    with pytest.raises(ConfigurationError) as caught:
        kind(key, **options)
    assert code == caught.value.code


@pytest.mark.parametrize("field", ["Mon, 16 Nov 2009 13:32:02 +99999999999999999999", "-5", "soon", "1e3", "²"])
def test_a_retry_after_that_says_nothing_is_not_kept_to(server, drive, field):
    server.tell(Told(503, "", {"retry-after": field}), Told())
    driven = drive(server.url)
    driven(lambda c: c.request("GET", "/"))
    assert [0.25] == driven.waited


@pytest.mark.parametrize(
    "told",
    [
        refusal("missing_permission", 401, missing=["a:b"]),
        refusal("rate_limited", 429, {"retry-after": "7"}),
        refusal("unknown_key", 401),
        Told(404, "nothing"),
        Told(broken=True),
    ],
    ids=["missing", "limited", "unknown", "the platform's", "none"],
)
def test_an_error_can_be_handed_to_another_process(server, drive, told):
    server.tell(told)
    with pytest.raises(ScopekeyError) as caught:
        drive(server.url, retries=0)(lambda c: c.request("GET", "/"))
    error, again = caught.value, pickle.loads(pickle.dumps(caught.value))
    assert (type(error), str(error), vars(error)) == (type(again), str(again), vars(again))


@pytest.mark.parametrize(
    ("told", "message"),
    [(Told(broken=True), "did not answer"), (Told(broken_off=True), "the answer broke off")],
    ids=["no answer", "half an answer"],
)
def test_an_export_that_does_not_end_is_told_without_the_request_and_its_key(server, drive, told, message):
    server.tell(told)
    with pytest.raises(UnreachableError, match=message) as caught:
        drive(server.url).all(lambda c: c.export_log())
    assert (1, None, None) == (len(server.heard), caught.value.__context__, caught.value.__cause__)


def test_an_export_is_logged_with_the_time_it_took(server, drive, caplog):
    caplog.set_level(logging.INFO, "scopekey")
    server.tell(Told(200, "{}\n"))
    drive(server.url, verbose=True).all(lambda c: c.export_log(key="key_1"))
    ((_, _, line),) = caplog.record_tuples
    assert line.startswith(f"GET {server.url}/v1/audit/export 200, ")
    assert 60_000 > int(line.removesuffix(" ms").rpartition(" ")[2])


def test_the_client_is_imported_without_anything_of_a_server():
    found = "import sys, scopekey.client; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True).stdout.split()
    assert set() == {"sqlalchemy", "fastapi", "starlette", "uvicorn", "lmdb", "typer"} & set(modules)
