"""Show one entry of the log, and prove it. What is another organization's is not there."""

from functools import lru_cache

import msgspec

from scopekey.audit.merkle import inclusion_proof
from scopekey.audit.proof import EntryProof, write_proof
from scopekey.audit.tiles import node_of
from scopekey.authority.actor import Caller
from scopekey.authority.audit_search import READ, logged
from scopekey.authority.audit_tree import newest_checkpoint
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.problem import ProblemError
from scopekey.store.log_reader import NumberedEntry
from scopekey.wire.audit import ProvenEntry


def show_entry(authority: Authority, caller: Caller, index: int) -> ProvenEntry:
    """Show an entry with its proof for the newest checkpoint. Raises ProblemError `not_found`."""
    with authority.looking(caller, needs=READ) as work:
        found = _find(work, index)
        proof = msgspec.json.decode(write_proof(_prove(work, found)))
        return ProvenEntry(**dict(logged(found)), proof=proof)


def _find(work: UnitOfWork, index: int) -> NumberedEntry:
    archived = work.tx.log.state().archived
    if index < archived:
        # Said of every index below, whoever's entry it was: that tells nothing of anybody.
        raise ProblemError("not_found", f"The entries below {archived} are in the archive. Look for it there.")
    found = work.tx.log_reader.entry(index)
    if found is None or not (work.actor.operator or found.entry.organization == work.actor.organization):
        raise ProblemError("not_found", "There is no entry with that index.")
    return found


def _prove(work: UnitOfWork, found: NumberedEntry) -> EntryProof:
    newest = newest_checkpoint(work)
    try:
        hashes = inclusion_proof(found.index, newest.size, node_of(lru_cache(work.tx.log.tile)))
        return EntryProof(found.index, found.body, tuple(hashes), newest.note)
    except LookupError:
        raise ProblemError(
            "unavailable", "The log is damaged, and the entry cannot be proved: run `scopekey audit verify`."
        ) from None
