"""Connections that ask about keys without a pause, and remember each request id that got an answer."""

import time
from collections import Counter
from itertools import count

from tests.journeys.hammer import Line, Threads, code_of, question

UNTOLD = {"journal_unavailable", "unavailable", "503", "500"}
"""Answers that promise nothing."""


class Load(Threads):
    """Threads with a connection each. `acknowledged` are request ids that were answered by a decision."""

    def __init__(self, port, keys, *, connections=4, pipelined=1, name="load"):
        self.acknowledged = []
        self.told = Counter()
        self.slowest = 0.0
        """Seconds that the slowest answer since the last `forget` took."""
        self._port, self._keys, self._pipelined, self._name = port, keys, pipelined, name
        self._turn = count()
        super().__init__(self._run, [(at,) for at in range(connections)])

    def forget(self):
        """Count anew; what was acknowledged stays."""
        self.told.clear()
        self.slowest = 0.0

    def wait_for(self, code, times=1, within=30.0):
        """Wait until so many more answers of this kind have come."""
        enough = self.told[code] + times
        end = time.monotonic() + within
        while self.told[code] < enough:
            assert time.monotonic() < end, f"{code} did not come, but {dict(self.told)}"
            time.sleep(0.01)

    def _run(self, at):
        line = None
        for number in count():
            if self._ended.is_set():
                break
            try:
                line = line or Line(self._port)
                self._ask(line, f"{self._name}-{at}-{number}")
            except OSError:
                self.told["no answer"] += 1
                if line is not None:
                    line.close()
                line = None
                self._ended.wait(0.02)
                continue
            if not number % 200:
                # Another connection may reach another worker.
                line.close()
                line = None
        if line is not None:
            line.close()

    def _ask(self, line, name):
        """Ask so many questions at once, about one key after the other; each has an id of its own."""
        names = [f"{name}-{part}" for part in range(self._pipelined)]
        keys = [self._keys[next(self._turn) % len(self._keys)] for _ in names]
        began = time.monotonic()
        line._socket.sendall(
            b"".join(question(key, f"X-Request-Id: {one}") for key, one in zip(keys, names, strict=True))
        )
        for one in names:
            code = code_of(line._head())
            self.slowest = max(self.slowest, time.monotonic() - began)
            if code not in UNTOLD:
                self.acknowledged.append(one)
            self.told[code] += 1
