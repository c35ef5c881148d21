"""Connections that ask the check door about one key without a pause, and remember what they were told and when."""

import contextlib
import socket
import threading
import time
from typing import NamedTuple


class Answer(NamedTuple):
    """One answer, and the moments (of the monotonic clock) at which it was asked for and came."""

    key: str
    code: str
    asked: float
    came: float


def question(printed, *headers):
    lines = [
        "GET /check/nginx HTTP/1.1",
        "Host: localhost",
        f"X-API-Key: {printed}",
        "X-Original-Method: GET",
        "X-Original-URI: /datasets",
        "X-Original-Client: 192.0.2.1",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def code_of(head):
    """`allowed`, or the code of a refusal."""
    if head.startswith(b"HTTP/1.1 200"):
        return "allowed"
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"scopekey-code":
            return value.strip().decode()
    return head.split(b" ", 2)[1].decode()


class Line:
    """One kept-alive connection."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=15)
        self._rest = b""

    def ask(self, printed, *headers, pipelined=1):
        """Ask so many times at once. Raises OSError where the connection breaks before all have come."""
        asked = time.monotonic()
        self._socket.sendall(question(printed, *headers) * pipelined)
        return [Answer(printed, code_of(self._head()), asked, time.monotonic()) for _ in range(pipelined)]

    def _head(self):
        while b"\r\n\r\n" not in self._rest:
            data = self._socket.recv(65_536)
            if not data:
                raise ConnectionResetError
            self._rest += data
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return head

    def close(self):
        self._socket.close()


class Threads:
    """Threads that go on until the block ends: `run` is called once in each, with its arguments."""

    def __init__(self, run, arguments):
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=run, args=each, daemon=True) for each in arguments]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join(20)


class Hammer(Threads):
    """Threads with a connection each, of which every second one pipelines. `answers` is what they were told."""

    def __init__(self, ports, *, each=2, pipelined=4):
        self.printed = None
        self.answers = []
        self.broken = 0
        self._turns = threading.Condition()
        self._lines = len(ports) * each
        super().__init__(
            self._run, [(port, pipelined if number % 2 else 1) for port in ports for number in range(each)]
        )

    def ask_about(self, printed):
        """Ask about this key from now on; gives the list of answers about it."""
        self.answers = answers = []
        self.printed = printed
        return answers

    def wait_until(self, enough, within=15.0):
        """Wait until `enough(answers)`; the threads say when there are more."""
        deadline = time.monotonic() + within
        with self._turns:
            while not enough(self.answers):
                if not self._turns.wait(deadline - time.monotonic()):
                    raise AssertionError(f"not told within {within} s; the last: {self.answers[-3:]}")

    def _run(self, port, pipelined):
        line = None
        while not self._ended.is_set():
            printed, answers = self.printed, self.answers
            if printed is None:
                self._ended.wait(0.002)
                continue
            try:
                line = line or Line(port)
                told = line.ask(printed, pipelined=pipelined)
            except OSError:
                self.broken += 1
                if line is not None:
                    line.close()
                line = None
                self._ended.wait(0.02)
                continue
            with self._turns:
                if answers is self.answers:
                    answers.extend(told)
                self._turns.notify_all()
        if line is not None:
            line.close()


@contextlib.contextmanager
def lines(ports, each=3):
    """Open kept-alive connections to nodes; the workers of each share them."""
    opened = [Line(port) for port in ports for _ in range(each)]
    try:
        yield opened
    finally:
        for line in opened:
            line.close()
