"""The change feed: dense positions in commit order, and the present state of what was changed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Table, bindparam, insert, select, update

from scopekey.core.change import Change, State
from scopekey.store.dialect import wake
from scopekey.store.documents import KINDS, Documents
from scopekey.store.errors import AnotherHistoryError, StoreError
from scopekey.store.keys import Keys
from scopekey.store.meta import FEED_ID
from scopekey.store.organizations import Organizations
from scopekey.store.tables import changes, documents, feed, keys, meta, organizations

BATCH = 1_000
"""How many things a snapshot reads at once."""

_c = changes.c
_feed_id = select(meta.c.value).where(meta.c.key == FEED_ID).scalar_subquery()
_place = select(_feed_id.label("feed_id"), feed.c.position, feed.c.mark)
_hold = _place.with_for_update(of=feed)
_known = select(_c.mark).where(_c.position == bindparam("wanted"))
_after = (
    select(_c.position, _c.mark, _c.kind, _c.subject)
    .where(_c.position > bindparam("after"))
    .order_by(_c.position)
    .limit(bindparam("most"))
)
_take = (
    update(feed)
    .values(position=feed.c.position + bindparam("taken"), mark=bindparam("last"))
    .returning(feed.c.position, wake(feed.c.position))
)
_insert = insert(changes)


def _stamp(table: Table, name: str) -> Any:
    places: dict[str, Any] = {"position": bindparam("at_position"), "mark": bindparam("at_mark")}
    return update(table).where(table.c[name] == bindparam("wanted")).values(places)


_stamps = {
    "key": _stamp(keys, "id"),
    "organization": _stamp(organizations, "id"),
    "catalog": _stamp(documents, "kind"),
    "rules": _stamp(documents, "kind"),
}


class FeedPlace(NamedTuple):
    """A place in a history: the feed, a position, and the mark of the change there (none at 0)."""

    feed_id: str
    position: int
    mark: bytes


class Changes:
    """The feed of one store."""

    __slots__ = ("_connection", "_documents", "_keys", "_organizations")

    def __init__(self, connection: Connection, documents: Documents) -> None:
        self._connection = connection
        self._documents = documents
        self._keys = Keys(connection, writes=False)
        self._organizations = Organizations(connection, writes=False)

    def hold(self) -> FeedPlace:
        """Tell where this store is, and let nobody else announce until the end of this transaction.

        What is announced next follows this place. Raises StoreError before `init` has named the feed.
        """
        return self._read(_hold)

    def announce(self, subjects: Sequence[tuple[str, str]], marks: Sequence[bytes], at: int) -> list[int]:
        """Give changed things their positions: `(kind, id)` each, a document's id being its kind.

        Must be the last thing that other transactions could wait for: from here to the commit nobody
        else can announce, which is what makes positions dense and puts them in commit order. Other
        machines on the same database are woken by the commit.
        """
        if len(subjects) != len(marks):
            raise ValueError("every change needs one mark")
        if not subjects:
            return []
        last = self._connection.execute(_take, {"taken": len(subjects), "last": marks[-1]}).scalar_one()
        positions = list(range(last - len(subjects) + 1, last + 1))
        announced = [
            {"position": position, "mark": mark, "kind": kind, "subject": subject, "at": at}
            for position, mark, (kind, subject) in zip(positions, marks, subjects, strict=True)
        ]
        self._connection.execute(_insert, announced)
        for change in announced:
            self._stamp(change)
        return positions

    def place(self) -> FeedPlace:
        """Where this store is. Raises StoreError before `init` has named the feed."""
        return self._read(_place)

    def after(self, place: tuple[str, int, bytes], limit: int) -> list[Change]:
        """List what was changed after a place of this history, each thing as it is now.

        Raises AnotherHistoryError where the place is none of this store's, or no longer kept.
        """
        here = self.place()
        self._refuse_strange(place, here)
        if place[1] == here.position:
            return []
        rows = self._connection.execute(_after, {"after": place[1], "most": limit}).all()
        if not rows or rows[0].position != place[1] + 1:
            raise AnotherHistoryError("what was changed after this position is no longer kept")
        states = self._states([(row.kind, row.subject) for row in rows])
        return [Change(row.position, row.mark, states[row.kind, row.subject]) for row in rows]

    def snapshot(self) -> Iterator[Change]:
        """List everything as it is now: catalog, rules, organizations, keys by id.

        Each comes with position and mark of its last change; the whole is as of `place`. Read in
        batches: it must be finished within its transaction.
        """
        for kind in KINDS:
            document = self._documents.get(kind)
            if document is not None:
                yield Change(document.position, document.mark, document.state)
        for read in (self._organizations.stream, self._keys.stream):
            yield from _in_batches(read)

    def _read(self, statement: Select[Any]) -> FeedPlace:
        row = self._connection.execute(statement).one()
        if row.feed_id is None:
            raise StoreError("the store was never initialised: run `scopekey init`")
        return FeedPlace(row.feed_id, row.position, row.mark)

    def _refuse_strange(self, place: tuple[str, int, bytes], here: FeedPlace) -> None:
        feed_id, position, mark = place
        if feed_id != here.feed_id:
            raise AnotherHistoryError("the place is of another feed")
        if not 0 <= position <= here.position:
            raise AnotherHistoryError("the position was never given by this store")
        known = self._mark(position, here)
        if known is None:
            raise AnotherHistoryError("the position is no longer kept")
        if known != mark:
            raise AnotherHistoryError("the position has another mark: this store went back in time, or the other did")

    def _mark(self, position: int, here: FeedPlace) -> bytes | None:
        if position == here.position:
            return here.mark
        if position == 0:
            return b""
        return self._connection.execute(_known, {"wanted": position}).scalar()

    def _states(self, subjects: Sequence[tuple[str, str]]) -> dict[tuple[str, str], State]:
        wanted: dict[str, set[str]] = defaultdict(set)
        for kind, subject in subjects:
            wanted[kind].add(subject)
        found: dict[tuple[str, str], State] = {}
        if "key" in wanted:
            found |= {("key", name): key for name, key in self._keys.many(wanted["key"]).items()}
        if "organization" in wanted:
            many = self._organizations.many(wanted["organization"])
            found |= {("organization", name): organization for name, organization in many.items()}
        for kind in KINDS:
            state = self._documents.state(kind) if kind in wanted else None
            found |= {(kind, name): state for name in wanted[kind]} if state else {}
        if any(subject not in found for subject in subjects):
            raise AnotherHistoryError("something that was changed is no longer kept")
        return found

    def _stamp(self, change: dict[str, Any]) -> None:
        kind, subject = change["kind"], change["subject"]
        wanted = kind if kind in KINDS else subject
        given = {"wanted": wanted, "at_position": change["position"], "at_mark": change["mark"]}
        if self._connection.execute(_stamps[kind], given).rowcount == 0:
            raise ValueError(f"there is no {kind} {subject} that could be announced")


def _in_batches(read: Any) -> Iterator[Change]:
    after = ""
    while True:
        batch = read(after, BATCH)
        for state, position, mark in batch:
            yield Change(position, mark, state)
        if len(batch) < BATCH:
            return
        after = batch[-1][0].id
