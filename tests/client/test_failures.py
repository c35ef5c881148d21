"""Everything that can go wrong with a call, in both clients: what it is told as, and whether it is tried again."""

import asyncio
import logging
import re
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import get_args

import pytest

from scopekey.client import (
    ApiError,
    AsyncScopekeyClient,
    ConfigurationError,
    InvalidKeyError,
    MissingPermissionError,
    RateLimitedError,
    RequestRefusedError,
    ScopekeyError,
    ScopekeyFailure,
    UnavailableError,
    UnlistedOperationError,
    UnreachableError,
    UnreadableTargetError,
)
from scopekey.core.problem import PROBLEMS
from tests.client.telling import KEY, SECRET, Told, refusal


def failure(driven, method="GET", **options):
    with pytest.raises(ScopekeyError) as caught:
        driven(lambda client: client.request(method, "/things", **options))
    return caught.value


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("no_credential", 401, InvalidKeyError),
        ("unknown_key", 401, InvalidKeyError),
        ("address_not_allowed", 401, InvalidKeyError),
        ("missing_permission", 401, MissingPermissionError),
        ("missing_permission", 403, MissingPermissionError),
        ("unlisted_operation", 401, UnlistedOperationError),
        ("unreadable_target", 400, UnreadableTargetError),
        ("version_conflict", 412, RequestRefusedError),
        ("untrusted_proxy", 403, RequestRefusedError),
        ("rate_limited", 429, RateLimitedError),
        ("journal_unavailable", 503, UnavailableError),
    ],
)
def test_a_refusal_is_raised_as_what_it_is(server, drive, code, status, kind):
    server.tell(refusal(code, status))
    error = failure(drive(server.url, retries=0))
    assert kind is type(error)
    assert (code, status, "req_1", "What happened.") == (error.code, error.status, error.request_id, str(error))


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_code_that_a_server_can_answer_with_has_its_type(server, drive, code):
    server.tell(refusal(code, PROBLEMS[code].status))
    error = failure(drive(server.url, retries=0))
    assert code == error.code
    assert type(error) in get_args(ScopekeyFailure)


def test_a_missing_permission_says_what_to_ask_for(server, drive):
    detail = (
        "This call needs Write Datasets (datasets:write) and Read Jobs (jobs:read); the key does not hold them. Ask."
    )
    more = {
        "detail": detail,
        "missing": ["datasets:write", "jobs:read"],
        "required": [["a:read"], ["b:read", "c:read"]],
        "operation": "GET /things",
        "key_id": "key_1",
    }
    server.tell(refusal("missing_permission", 401, **more))
    error = failure(drive(server.url))
    assert (("datasets:write", "jobs:read"), (("a:read",), ("b:read", "c:read")), "GET /things", "key_1") == (
        error.missing,
        error.required,
        error.operation,
        error.key_id,
    )
    assert "Ask for Write Datasets (datasets:write) and Read Jobs (jobs:read)." == error.ask


def test_a_refusal_whose_document_a_proxy_dropped_is_known_by_its_header_fields(server, drive):
    fields = {
        "scopekey-code": "missing_permission",
        "scopekey-missing": "a:read, b:read",
        "scopekey-requires": "a:read, b:read; c:read",
    }
    server.tell(Told(401, "", fields))
    error = failure(drive(server.url))
    assert (("a:read", "b:read"), (("a:read", "b:read"), ("c:read",))) == (error.missing, error.required)
    assert str(error).startswith("This call needs a:read and b:read; the key does not hold them.")


