"""Take decisions over from a verifier elsewhere: each record exactly once, however often its batch comes.

A ledger says which record of each file comes next. It moves in the transaction that writes the entries,
and whoever moves it holds its row: two copies of a batch go one after the other.
"""

import logging

from scopekey.authority.actor import Caller
from scopekey.authority.record_decisions import Written, at_once
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.problem import ProblemError
from scopekey.store.errors import DuplicateError
from scopekey.store.transaction import Transaction
from scopekey.wire.decisions import JournalBatch, UnreadableBatchError, read_batch

log = logging.getLogger(__name__)
NEEDS = "scopekey_journal:write"
REMEMBERED = 90 * 86_400_000
"""How long a file is remembered that nothing comes from any more, in milliseconds."""


def take_decisions(authority: Authority, caller: Caller, encoded: bytes) -> int:
    """Write what is new of a batch, and give the number of the record that its file goes on with.

    Written in parts, each with its place in the ledger: after a failure, the same batch takes the rest.
    Raises ProblemError `invalid_request`, of which nothing is written, and `conflict` where records
    before the batch are missing; StoreUnavailableError.
    """
    try:
        batch, entries = read_batch(encoded, authority.random)
    except UnreadableBatchError as error:
        detail = f"{error}. Nothing of the batch was recorded."
        raise ProblemError("invalid_request", detail, field=error.field or "body") from None
    reached = 0
    while reached < batch.next:
        reached = _take_part(authority, caller, batch, entries)
    return reached


def _take_part(authority: Authority, caller: Caller, batch: JournalBatch, entries: list[Written]) -> int:
    try:
        with authority.store.writing() as tx:
            # Looked up in here, like all power: the key may have been revoked since it was checked.
            UnitOfWork(authority, tx, caller, NEEDS)
            return _write(tx, batch, entries, authority.clock())
    except DuplicateError:
        # Another copy of the first batch of a file was faster. Its row is there now.
        return 0


def _write(tx: Transaction, batch: JournalBatch, entries: list[Written], now: int) -> int:
    """Write the next part of what is new; gives the number that was reached."""
    held = tx.journals.hold(batch.node, batch.file)
    expected = held or 0
    if batch.offset - batch.lost > expected:
        raise ProblemError(
            "conflict",
            f"The record {expected} of this file comes next, and the batch begins with {batch.offset}. "
            f"Send what is between, or begin a new file.",
            expected=expected,
        )
    if held is None:
        tx.journals.purge(now - REMEMBERED)
        tx.journals.begin(batch.node, batch.file, now)
    if expected >= batch.next:
        return expected
    if batch.offset > expected:
        log.warning("the node %s lost %d decisions before it could send them", batch.node, batch.offset - expected)
    start = max(expected, batch.offset)
    part = at_once(entries[start - batch.offset :])
    tx.entries.append(part)
    tx.journals.advance(batch.node, batch.file, start + len(part), now)
    return start + len(part)
