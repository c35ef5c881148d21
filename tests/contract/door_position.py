"""How long a client that has just changed something is held back until the replica is where it has been."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.contract.door_all import position
from tests.contract.door_exchange import request
from tests.contract.door_record import PATIENCE


class Waits:
    """On an event loop a call is held back until the position that its client has seen, for at most 250 ms."""

    def test_a_call_waits_for_its_position_and_is_decided_after_it(self, keys, door, secret, monkeypatch):
        identify, held_back = keys.verifier.identify, threading.Event()

        def identified(presented):
            found = identify(presented)
            held_back.set()
            return found

        monkeypatch.setattr(keys.verifier, "identify", identified)
        with ThreadPoolExecutor(1) as thread:
            answering = thread.submit(door, request(secret=secret, headers=[position(keys, 1)]))
            assert held_back.wait(PATIENCE)
            keys.revoke(secret)
            answer = answering.result(PATIENCE)
        assert "revoked_key" == answer.field("scopekey-code"), "without waiting it would have been allowed"

    def test_it_waits_no_longer_than_a_quarter_of_a_second(self, keys, door, secret):
        began = time.monotonic()
        door(request(secret=secret, headers=[position(keys, 1)]))
        assert 0.25 <= time.monotonic() - began < PATIENCE


class AnswersAtOnce:
    """A thread is not held back: who is ahead of the replica comes again."""

    def test_a_call_does_not_wait_for_its_position(self, keys, door, secret):
        took = []
        for _ in range(5):
            began = time.monotonic()
            door(request(secret=secret, headers=[position(keys, 1)]))
            took.append(time.monotonic() - began)
        assert min(took) < 0.25
