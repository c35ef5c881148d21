"""When a door may answer: after its record, and never where one could not be made or the check broke."""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from scopekey.replica.journal import JournalUnavailableError
from tests.contract.door_exchange import request

PATIENCE = 10
"""Seconds after which something that should have happened did not."""

FAULTS = [("index", "now"), ("index", "key"), ("index", "organization"), ("index", "register"), ("verifier", "decide")]


# A traceback shows the line that raised: its words stand elsewhere.
TOLD_BY_A_LIBRARY = "could not read the record of sck_live_0123"


class HeldTicket:
    """A ticket that is done when a test says so, with a fault or without."""

    def __init__(self, fault=None):
        self.waited_for = threading.Event()
        self._done = threading.Event()
        self._fault = fault

    def release(self):
        self._done.set()

    def wait(self):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._wait()
        else:
            raise AssertionError("an event loop must not be held up: await the ticket")

    def __await__(self):
        return asyncio.to_thread(self._wait).__await__()

    def _wait(self):
        self.waited_for.set()
        assert self._done.wait(PATIENCE), "nobody released the ticket"
        if self._fault:
            raise self._fault


class Shut:
    """Keys that cannot be opened."""

    @property
    def verifier(self):
        raise OSError(TOLD_BY_A_LIBRARY)


def hold_records(keys, ticket):
    """Let every record be made, and be safe only when this ticket is done."""
    append = keys.verifier.journal.append

    def held(event):
        append(event)
        return ticket

    keys.verifier.journal.append = held


def broken(*args, **options):
    raise OSError(TOLD_BY_A_LIBRARY)


class RecordContract:
    """One request is one record, made before its answer; what cannot be decided or recorded is refused."""

    @pytest.mark.parametrize("target", [b"/datasets/7", b"/open", b"/nowhere", b"/a//b"])
    @pytest.mark.parametrize("with_key", [True, False])
    def test_one_request_is_one_record(self, door, secret, target, with_key):
        assert 1 == len(door(request(target=target, secret=secret if with_key else None)).records)

    def test_the_record_says_what_was_decided_about_whom(self, keys, door, secret):
        [event] = door(request(secret=secret)).records
        assert (keys.key(secret).id, "GET /datasets/{id}", "7", "192.0.2.7", True) == (
            event.decision.key_id,
            event.operation,
            event.object,
            event.address,
            bool(event.decision),
        )

    @pytest.mark.parametrize("row", [(200, 1, b"/datasets/7"), (401, 0, b"/nowhere")], ids=["allowed", "refused"])
    def test_neither_application_nor_answer_comes_before_the_record_is_safe(self, keys, upstream, door, secret, row):
        ticket, (status, reached, target) = HeldTicket(), row
        hold_records(keys, ticket)
        with ThreadPoolExecutor(1) as thread:
            answering = thread.submit(door, request(target=target, secret=secret))
            try:
                assert ticket.waited_for.wait(PATIENCE), "nobody waited for the ticket"
                assert (False, [], False) == (answering.done(), upstream.seen, upstream.begun)
            finally:
                ticket.release()
            answer = answering.result(PATIENCE)
        assert (status, reached) == (answer.status, len(upstream.seen))

    @pytest.mark.parametrize("late", [False, True])
    def test_a_decision_that_cannot_be_recorded_is_not_answered(self, keys, upstream, door, secret, late):
        if late:
            ticket = HeldTicket(JournalUnavailableError("the disk of sck_live_0123 is full"))
            ticket.release()
            hold_records(keys, ticket)
        else:
            keys.journal_fails = True
        answer = door(request(secret=secret))
        self.assert_unchecked("journal_unavailable", answer)
        assert [] == upstream.seen

    @pytest.mark.parametrize("place", FAULTS, ids=".".join)
    def test_a_fault_anywhere_in_the_check_is_refused_and_tells_no_secret(self, keys, upstream, door, place, caplog):
        secret, (owner, step) = keys.add("datasets:read"), place
        setattr(getattr(keys, owner), step, broken)
        with caplog.at_level(logging.DEBUG):
            answer = door(request(secret=secret))
        self.assert_unchecked("unavailable", answer)
        assert [] == upstream.seen
        assert "OSError" in caplog.text
        assert "sck_live" not in caplog.text + repr(answer)

    def test_keys_that_cannot_be_opened_refuse_everything(self, upstream, secret, caplog):
        send = self.serve(Shut(), upstream)
        with caplog.at_level(logging.DEBUG):
            answers = [send(request(target=target, secret=secret)) for target in (b"/open", b"/datasets/7")]
        assert [self.leaving(503)] * 2 == [answer.status for answer in answers]
        assert [] == upstream.seen
        assert "sck_live" not in caplog.text + repr(answers)

    def assert_unchecked(self, code, answer):
        status, document = self.told(answer)
        assert (503, code, code, None) == (
            status,
            document["code"],
            answer.field("scopekey-code"),
            answer.field("www-authenticate"),
        )
        assert "5" == answer.field("retry-after")
