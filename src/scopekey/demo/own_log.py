"""The end of the story: the audit log of all that was just told, verified, proved, and tampered with in a copy.

It does what `scopekey audit verify`, `prove` and `verify-proof` do, on the demo's own home folder.
"""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec
from sqlalchemy.engine import make_url

from scopekey.audit.checkpoint import read_checkpoint
from scopekey.audit.note import VerifierKey
from scopekey.audit.proof import check_proof, read_proof
from scopekey.audit.report import Broken, Intact, LogReport
from scopekey.audit.verify import verify_log
from scopekey.authority.actor import Caller
from scopekey.authority.audit_entry import show_entry
from scopekey.authority.audit_search import LogQuery, search_log
from scopekey.authority.audit_tree import show_public_key
from scopekey.demo.story import Story, UnexpectedAnswerError
from scopekey.server.node import Node
from scopekey.store.engine import Store
from scopekey.store.store_log import StoreLog
from scopekey.wire.audit import LoggedEntry

DELETION = "DELETE /datasets/{dataset_id}"
_BEFORE, _AFTER = b'"object":"1"', b'"object":"2"'


def tell_log(story: Story, node: Node) -> None:
    """Seal what was recorded and verify it; then change one byte in a copy, and see that it is found.

    Raises UnexpectedAnswerError where the log is otherwise than the story says.
    """
    story.chapter("10. All of this stands in the audit log, and a change of one byte shows")
    node.hand_over()
    node.seal()
    key = VerifierKey.parse(show_public_key(node.authority, Caller.machine(), node.settings.signing_seed()))
    intact = _verified(node.store, key)
    if not isinstance(intact, Intact):
        raise UnexpectedAnswerError(f"the log is not intact: {intact.why}")
    story.tell(_contents(_entries(node)))
    entries, checkpoints = _count(intact.size, "entry", "entries"), _count(intact.checkpoints, "checkpoint")
    story.check("audit verify", f"{entries}, {checkpoints}: the log is intact. Head: {intact.size} {intact.root.hex()}")
    refused = _refused_deletion(node)
    _tell_proof(story, node, key, refused)
    if not node.store.shared:
        _tell_tampering(story, node, key, refused.index)


def _tell_proof(story: Story, node: Node, key: VerifierKey, refused: LoggedEntry) -> None:
    proof = read_proof(msgspec.json.encode(show_entry(node.authority, Caller.machine(), refused.index).proof))
    # As whoever gets the proof checks it: with the public key, and nothing else of this home folder.
    check_proof(proof, key)
    size = read_checkpoint(proof.checkpoint, key).size
    story.tell(f"The refusal of {DELETION}, the entry {proof.index}, proved to somebody with the public key alone:")
    hashes = _count(len(proof.hashes), "hash", "hashes")
    story.check(
        f"audit prove {proof.index}",
        f"{hashes} lead from it to the signed head: it is entry {proof.index} of the {size}.",
    )


def _tell_tampering(story: Story, node: Node, key: VerifierKey, index: int) -> None:
    with tempfile.TemporaryDirectory(prefix="scopekey-demo-copy-") as folder:
        copy = Path(folder, "scopekey.db")
        _copy(Path(make_url(node.settings.store_url).database or ""), copy)
        _change_byte(copy, index)
        store = Store.open(f"sqlite:///{copy}")
        try:
            found = _verified(store, key)
        finally:
            store.close()
    story.tell(f"One byte of it changed in a copy of the database, {_BEFORE.decode()} to {_AFTER.decode()}:")
    if not isinstance(found, Broken) or found.index != index:
        raise UnexpectedAnswerError(f"the entry {index} was changed, and the verification says: {found}")
    story.check("audit verify", f"The log is not intact: {found.why}.", good=False)


def _copy(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database)) as whole, closing(sqlite3.connect(copy)) as copied:
        whole.backup(copied)


def _change_byte(database: Path, index: int) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        (body,) = connection.execute("SELECT body FROM entries WHERE log_index = ?", (index,)).fetchone()
        changed = body.replace(_BEFORE, _AFTER)
        if changed == body:
            raise UnexpectedAnswerError(f"the entry {index} is about no data set 1")
        connection.execute("UPDATE entries SET body = ? WHERE log_index = ?", (changed, index))


def _verified(store: Store, key: VerifierKey) -> LogReport:
    with store.reading() as tx:
        return verify_log(StoreLog(tx), key)


def _refused_deletion(node: Node) -> LoggedEntry:
    query = LogQuery(operation=DELETION, decision="refused", order="oldest", limit=1)
    found = search_log(node.authority, Caller.machine(), query).items
    if not found:
        raise UnexpectedAnswerError(f"the refusal of {DELETION} is not in the log")
    return found[0]


def _entries(node: Node) -> list[LoggedEntry]:
    found: list[LoggedEntry] = []
    cursor = None
    while not found or cursor is not None:
        page = search_log(node.authority, Caller.machine(), LogQuery(limit=200, cursor=cursor))
        found += page.items
        cursor = page.next
    return found


def _contents(entries: Iterable[LoggedEntry]) -> str:
    kinds = Counter(_kind(one) for one in entries)
    told = [f"{number} {kind}" for kind, number in kinds.most_common()]
    return f"It holds {', '.join(told[:-1])} and {told[-1]}."


def _kind(one: LoggedEntry) -> str:
    kind = str(one.entry["kind"])
    if kind == "decision":
        return "allowed calls" if one.entry["allowed"] else "refused calls"
    return {"change": "changes of keys and settings"}.get(kind, kind)


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
