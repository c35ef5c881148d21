"""Take decisions over from a journal, of this machine or elsewhere: each record exactly once, however often it comes.

A ledger says which record of each file comes next. It moves in the transaction that writes the entries,
and whoever moves it holds its row: two copies of a batch go one after the other.
"""

import logging
import os
from collections.abc import Callable, Sequence

from scopekey.audit.entry import NONCE_SIZE, canonical
from scopekey.authority.actor import Caller
from scopekey.authority.count_reads import counted_bodies
from scopekey.authority.unit_of_work import Authority, UnitOfWork, applied_register
from scopekey.core.problem import ProblemError
from scopekey.replica.batch import MissingRecordsError
from scopekey.replica.clock import milliseconds
from scopekey.store.engine import Store
from scopekey.store.errors import DuplicateError
from scopekey.store.transaction import Transaction
from scopekey.wire.decisions import JournalBatch, UnreadableBatchError, read_batch
from scopekey.wire.unfold_batch import gap

log: logging.Logger = logging.getLogger(__name__)
NEEDS = "scopekey_journal:write"
REMEMBERED = 90 * 86_400_000
"""How long a file is remembered that nothing comes from any more, in milliseconds."""
AT_ONCE = 1_000
AT_ONCE_BYTES = 2 << 20
"""How much one transaction writes: the write lock of a SQLite file is not to be held for longer than a moment."""

Allow = Callable[[Transaction], object]
"""Raises where whoever hands in may not; looked at inside each transaction."""


def take_batch(
    store: Store,
    encoded: bytes,
    *,
    random: Callable[[int], bytes] = os.urandom,
    clock: Callable[[], int] = milliseconds,
    allow: Allow | None = None,
    count: bool = False,
) -> int:
    """Write what is new of a batch, and give the number of the record that its file goes on with.

    Written in parts, each with its place in the ledger: after a failure, the same batch takes the rest.
    `count` makes one entry of allowed reads that are alike (``AUDIT_READS=counted``).
    Raises UnreadableBatchError, of which nothing is written; MissingRecordsError where records before the
    batch are missing; StoreUnavailableError.
    """
    batch, bodies = read_batch(encoded, random, clock())
    reached = -1
    while reached < batch.next:
        try:
            with store.writing() as tx:
                if allow is not None:
                    allow(tx)
                reached = _write(tx, batch, bodies, clock(), random, count=count)
        except DuplicateError:
            # Another copy of the first batch of a file was faster. Its row is there now.
            continue
    return reached


def take_decisions(authority: Authority, caller: Caller, encoded: bytes) -> int:
    """The same for a caller with a key that may hand decisions in. Raises ProblemError, StoreUnavailableError.

    `invalid_request` where the batch cannot be recorded, `conflict` where records before it are missing.
    """
    try:
        return take_batch(
            authority.store,
            encoded,
            random=authority.random,
            clock=authority.clock,
            count=authority.count_reads,
            # Looked up in there, like all power: the key may have been revoked since it was checked.
            allow=lambda tx: UnitOfWork(authority, tx, caller, NEEDS),
        )
    except UnreadableBatchError as error:
        detail = f"{error}. Nothing of the batch was recorded."
        raise ProblemError("invalid_request", detail, field=error.field or "body") from None
    except MissingRecordsError as error:
        raise ProblemError(
            "conflict",
            f"The record {error.expected} of this file comes next, and the batch begins later. "
            "Send what is between, or say that it is lost.",
            expected=error.expected,
        ) from None


def _write(
    tx: Transaction,
    batch: JournalBatch,
    bodies: Sequence[bytes],
    now: int,
    random: Callable[[int], bytes],
    *,
    count: bool,
) -> int:
    """Write the next part of what is new; gives the number that was reached."""
    held = tx.journals.hold(batch.node, batch.file)
    expected = held or 0
    if batch.offset - batch.lost > expected:
        raise MissingRecordsError(expected)
    if held is None:
        tx.journals.purge(now - REMEMBERED)
        tx.journals.begin(batch.node, batch.file, now)
    if expected >= batch.next:
        return expected
    part = at_once(bodies, max(expected, batch.offset) - batch.offset)
    following = max(expected, batch.offset) + len(part)
    if count:
        part = counted_bodies(part, applied_register(tx), random)
    if batch.offset > expected:
        missing = batch.offset - expected
        log.warning("the node %s lost %d decisions before it could send them", batch.node, missing)
        part = [canonical(gap("journal.lost", batch.node, missing, random(NONCE_SIZE), now)), *part]
    tx.entries.append(part)
    tx.journals.advance(batch.node, batch.file, following, now)
    return following


def at_once(bodies: Sequence[bytes], start: int) -> list[bytes]:
    """The bodies from a place on, as many as one transaction writes: always one at least."""
    taken: list[bytes] = []
    size = 0
    for body in bodies[start : start + AT_ONCE]:
        size += len(body)
        if taken and size > AT_ONCE_BYTES:
            break
        taken.append(body)
    return taken
