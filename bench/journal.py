"""What handing decisions up costs: the sending verifier, whose checks it delays, and the control plane."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

from bench.load import load
from bench.measure import Result, Round, interleaved
from bench.world import NEEDED, World, verifier
from scopekey.authority.take_decisions import take_batch
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.replica.batch import Batch
from scopekey.replica.batch_bytes import encode
from scopekey.replica.event import Event
from scopekey.store.engine import Store
from scopekey.wire.decisions import MAX_RECORDS, read_batch

KEYS = 1_000
BATCHES = 10
"""Batches of one round."""
NODE, FILE = "00112233445566aa", "ffeeddccbbaa9988"
_OPERATIONS = [f"GET /datasets/{{dataset_id}}/part{number}" for number in range(20)]
RULES = Rules(
    tuple(Rule(Operation.parse(one), Requirement.all_of(Permission.parse(NEEDED)), "dataset_id") for one in _OPERATIONS)
)


def bench_journal(folder: Path) -> list[Result]:
    """Measure with decisions of a thousand keys about twenty operations."""
    batch = Batch(FILE, 0, 0, tuple(decided(load(folder / "journal", KEYS, RULES), MAX_RECORDS)))
    encoded = encode(batch, NODE)
    store = Store.open(f"sqlite:///{folder / 'taken.db'}")
    files = count()
    found = interleaved(
        {
            "encode": _round(lambda: encode(batch, NODE)),
            "read": _round(lambda: read_batch(encoded, bytes)),
            "take": _round(lambda: take_batch(store, encoded.replace(FILE.encode(), b"%016x" % next(files), 1))),
        }
    )
    store.close()
    size = f"{len(encoded) / len(batch):.0f} bytes each in a batch of {len(batch):,}"
    return [
        found["encode"].result("journal.encode.ns", f"for each decision, in the process that checks; {size}"),
        found["read"].result("journal.read.ns", "batch to audit entries, where they are taken"),
        found["take"].result("journal.take.ns", "the same, and committed into a store on SQLite"),
    ]


def decided(world: World, number: int) -> list[Event]:
    """Decisions as a verifier makes them."""
    guard = verifier(world.folder).applied
    events = []
    for at in range(number):
        target = f"/datasets/{at}/part{at % len(_OPERATIONS)}".encode()
        printed = world.printed[at % len(world.printed)]
        event, _ = guard.request("GET", target, printed, address="203.0.113.9", request_id=f"req_{at:020x}")
        assert event.decision
        events.append(event)
    return events


def _round(work: Callable[[], object]) -> Round:
    def round_() -> int:
        for _ in range(BATCHES):
            work()
        return BATCHES * MAX_RECORDS

    return round_
