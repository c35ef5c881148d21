"""The two documents there is one of each: the applied catalog with its bits, and the applied rules."""

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from scopekey.core.grant import Register
from scopekey.core.rules import Rules
from scopekey.store.tables import documents
from scopekey.wire.changes import catalog_digest, decode_state, encode_state, kind_of, rules_digest

KINDS = ("catalog", "rules")

MOST_KNOWN = 4
"""Two kinds, and the version before: a transaction may still look at that one."""

Known = dict[bytes, Register | Rules]
"""Documents already read, by the mark of the change that announced them: reading a large one takes longer
than everything else in a transaction."""

_c = documents.c
_get = select(_c.kind, _c.body, _c.digest, _c.applied_at, _c.position, _c.mark).where(_c.kind == bindparam("wanted"))
_get_locked = _get.with_for_update()
_mark = select(_c.mark).where(_c.kind == bindparam("wanted"))
_insert = insert(documents)
_update = update(documents).where(_c.kind == bindparam("wanted"))


class Document(msgspec.Struct, frozen=True):
    """A document as it was applied. `digest` is that of its meaning; `position` and `mark` its last change's."""

    kind: str
    state: Register | Rules
    digest: str
    applied_at: int
    position: int
    mark: bytes


class Documents:
    """Documents by kind, `catalog` or `rules`."""

    __slots__ = ("_connection", "_known", "_writes")

    def __init__(self, connection: Connection, known: Known, *, writes: bool) -> None:
        self._connection = connection
        self._known = known
        self._writes = writes

    def get(self, kind: str, *, lock: bool = False) -> Document | None:
        """Find a document; `lock` holds it as it is until the end of a writing transaction."""
        statement = _get_locked if lock and self._writes else _get
        row = self._connection.execute(statement, {"wanted": kind}).first()
        if row is None:
            return None
        return Document(kind, self._read(kind, row.body, row.mark), row.digest, row.applied_at, row.position, row.mark)

    def state(self, kind: str) -> Register | Rules | None:
        """Find what a document says; quick where it was read before."""
        mark = self._connection.execute(_mark, {"wanted": kind}).scalar()
        if mark is None:
            return None
        known = self._known.get(mark)
        if known is not None:
            return known
        found = self.get(kind)
        return found.state if found else None

    def put(self, kind: str, state: Register | Rules, at: int) -> None:
        """Apply a document, in place of the one there was. It must be announced in the same transaction.

        Raises DuplicateError where two are first at once.
        """
        if kind != kind_of(state):
            raise ValueError(f"the document {kind!r} cannot hold a {kind_of(state)!r}")
        digest = catalog_digest(state.catalog) if isinstance(state, Register) else rules_digest(state)
        # No mark until it is announced: under the old one, others know the old document.
        values = {"body": encode_state(state), "digest": digest, "applied_at": at, "position": 0, "mark": b""}
        if self._connection.execute(_update.values(values), {"wanted": kind}).rowcount == 0:
            self._connection.execute(_insert, {"kind": kind, **values})

    def _read(self, kind: str, body: bytes, mark: bytes) -> Register | Rules:
        state = self._known.get(mark)
        if state is None:
            decoded = decode_state(kind, body)
            if not isinstance(decoded, (Register, Rules)):
                raise TypeError(f"{kind!r} is not a document")
            state = decoded
            if mark:
                for older in list(self._known)[: 1 - MOST_KNOWN]:
                    self._known.pop(older, None)
                self._known[mark] = state
        return state
