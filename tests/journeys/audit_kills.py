"""Processes that record and a keeper that takes over and seals, killed at random, many times a second.

As a program: `python -m tests.journeys.audit_kills HOME KILLS SEED [WAY]` prints what became of what was acknowledged.
It forks what it kills, so that no start of an interpreter is waited for. The ways are told by `WAYS`.
"""

import json
import logging
import os
import random
import select
import signal
import sys
import threading
import time
import traceback
from itertools import count
from pathlib import Path

from scopekey.authority import take_decisions
from scopekey.authority.seal_log import LogSealer
from scopekey.replica.carrier import Carrier
from scopekey.replica.file_journal import FileJournal
from scopekey.replica.journal import DONE, JournalUnavailableError
from scopekey.replica.journal_file import RealDisk
from scopekey.settings import Settings
from scopekey.store.engine import Store
from tests.journeys.audit_outcome import look, settle
from tests.replica.journals import event, unknown

WORKERS, THREADS = 2, 3
LIVES = 0.012
"""The longest that everybody lives between two kills, in seconds."""
SEAL_EVERY = 0.01


class HastyJournal(FileJournal):
    """The control: it acknowledges what it has not written."""

    def _append_needed(self, taken):
        super()._append_needed(taken)
        return DONE


class NotingDisk(RealDisk):
    """Notes beside the files how much of each is on the disk, before anybody is told so."""

    def __init__(self, notes):
        self._notes = os.open(notes, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def sync(self, file):
        size = os.fstat(file).st_size
        super().sync(file)
        os.write(self._notes, f"{Path(f'/proc/self/fd/{file}').readlink().name} {size}\n".encode())


class LazyDisk(NotingDisk):
    """The control: it says that all is on the disk, and has done nothing."""

    def sync(self, file):
        return


def _write_all(tx, batch, entries, now, random, *, count):
    """The control: what was taken already is not known."""
    tx.entries.append(entries)
    return batch.next


class Way:
    """One way to be killed. `cut`: how much of a file a loss of power leaves, by (random, synced size, real size)."""

    def __init__(self, *, journal=FileJournal, disk=NotingDisk, ledger=True, cut=None):
        self.journal, self.disk, self.ledger, self.cut = journal, disk, ledger, cut


WAYS = {
    "killed": Way(),
    "hasty": Way(journal=HastyJournal),
    "unledgered": Way(ledger=False),
    "power": Way(cut=lambda drawn, synced, size: drawn.randint(synced, size)),
    "lazy": Way(disk=LazyDisk, cut=lambda drawn, synced, size: drawn.randint(synced, size)),
    "below": Way(cut=lambda drawn, synced, size: drawn.randrange(max(1, synced))),
}
"""As it is; a journal that does not wait for the writing; a control plane that forgets what it took; a loss of power,
which leaves what was synced and anything of the rest; with a disk that syncs nothing; one that loses what was synced.
"""


class Child:
    """A process of ours. What it acknowledges comes through a pipe, which outlives it."""

    def __init__(self, work, *arguments):
        self._reader, writer = os.pipe()
        self._read = b""
        self.pid = os.fork()
        if not self.pid:
            os.close(self._reader)
            try:
                work(*arguments, writer)
            except BaseException:  # noqa: BLE001 - the parent's code must not go on in the child
                traceback.print_exc()
            os._exit(1)
        os.close(writer)

    def fileno(self):
        return self._reader

    def read(self):
        """Read what is there; nothing where the other end is gone."""
        data = os.read(self._reader, 65_536)
        self._read += data
        return data

    def kill(self):
        """Kill it; gives what it acknowledged. Nobody acknowledges half a name: a short write to a pipe is whole."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        while self.read():
            pass
        os.close(self._reader)
        return self._read.decode().split()


def record(settings, way, name, pipe):
    """What a worker does: record decisions in several threads, and acknowledge each by its request id."""
    logging.disable()
    journal = way.journal(
        settings.journal_path, settings.node_id, mode="strict", disk=way.disk(settings.home / f"{name}.synced")
    )

    def run(thread):
        for number in count():
            asked = f"{name}-{thread}-{number}"
            if not number % 9:
                journal.append(unknown(request_id=f"?{asked}"))
            try:
                journal.append(event(request_id=asked)).wait()
            except JournalUnavailableError:
                continue
            os.write(pipe, f"{asked}\n".encode())

    for thread in range(1, THREADS):
        threading.Thread(target=run, args=(thread,), daemon=True).start()
    run(0)


def keep(settings, way, _):
    """What the keeper does: take over, and seal."""
    logging.disable()
    if not way.ledger:
        take_decisions._write = _write_all
    store = Store.open(settings.store_url)
    Carrier(settings.journal_path, lambda batch: take_decisions.take_batch(store, batch), node=settings.node_id).start()
    sealer = LogSealer(store, seed=settings.signing_seed())
    while True:
        sealer()
        time.sleep(SEAL_EVERY)


class Group:
    """Some workers and a keeper, each of which is there again at once when it was killed."""

    def __init__(self, settings, way, drawn):
        self.settings, self.way, self.drawn = settings, way, drawn
        self.acknowledged = []
        self.unsynced = 0
        self._made = count()
        self._workers = {}
        self._keeper = None
        self._left = set()

    def start(self):
        """Start who is not there."""
        while len(self._workers) < WORKERS:
            name = f"w{next(self._made)}"
            self._workers[name] = Child(record, self.settings, self.way, name)
        if self._keeper is None:
            self._keeper = Child(keep, self.settings, self.way)

    def live(self, seconds):
        """Let them work for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for child in select.select([*self._workers.values(), self._keeper], [], [], left)[0]:
                if not child.read():
                    raise AssertionError("a process ended that nobody killed")

    def kill(self):
        """Kill a worker, the keeper or all of them; a loss of power ends all."""
        victim = "all" if self.way.cut else self.drawn.choice(["worker", "worker", "keeper", "all"])
        if victim == "all":
            self.kill_all()
        elif victim == "keeper":
            self._kill_keeper()
        else:
            self._kill_worker(self.drawn.choice(list(self._workers)))
        if self.way.cut:
            self._lose_power()

    def kill_all(self):
        """Kill everybody who is there."""
        if self._keeper is not None:
            self._kill_keeper()
        for name in list(self._workers):
            self._kill_worker(name)

    def _kill_worker(self, name):
        self.acknowledged += self._workers.pop(name).kill()

    def _kill_keeper(self):
        keeper, self._keeper = self._keeper, None
        keeper.kill()

    def _lose_power(self):
        """Of each file that which was synced is left, and of the rest a part, or anything else."""
        synced = {}
        for notes in self.settings.home.glob("*.synced"):
            synced |= {name: int(size) for name, size in map(str.split, notes.read_text().splitlines())}
            notes.unlink()
        there = set(self.settings.journal_path.glob("*.journal"))
        # What an earlier loss left of a file is on the disk.
        for path in there - self._left:
            self._cut(path, synced.get(path.name, 0))
        self._left = there

    def _cut(self, path, synced):
        size = path.stat().st_size
        self.unsynced += size > synced
        left = self.way.cut(self.drawn, synced, size)
        os.truncate(path, left)
        if self.drawn.random() < 0.5:
            with path.open("ab") as file:
                file.write(self.drawn.choice([bytes, self.drawn.randbytes])(self.drawn.randint(0, size - left)))


def main(home, kills, seed, way="killed"):
    """Kill so many times, then settle and look."""
    settings = Settings(home=Path(home))
    group = Group(settings, WAYS[way], random.Random(int(seed)))
    for _ in range(int(kills)):
        group.start()
        group.live(group.drawn.uniform(0.0, LIVES))
        group.kill()
    group.kill_all()
    settle(settings)
    outcome = look(settings, group.acknowledged)
    told = {
        "acknowledged": outcome.acknowledged,
        "missing": len(outcome.missing),
        "twice": len(outcome.twice),
        "examples": [*outcome.missing[:3], *outcome.twice[:3]],
        "intact": bool(outcome.verdict),
        "cuts": outcome.cuts,
        "unsynced": group.unsynced,
        "left": len(list(settings.journal_path.glob("*.journal"))),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
