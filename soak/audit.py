"""What must be in the audit log when everything has ended: each decision that somebody was told, exactly once."""

import subprocess
import sys
from itertools import count

from scopekey.audit.entry import read_entry
from scopekey.settings import Settings
from scopekey.store.engine import Store
from soak.world import World
from tests.journeys.audit_outcome import settle
from tests.journeys.serving import environment

RECORDED = {"allowed", "revoked_key", "expired_key", "address_not_allowed", "unlisted_operation", "missing_permission"}
"""Answers that are decisions about a genuine key: in the mode `strict` each is on the disk before it is given."""
_AT_ONCE = 10_000
_MOST = 255


class Asked:
    """The request ids of one thread, and which of them were answered: `NAME-NUMBER`, a byte for each."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.acknowledged = bytearray()

    def next(self) -> str:
        """Give the id of the next request."""
        self.acknowledged.append(0)
        return f"{self._name}-{len(self.acknowledged) - 1}"

    def answered(self, code: str) -> None:
        """Note what the last one was told."""
        self.acknowledged[-1] = code in RECORDED


class Recorded:
    """How often each request of some threads is in the log."""

    def __init__(self, asked: dict[str, Asked]) -> None:
        self._asked = asked
        self._found = {name: bytearray(len(one.acknowledged)) for name, one in asked.items()}
        self.size = 0

    def read(self, settings: Settings) -> None:
        """Read the whole log."""
        store = Store.open(settings.store_url)
        try:
            for first in count(0, _AT_ONCE):
                with store.reading() as tx:
                    bodies = tx.log.bodies(first, first + _AT_ONCE)
                for body in bodies:
                    self._count(read_entry(body).request_id or "")
                self.size += len(bodies)
                if len(bodies) < _AT_ONCE:
                    return
        finally:
            store.close()

    def _count(self, request_id: str) -> None:
        name, _, number = request_id.rpartition("-")
        found = self._found.get(name)
        if found is not None:
            found[int(number)] = min(_MOST, found[int(number)] + 1)

    def acknowledged(self) -> int:
        """How many requests were answered by a decision."""
        return sum(sum(one.acknowledged) for one in self._asked.values())

    def missing(self) -> list[str]:
        """Those of them that are not there."""
        return [
            f"{name}-{at}"
            for name, one in self._asked.items()
            for at, (told, found) in enumerate(zip(one.acknowledged, self._found[name], strict=True))
            if told and not found
        ]

    def twice(self) -> list[str]:
        """Requests that are there more than once."""
        return [f"{name}-{at}" for name, found in self._found.items() for at, times in enumerate(found) if times > 1]


def audited(world: World, asked: dict[str, Asked]) -> tuple[list[str], list[str]]:
    """Look at the log of a world that has ended; gives what there is to report, and what is wrong."""
    settings = world.deployment.settings
    homes = [Settings(home=server.home) for server in world.gateways]
    left = sum(len(list(home.journal_path.glob("*.journal"))) for home in (settings, *homes))
    settle(settings, *homes)
    recorded = Recorded(asked)
    recorded.read(settings)
    missing, twice = recorded.missing(), recorded.twice()
    verified = subprocess.run(
        [sys.executable, "-m", "scopekey", "audit", "verify", "--local", "--head", str(world.heads)],
        env=environment(settings.home),
        text=True,
        capture_output=True,
        check=False,
    )
    told = [
        f"{recorded.size} entries, {recorded.acknowledged()} decisions that somebody was told",
        f"{len(missing)} of them missing, {len(twice)} there twice",
        f"{left} journal files were left for the next process",
        *(verified.stdout or verified.stderr).strip().splitlines(),
    ]
    wrong = [f"a decision that somebody was told is not in the log: {one}" for one in missing]
    wrong += [f"a decision is in the log more than once: {one}" for one in twice]
    if verified.returncode:
        wrong.append("the log does not verify")
    return told, wrong
