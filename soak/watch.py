"""Those who ask all the time, and what must hold for every answer they get."""

import threading
import time
from collections import Counter
from typing import Self

from soak.audit import Asked
from soak.world import Server, World
from tests.journeys.hammer import Line

AT_HOME = 2.0
"""Seconds after which a revoked key is refused at the control plane: none, but for a replica that was put back."""
ELSEWHERE = 6.0 + 2.0
"""REFUSE_AFTER of the gateways, and a little for the machine: whatever breaks, nothing is believed longer."""


class Watch:
    """Threads that ask every node about keys that are live and keys that are not."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.told: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.asked: dict[str, Asked] = {}
        """What each thread asked, by its name."""
        nodes = [(world.control, AT_HOME), *((server, ELSEWHERE) for server in world.gateways)]
        self._threads = [
            threading.Thread(target=self._run, args=(server, bound, number), daemon=True)
            for server, bound in nodes
            for number in range(2)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(20)

    def _pick(self, number: int) -> tuple[str, float | None]:
        """A key, and since when it must be refused: mostly one of those that were ended last."""
        world = self._world
        with world.lock:
            if number % 2 and world.revoked:
                secret = list(world.revoked)[-1 - number // 2 % min(8, len(world.revoked))]
                return secret, world.revoked[secret]
            secrets = list(world.live)
        return secrets[number // 2 % len(secrets)], None

    def _run(self, server: Server, bound: float, number: int) -> None:
        name = f"{server.name}-{number}".replace(" ", "-")
        asked = self.asked[name] = Asked(name)
        line: Line | None = None
        while not self._ended.wait(0.002):
            number += 1
            secret, ended = self._pick(number)
            try:
                line = line or Line(server.port)
                (answer,) = line.ask(secret, f"X-Request-Id: {asked.next()}")
            except OSError:
                if line is not None:
                    line.close()
                line = None
                self._count("no answer")
                self._ended.wait(0.05)
                continue
            asked.answered(answer.code)
            self._count(answer.code)
            if answer.code == "allowed" and ended is not None and answer.asked > ended + bound:
                with self._lock:
                    late = answer.asked - ended
                    self.wrong.append(f"{server.name} allowed a key {late:.2f} s after it had been ended")
            if not number % 500 and line is not None:
                # Another connection may reach another worker.
                line.close()
                line = None
        if line is not None:
            line.close()

    def _count(self, code: str) -> None:
        with self._lock:
            self.told[code] += 1


def healed(world: World, watch: Watch, within: float = 40.0) -> list[str]:
    """When nothing is broken any more, every node allows what is live and refuses what is not; gives what does not."""
    left = world.wait_ready(world.servers, within)
    wrong = [f"{name} did not come back" for name in left]
    deadline = time.monotonic() + within
    for server in world.servers:
        with world.lock:
            keys = dict.fromkeys(world.live, "allowed") | dict.fromkeys(world.revoked, "refused")
        for secret, expected in keys.items():
            told = "nothing"
            while told != expected and time.monotonic() < deadline:
                try:
                    line = Line(server.port)
                    (answer,) = line.ask(secret)
                    line.close()
                    told = "allowed" if answer.code == "allowed" else "refused"
                except OSError:
                    time.sleep(0.05)
            if told != expected:
                wrong.append(f"{server.name} ends with {told} where it should be {expected}")
    return wrong + watch.wrong