@pytest.mark.parametrize(
    ("told", "problem_code"),
    [
        (Told(404, "<h1>no such page</h1>"), None),
        (Told(302, "", {"location": "http://127.0.0.1:9/"}), None),
        (refusal("made_up_later", 401), "made_up_later"),
        (Told(400, "[", {"content-type": "application/problem+json"}), None),
        (Told(400, "[]", {"content-type": "application/problem+json"}), None),
    ],
    ids=["not found", "redirect", "unknown code", "no JSON", "no object"],
)
def test_what_is_no_refusal_of_ours_is_the_platforms_own_answer(server, drive, told, problem_code):
    server.tell(told)
    error = failure(drive(server.url))
    assert (ApiError, told.status, told.body, problem_code) == (
        type(error),
        error.status,
        error.body,
        error.problem_code,
    )
    assert 1 == len(server.heard)


@pytest.mark.parametrize(
    "row",
    [
        ("POST", refusal("rate_limited", 429, {"retry-after": "2"}), 3, [2.0, 2.0]),
        ("POST", Told(429), 3, [0.25, 0.5]),
        ("PATCH", refusal("stale_replica", 503), 3, [0.25, 0.5]),
        ("PUT", Told(502), 3, [0.25, 0.5]),
        ("POST", Told(502), 1, []),
        ("GET", Told(broken=True), 3, [0.25, 0.5]),
        ("POST", Told(broken=True), 1, []),
        ("GET", refusal("unavailable", 503, {"retry-after": "61"}), 1, []),
        ("GET", refusal("missing_permission", 401), 1, []),
        ("GET", Told(501), 1, []),
    ],
)
def test_what_may_be_repeated_is_tried_again_and_nothing_else(server, drive, row):
    method, told, tries, waited = row
    server.tell(told)
    driven = drive(server.url)
    failure(driven, method)
    assert (tries, waited) == (len(server.heard), driven.waited)


def test_a_call_with_an_idempotency_key_is_tried_again_always_with_the_same_one(server, drive):
    server.tell(Told(broken=True), Told(500), refusal("conflict", 409))
    with pytest.raises(RequestRefusedError):
        drive(server.url)(lambda client: client.create_key(name="a", permissions=[]))
    assert (3, 1) == (len(server.heard), len({heard["Idempotency-Key"] for _, _, heard in server.heard}))


def test_a_date_in_retry_after_is_waited_for(server, drive):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    server.tell(Told(503, "", {"retry-after": soon}), Told())
    driven = drive(server.url)
    driven(lambda client: client.request("GET", "/"))
    assert 15 < driven.waited[0] <= 20


def test_a_try_that_takes_too_long_is_told_as_such(server, drive):
    server.tell(Told(silent=True))
    error = failure(drive(server.url, retries=0), timeout=0.05)
    assert (UnreachableError, "timeout") == (type(error), error.code)


def test_the_newest_position_goes_with_the_calls_that_follow(server, drive):
    server.tell(Told(headers={"scopekey-position": "feed-7"}), Told())
    driven = drive(server.url)
    for _ in range(3):
        driven(lambda client: client.request("GET", "/"))
    assert [None, "feed-7", "feed-7"] == [heard.get("Scopekey-Position") for _, _, heard in server.heard]


def test_a_key_that_a_platform_repeats_does_not_get_into_the_error(server, drive):
    for told in (
        Told(500, f"what was sent: {KEY}", {"x-sent": KEY}),
        refusal("conflict", 409, detail=f"{KEY} again", field=KEY),
        refusal("made_up_later", 409, detail=KEY, key=KEY),
    ):
        server.tell(told)
        error = failure(drive(server.url, retries=0))
        shown = f"{error!r} {vars(error)}"
        assert "sck_live_canary000001…" in shown
        assert SECRET not in shown


def test_a_document_that_a_proxy_put_in_the_place_of_ours_does_not_hide_the_code(server, drive):
    fields = {"content-type": "application/problem+json", "scopekey-code": "missing_permission"}
    server.tell(Told(401, '{"code": "E1042", "detail": "no"}', fields | {"scopekey-missing": "a:read"}))
    error = failure(drive(server.url))
    assert (MissingPermissionError, ("a:read",)) == (type(error), error.missing)


