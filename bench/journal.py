"""What handing decisions up costs: the sending verifier, whose checks it delays, and the control plane."""

from collections.abc import Callable
from pathlib import Path

from bench.load import load
from bench.measure import Result, Round, interleaved
from bench.world import NEEDED, World, verifier
from scopekey.audit.entry import canonical
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.replica.batch import Batch
from scopekey.replica.batch_bytes import encode
from scopekey.replica.event import Event, entry_of
from scopekey.wire.decisions import MAX_RECORDS, read_batch

KEYS = 1_000
BATCHES = 10
"""Batches of one round."""
NODE, FILE, NONCE = "00112233445566aa", "ffeeddccbbaa9988", bytes(16)
_OPERATIONS = [f"GET /datasets/{{dataset_id}}/part{number}" for number in range(20)]
_RULES = Rules(
    tuple(Rule(Operation.parse(one), Requirement.all_of(Permission.parse(NEEDED)), "dataset_id") for one in _OPERATIONS)
)


def bench_journal(folder: Path) -> list[Result]:
    """Measure with decisions of a thousand keys about twenty operations."""
    batch = Batch(FILE, 0, 0, tuple(decided(load(folder / "journal", KEYS, _RULES), MAX_RECORDS)))
    encoded = encode(batch, NODE)
    found = interleaved(
        {
            "encode": _round(lambda: encode(batch, NODE)),
            "entries": _round(lambda: [canonical(entry_of(event, NONCE)) for event in batch.events]),
            "read": _round(lambda: read_batch(encoded, bytes)),
        }
    )
    size = f"{len(encoded) / len(batch):.0f} bytes each in a batch of {len(batch):,}"
    return [
        found["encode"].result("journal.encode.ns", f"for each decision, in the process that checks; {size}"),
        found["entries"].result("journal.entries.ns", "the same decisions as audit entries, where the store is"),
        found["read"].result("journal.read.ns", "batch to audit entries, in the control plane"),
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
