"""Decisions handed up over HTTP: what is sent, and what is done when it is not taken."""

import logging
import os

import httpx
import pytest

from scopekey.replica.batch import Batch, MissingRecordsError, NotTakenError, RefusedBatchError
from scopekey.replica.batch_bytes import encode
from scopekey.replica.carrier import Carrier
from scopekey.replica.send_decisions import LONGEST_WAIT, SendDecisions
from scopekey.wire.decisions import read_batch
from tests.replica.journals import FILE, NODE, Ledger, event, journal_in

CANARY = "sck_live_canary"
URL = "https://control.example"


def batch(number=3):
    return encode(Batch(FILE, 0, 0, tuple(map(event, range(number)))), NODE)


class Upstream:
    """Answers as it was told, then as a control plane would; keeps what it got."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            return answer
        read, _ = read_batch(request.content, bytes)
        return httpx.Response(200, json={"next": read.next})


def sender_to(upstream, *, key=lambda: CANARY, url=URL):
    return SendDecisions(url, key, jitter=lambda: 1.0, transport=httpx.MockTransport(upstream))


def problem(status, code, **fields):
    return httpx.Response(status, json={"code": code, **fields}, headers={"Scopekey-Code": code})


def test_a_batch_goes_up_with_the_key_and_the_node():
    upstream = Upstream()
    assert 3 == sender_to(upstream)(batch())
    (request,) = upstream.requests
    assert ("POST", f"{URL}/v1/journal", f"Bearer {CANARY}", "application/json") == (
        *(request.method, str(request.url)),
        *(request.headers["authorization"], request.headers["content-type"]),
    )
    assert batch() == request.content


def test_the_path_of_the_url_stays_before_the_call():
    upstream = Upstream()
    sender_to(upstream, url=f"{URL}/keys")(batch())
    assert "/keys/v1/journal" == upstream.requests[0].url.path


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError(CANARY), httpx.ReadTimeout(CANARY), httpx.RemoteProtocolError(CANARY)]
)
def test_the_same_bytes_go_out_until_they_are_acknowledged(failure, caplog):
    caplog.set_level(logging.DEBUG)
    upstream = Upstream(failure, failure, httpx.Response(503))
    sender, one = sender_to(upstream), batch()
    waits = []
    for _ in range(3):
        with pytest.raises(NotTakenError) as caught:
            sender(one)
        waits.append(caught.value.wait)
    assert 3 == sender(one)
    assert [0.5, 1.0, 2.0] == waits
    assert 1 == len({request.content for request in upstream.requests})
    assert 1 == caplog.text.count("decisions are not handed over")
    assert 1 == caplog.text.count("handed over to control.example again")
    assert CANARY not in caplog.text + repr([vars(record) for record in caplog.records])


def test_waits_grow_to_a_bound_and_are_never_the_same_for_all():
    upstream = Upstream(*[httpx.Response(503)] * 30)
    sender = sender_to(upstream)
    sender._jitter = iter([0.0, 1.0] * 15).__next__
    waits = []
    for _ in range(30):
        with pytest.raises(NotTakenError) as caught:
            sender(batch())
        waits.append(caught.value.wait)
    assert [LONGEST_WAIT / 2, LONGEST_WAIT] == waits[-2:]
    assert [0.25, 1.0] == waits[:2]


@pytest.mark.parametrize(("asked", "wait"), [("7", 7.0), ("9999999", LONGEST_WAIT), ("²", 0.5), ("-1", 0.5)])
def test_a_wait_that_is_asked_for_is_kept_within_reason(asked, wait):
    sender = sender_to(Upstream(httpx.Response(429, headers={"Retry-After": asked.encode()})))
    with pytest.raises(NotTakenError) as caught:
        sender(batch())
    assert wait == caught.value.wait


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (problem(401, "revoked_key"), "(401 revoked_key): give this verifier a key that is live"),
        (problem(401, "missing_permission"), "(401 missing_permission): give this verifier a key that is live"),
        (problem(403, "missing_permission"), "holds scopekey_journal:write"),
        (problem(404, "not_found"), "(404 not_found): check the URL"),
        (httpx.Response(308, headers={"Location": "https://elsewhere.example"}), "(308): check the URL"),
        (httpx.Response(200, text="<html>"), "check the URL"),
        (httpx.Response(200, json={"next": "2"}), "check the URL"),
        (problem(409, "conflict"), "(409 conflict): look whether two machines"),
        (httpx.Response(200, json={"next": True}), "check the URL"),
        (httpx.Response(401, headers={"Scopekey-Code": "not\x1ba code"}), "(401): give"),
    ],
)
def test_a_refusal_is_said_once_with_what_to_do(answer, said, caplog):
    caplog.set_level(logging.DEBUG)
    upstream = Upstream(answer, answer)
    sender, one = sender_to(upstream), batch()
    for _ in range(2):
        with pytest.raises(NotTakenError):
            sender(one)
    assert 1 == caplog.text.count(said)
    assert 1 == sum(record.levelno >= logging.WARNING for record in caplog.records)
    assert CANARY not in caplog.text
    assert 3 == sender(one)


def broken_key():
    raise FileNotFoundError(CANARY)


@pytest.mark.parametrize("key", [broken_key, lambda: "", lambda: f"{CANARY}\n", lambda: f"{CANARY} é"])
def test_a_key_that_is_none_is_said_and_never_repeated(key, caplog):
    upstream = Upstream()
    sender = sender_to(upstream, key=key)
    for _ in range(2):
        with pytest.raises(NotTakenError) as caught:
            sender(batch())
    assert [] == upstream.requests
    assert 1 == caplog.text.count("the key of this verifier")
    assert CANARY not in caplog.text + str(caught.value) + str(
        caught.value.__context__ if key is not broken_key else ""
    )
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_key_is_asked_for_at_every_call():
    keys = iter(["one", "two"])
    upstream = Upstream(httpx.Response(401))
    sender = sender_to(upstream, key=lambda: next(keys))
    with pytest.raises(NotTakenError):
        sender(batch())
    assert 3 == sender(batch())
    assert ["Bearer one", "Bearer two"] == [request.headers["authorization"] for request in upstream.requests]


@pytest.mark.parametrize("url", ["http://control.example", "ftp://127.0.0.1", "control.example"])
def test_a_url_that_would_carry_the_key_in_the_clear_is_refused(url):
    with pytest.raises(ValueError, match="use https"):
        sender_to(Upstream(), url=url)


def test_records_that_are_missing_there_are_named():
    with pytest.raises(MissingRecordsError) as caught:
        sender_to(Upstream(problem(409, "conflict", expected=7)))(batch())
    assert 7 == caught.value.expected


def test_a_batch_that_is_refused_whole_is_told_apart_and_not_yet_said(caplog):
    with pytest.raises(RefusedBatchError) as caught:
        sender_to(Upstream(problem(422, "invalid_request")))(batch())
    assert (0.5, "") == (caught.value.wait, caplog.text)


def test_the_last_attempt_has_only_the_time_that_is_left():
    upstream = Upstream()
    sender = sender_to(upstream)
    sender.hurry(3.0)
    sender(batch())
    (request,) = upstream.requests
    assert {1.0} == set(request.extensions["timeout"].values())


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_a_connection_of_its_own():
    sender = sender_to(Upstream())
    sender(batch())
    client = sender._client
    child = os.fork()
    if child == 0:
        failed = True
        try:
            failed = (3, False) != (sender(batch()), client.is_closed) or sender._client is client
        finally:
            os._exit(failed)
    assert 0 == os.waitpid(child, 0)[1]
    assert client is sender._client


def test_every_record_arrives_once_though_replies_are_lost(tmp_path):
    ledger, calls = Ledger(), []

    def upstream(request):
        calls.append(request)
        reached = ledger(request.content)
        if len(calls) % 2:
            raise httpx.ReadError("cut")
        return httpx.Response(200, json={"next": reached})

    journal = journal_in(tmp_path / "journal", mode="strict")
    for number in range(50):
        journal.append(event(number)).wait()
    journal.close()
    sender = sender_to(upstream)
    sender._jitter = lambda: -0.99  # waits of milliseconds
    carrier = Carrier(tmp_path / "journal", sender, node=lambda: NODE)
    carrier.start()
    while list((tmp_path / "journal").glob("*.journal")):
        carrier._thread.join(0.01)
    carrier.stop()
    assert list(range(50)) == ledger.numbers
    assert 2 <= len(calls)
