"""What tests of the journal work with: numbered events, a control plane in small, a disk that fails, a process to kill.

As a program: `python -m tests.replica.journals FOLDER MODE [PAUSE]` appends numbered events, and prints the number of
each once its ticket is kept, until it is killed.
"""

import errno
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import msgspec

from scopekey.audit.entry import read_entry
from scopekey.core.decision import Allowed, DenialReason, Denied
from scopekey.replica.batch import Batch, MissingRecordsError
from scopekey.replica.batch_bytes import encode
from scopekey.replica.event import Event
from scopekey.replica.file_journal import FileJournal
from scopekey.replica.journal_file import RealDisk
from scopekey.replica.journal_frames import frame, lines
from scopekey.wire.decisions import read_batch
from tests.contract.index import REGISTER, key

NODE, FILE = "00112233445566aa", "ffeeddccbbaa9988"
ROOT = Path(__file__).parents[2]


def event(number=1, **fields):
    """An allowed call of a key, whose request id is a number."""
    made = Event(Allowed(key(1), key(1).secrets[0]), 60_000, f"r{number}", REGISTER, operation="GET /")
    return msgspec.structs.replace(made, **fields)


def unknown(**fields):
    """A refusal without a genuine key."""
    return msgspec.structs.replace(event(), decision=Denied(DenialReason.UNKNOWN_KEY), register=None, **fields)


def denied(number=1, **fields):
    """A refusal of a genuine key."""
    return event(number, decision=Denied(DenialReason.REVOKED_KEY, key(1), key(1).secrets[0]), **fields)


def journal_in(folder, **options):
    return FileJournal(folder, lambda: NODE, **{"mode": "relaxed", "clock": lambda: 60_000} | options)


class Ledger:
    """A control plane in small: takes each number of a file once."""

    def __init__(self):
        self.next = {}
        self.entries = []
        self.lost = 0
        self.calls = 0

    def __call__(self, encoded):
        self.calls += 1
        batch, bodies = read_batch(encoded, bytes)
        expected = self.next.get(batch.file, 0)
        if batch.offset - batch.lost > expected:
            raise MissingRecordsError(expected)
        if batch.next > expected:
            self.lost += max(0, batch.offset - expected)
        self.entries += map(read_entry, bodies[max(0, expected - batch.offset) :])
        self.next[batch.file] = max(expected, batch.next)
        return self.next[batch.file]

    @property
    def numbers(self):
        """The numbers of the decisions that were taken, in their order."""
        return [int(entry.request_id[1:]) for entry in self.entries if entry.kind == "decision"]

    @property
    def cuts(self):
        """How many bytes were cut, each time."""
        return [entry.count for entry in self.entries if entry.action == "journal.cut"]


class Disk(RealDisk):
    """A disk that fails where it is told to: each of `fails` is a step, `write`, `sync` or `cut`.

    With `half`, a write that fails has written half of what it was given.
    """

    def __init__(self, *fails, half=False, seconds=0.0):
        self.fails = list(fails)
        self.half = half
        self.seconds = seconds
        self.steps = []

    def write(self, file, data):
        if self._step("write"):
            if self.half:
                super().write(file, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(file, data)

    def sync(self, file):
        if self._step("sync"):
            raise OSError(errno.EIO, "Input/output error")
        time.sleep(self.seconds)
        super().sync(file)

    def cut(self, file, size):
        if self._step("cut"):
            raise OSError(errno.EIO, "Input/output error")
        super().cut(file, size)

    def _step(self, name):
        self.steps.append(name)
        return name in self.fails


def batches_in(folder):
    """Every batch that lies in the files of a folder, the oldest file first."""
    # A file and its successor can be of the same tick of the kernel's clock.
    files = sorted(
        folder.glob("*.journal"), key=lambda file: (file.stat().st_mtime_ns, int(file.stem.partition(".")[2] or 0))
    )
    return [msgspec.json.decode(batch) for file in files for batch, _ in lines(file.read_bytes()) if batch is not None]


def numbers_in(folder):
    """The numbers of the decisions that lie there."""
    return [int(row[10][1:]) for batch in batches_in(folder) for row in batch["decisions"]]


@contextmanager
def writing(folder, mode, pause=0.0):
    """A process that writes into a folder; gives it. Its acknowledgements are lines of its standard output."""
    command = [sys.executable, "-m", "tests.replica.journals", str(folder), mode, str(pause)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _write(folder, mode, pause):
    journal = journal_in(Path(folder), mode=mode)
    number = 0
    while True:
        journal.append(event(number)).wait()
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        number += 1
        time.sleep(float(pause))


def frames(*sizes, first=0):
    """Frames of so many events each."""
    made, number = [], first
    for size in sizes:
        made.append(
            frame(encode(Batch(FILE, number, 0, tuple(event(at) for at in range(number, number + size))), NODE))
        )
        number += size
    return made


def left(folder, data, name=FILE):
    """A file that a dead process left."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.journal"
    file.write_bytes(data)
    return file


def until(true, within=5.0):
    """Wait until something is true."""
    ends = time.monotonic() + within
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.002)


if __name__ == "__main__":
    _write(*sys.argv[1:])
