"""The journal that hands decisions up over HTTP: what it sends, and what it does when it is not taken."""

import json
import logging
import os
import threading

import httpx
import msgspec
import pytest

from scopekey.core.decision import Allowed
from scopekey.replica.batch import Batch, ForgottenError, NeverError, NotTakenError
from scopekey.replica.event import Event
from scopekey.replica.send_decisions import LONGEST_WAIT, SendDecisions, UpstreamJournal
from scopekey.wire.decisions import MAX_SIZE, MAX_TEXT, read_batch
from tests.contract.index import REGISTER, key

NODE, FILE, CANARY = "00112233445566aa", "ffeeddccbbaa9988", "sck_live_canary"
URL = "https://control.example"


def event(number, **fields):
    decision = Allowed(key(number), key(number).secrets[0])
    return msgspec.structs.replace(Event(decision, 60_000, f"r{number}", REGISTER), **fields)


def batch(number=3, *, offset=0, lost=0, **fields):
    return Batch(FILE, offset, lost, tuple(event(at, **fields) for at in range(number)))


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
    return SendDecisions(url, key, NODE, jitter=lambda: 1.0, transport=httpx.MockTransport(upstream))


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
    read, entries = read_batch(request.content, bytes)
    assert (NODE, FILE, ["r0", "r1", "r2"]) == (read.node, read.file, [entry.request_id for entry, _ in entries])


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
    assert 1 == caplog.text.count("decisions are kept in memory")
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
        (problem(422, "invalid_request"), "(422 invalid_request): upgrade the control plane"),
        (problem(404, "not_found"), "(404 not_found): check the URL"),
        (httpx.Response(308, headers={"Location": "https://elsewhere.example"}), "(308): check the URL"),
        (httpx.Response(200, text="<html>"), "check the URL"),
        (httpx.Response(200, json={"next": 2}), "check the URL"),
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


def test_a_node_is_sixteen_digits():
    with pytest.raises(ValueError, match="16 hexadecimal digits"):
        SendDecisions(URL, lambda: CANARY, "machine")


def test_more_than_one_body_takes_goes_up_in_parts():
    upstream = Upstream()
    sender = sender_to(upstream)
    left = batch(200, object="x" * MAX_TEXT)
    while left:
        left = left.after(sender(left))
    read = [read_batch(request.content, bytes)[0] for request in upstream.requests]
    assert max(len(request.content) for request in upstream.requests) <= MAX_SIZE
    assert [0, *(one.next for one in read)] == [*(one.offset for one in read), 200]
    assert 3 < len(read) < 10


def test_an_event_that_no_text_can_be_made_of_is_left_out():
    some = (event(0), event(1, request_id="\ud800"), event(2))
    with pytest.raises(NeverError) as caught:
        sender_to(Upstream())(Batch(FILE, 0, 0, some))
    assert [1] == caught.value.places


def test_an_event_too_large_for_any_body_is_left_out():
    upstream = Upstream()
    with pytest.raises(NeverError) as caught:
        sender_to(upstream)(Batch(FILE, 0, 0, (event(0, object="x" * MAX_SIZE), event(1))))
    assert [0] == caught.value.places
    assert [] == upstream.requests


def test_what_a_reader_cannot_take_is_found_when_it_is_refused():
    some = (event(0), event(1, object="x" * (MAX_TEXT + 1)))
    upstream = Upstream(problem(422, "invalid_request"))
    with pytest.raises(NeverError) as caught:
        sender_to(upstream)(Batch(FILE, 0, 0, some))
    assert [1] == caught.value.places


def test_an_upstream_that_forgot_the_file_gets_another_one():
    with pytest.raises(ForgottenError):
        sender_to(Upstream(problem(409, "conflict", expected=0)))(batch(offset=7))
    # The beginning of a file cannot be mended by another one.
    for one in (batch(offset=0), batch(offset=3, lost=3)):
        with pytest.raises(NotTakenError):
            sender_to(Upstream(problem(409, "conflict", expected=0)))(one)


# The whole journal


def journal_to(upstream, **options):
    journal = UpstreamJournal(URL, lambda: CANARY, NODE, **{"clock": lambda: 60_000, "linger_ms": 0} | options)
    journal._sender._transport = httpx.MockTransport(upstream)
    journal._sender._jitter = lambda: -0.99  # waits of milliseconds
    return journal


class Ledger:
    """A control plane in small: takes each number of a file once, and may lose replies after it took them."""

    def __init__(self, *, lost_replies=0, forgets=False):
        self.next, self.taken, self.lost = {}, [], 0
        self.lost_replies, self.forgets = lost_replies, forgets
        self.all = threading.Event()
        self.expected = None

    def __call__(self, request):
        read, entries = read_batch(request.content, bytes)
        if self.forgets and self.next:
            self.forgets, self.next = False, {}
        expected = self.next.get(read.file, 0)
        if read.offset - read.lost > expected:
            return problem(409, "conflict", expected=expected)
        self.taken += [entry.request_id for entry, _ in entries[max(0, expected - read.offset) :]]
        if read.next > expected:
            self.lost += max(0, read.offset - expected)
        self.next[read.file] = max(expected, read.next)
        if self.expected is not None and len(self.taken) >= self.expected:
            self.all.set()
        if self.lost_replies:
            self.lost_replies -= 1
            raise httpx.ReadError("cut")
        return httpx.Response(200, json={"next": self.next[read.file]})