def test_a_key_that_ends_soon_is_told_once_and_a_hook_that_fails_is_kept_from_the_call(server, drive):
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    ends = {"scopekey-key-expires": soon}
    server.tell(Told(headers=ends), refusal("missing_permission", 401, ends), Told())
    told = []

    def hook(expiry):
        told.append(expiry)
        raise RuntimeError

    driven = drive(server.url, on_key_expiring=hook)
    driven(lambda client: client.request("GET", "/"))
    failure(driven)
    ((key_id, remaining),) = [(one.key_id, one.remaining) for one in told]
    assert ("key_canary000001", True) == (key_id, timedelta(minutes=59) < remaining <= timedelta(hours=1))


def test_a_key_is_nowhere_but_in_its_header(server, drive, caplog):
    caplog.set_level(logging.DEBUG, "scopekey")
    driven = drive(server.url, verbose=True, timeout=0.05)
    shown = [repr(driven.client), str(driven.client), driven.client.get_api_key(), repr(driven.client._session.secret)]
    ends = {"scopekey-key-expires": "2020-01-01T00:00:00Z"}
    faults = (refusal("unknown_key", 401, ends), Told(broken=True), Told(silent=True), Told(500, "?"), Told(body="no"))
    for told in faults:
        server.tell(told)
        with pytest.raises(ScopekeyError) as caught:
            driven(lambda client: client.whoami())
        shown += traceback.format_exception(caught.value)
        shown += [repr(caught.value), repr(vars(caught.value)), repr(caught.value.__context__)]
    assert "/v1/whoami 401" in caplog.text
    assert "ends at 2020-01-01" in caplog.text
    assert SECRET not in "\n".join(shown) + caplog.text
    assert "sck_live_canary000001…" == driven.client.get_api_key()
    assert (KEY, f"Bearer {KEY}") == (
        driven.client.get_api_key(reveal=True),
        server.heard[0][2]["Authorization"],
    )


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"environment": "http://api.example.com"}, "insecure_url"),
        ({"environment": "http://127.0.0.1.example.com"}, "insecure_url"),
        ({"environment": "http://127.999.0.1"}, "no_address"),
        ({"environment": "https://me:secret@api.example.com"}, "no_address"),
        ({"environment": "api.example.com"}, "no_address"),
        ({"environment": "ftp://127.0.0.1"}, "no_address"),
        ({"environment": "live"}, "no_address"),
        ({"environment": "test", "urls": {"test": "https://api.example.com"}}, "wrong_environment"),
        ({"key": ""}, "bad_api_key"),
        ({"key": KEY + "\n"}, "bad_api_key"),
        ({"key": KEY + "\r\nX-Other: 1"}, "bad_api_key"),
        ({"scopekey_url": "http://10.0.0.1"}, "insecure_url"),
    ],
)
def test_what_a_client_cannot_work_with_is_refused_at_once_and_not_repeated(drive, options, code):
    given = {"environment": "https://api.example.com", "key": KEY} | options
    with pytest.raises(ConfigurationError) as caught:
        drive(given.pop("environment"), given.pop("key"), **given)
    assert code == caught.value.code
    assert not re.search("secret", str(caught.value))


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example/", "http://api.example.com/", "datasets", ""]
)
def test_a_call_does_not_leave_its_origin(drive, path):
    with pytest.raises(ConfigurationError) as caught:
        drive("https://api.example.com/v2/")(lambda client: client.request("GET", path))
    assert "bad_request" == caught.value.code


def test_a_task_that_is_cancelled_while_it_waits_for_another_try_ends_at_once(server):
    server.tell(Told(503, "", {"retry-after": "60"}))

    async def called_off():
        waiting = asyncio.Event()

        async def sleep(seconds):
            waiting.set()
            await asyncio.sleep(seconds)

        async with AsyncScopekeyClient(KEY, environment=server.url, sleep=sleep) as client:
            task = asyncio.create_task(client.request("GET", "/"))
            await waiting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(called_off())
    assert 1 == len(server.heard)