def test_every_event_arrives_once_though_replies_are_lost():
    ledger = Ledger(lost_replies=5)
    ledger.expected = 500
    journal = journal_to(ledger, batch=50)
    for number in range(500):
        journal.append(event(number))
    assert ledger.all.wait(30)
    journal.close()
    assert [f"r{number}" for number in range(500)] == ledger.taken
    assert (0, 0, 1) == (journal.waiting, journal.lost, len(ledger.next))


def test_what_was_dropped_for_want_of_room_is_counted_in_the_next_batch(caplog):
    ledger, blocked = Ledger(), threading.Event()
    asked = threading.Semaphore(0)

    def upstream(request):
        asked.release()
        if not blocked.is_set():
            raise httpx.ConnectError("away")
        return ledger(request)

    journal = journal_to(upstream, capacity=10, batch=4)
    journal.append(event(0))
    assert asked.acquire(timeout=10)
    for number in range(1, 31):
        journal.append(event(number))
    assert (11, 20) == (journal.waiting, journal.lost)
    blocked.set()
    journal.close()
    assert [f"r{number}" for number in (0, *range(21, 31))] == ledger.taken
    assert (20, [31]) == (ledger.lost, list(ledger.next.values()))
    assert 1 == caplog.text.count("20 decisions were lost")


def test_an_upstream_that_was_put_back_gets_what_comes_after_under_a_new_file(caplog):
    ledger = Ledger(forgets=True)
    journal = journal_to(ledger, batch=1)
    for number in range(4):
        journal.append(event(number))
    journal.close()
    assert [f"r{number}" for number in range(4)] == ledger.taken
    assert [3] == list(ledger.next.values())
    assert "a new file begins" in caplog.text


def test_an_event_that_cannot_be_recorded_does_not_hold_up_the_others(caplog):
    ledger = Ledger()

    def upstream(request):
        try:
            return ledger(request)
        except ValueError:
            return problem(422, "invalid_request")

    journal = journal_to(upstream)
    for number, text in enumerate(["a", "x" * (MAX_TEXT + 1), "\ud800", "b"]):
        journal.append(event(number, object=text))
    journal.close()
    assert ["r0", "r3"] == ledger.taken
    assert (2, 2) == (journal.lost, ledger.lost)
    assert "cannot be recorded" in caplog.text


def test_a_journal_of_nothing_but_what_cannot_be_recorded_accounts_for_it_later():
    ledger, tried = Ledger(), threading.Semaphore(0)
    journal = journal_to(ledger)
    tell = journal._without
    journal._without = lambda *values: (tell(*values), tried.release())[0]
    journal.append(event(0, object="\ud800"))
    assert tried.acquire(timeout=10)
    journal.append(event(1))
    journal.close()
    assert (["r1"], 1, [2]) == (ledger.taken, ledger.lost, list(ledger.next.values()))


def test_an_upstream_that_never_answers_does_not_keep_a_process_from_ending(caplog):
    release, asked = threading.Event(), threading.Event()

    def upstream(request):
        asked.set()
        release.wait(30)
        raise httpx.ReadTimeout("late")

    journal = journal_to(upstream, close_within=0.2)
    journal.append(event(0))
    assert asked.wait(10)
    thread = journal._thread
    journal.close()
    assert thread.is_alive()
    assert "1 decisions could not be handed over and are lost" in caplog.text
    release.set()
    thread.join(10)
    assert (0, 1) == (journal.waiting, journal.lost)


def test_the_last_attempt_has_only_the_time_that_is_left():
    upstream = Upstream()
    journal = journal_to(upstream, linger_ms=60_000, close_within=3.0)
    journal.append(event(0))
    journal.close()
    (request,) = upstream.requests
    assert all(0 < seconds <= 1.0 for seconds in request.extensions["timeout"].values())


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_sends_a_file_of_its_own():
    ledger = Ledger()
    ledger.expected = 1
    journal = journal_to(ledger)
    journal.append(event(0))
    assert ledger.all.wait(10)
    client, (parents,) = journal._sender._client, ledger.next
    child = os.fork()
    if child == 0:
        failed = True
        try:
            journal.append(event(1))
            journal.close()
            (_, childs) = ledger.next
            failed = (parents == childs, ["r0", "r1"], 1) != (False, ledger.taken, ledger.next[childs])
            failed = failed or client.is_closed
        finally:
            os._exit(failed)
    assert 0 == os.waitpid(child, 0)[1]
    journal.close()
    assert [parents] == list(ledger.next)


def test_a_batch_says_that_it_comes_from_memory():
    upstream = Upstream()
    sender_to(upstream)(batch())
    assert json.loads(upstream.requests[0].content)["durable"] is False
