"""How far each file of each node's journal is taken over: what makes a batch that comes twice count once."""

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from scopekey.store.tables import journals

_c = journals.c
_one = (_c.node == bindparam("machine"), _c.file == bindparam("name"))
_hold = select(_c.next_offset).where(*_one).with_for_update()
_begin = insert(journals)
_advance = update(journals).where(*_one).values(next_offset=bindparam("following"), seen=bindparam("now"))
_purge = delete(journals).where(_c.seen < bindparam("before"))


class Journals:
    """The number of the record that each file has to go on with."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold(self, node: str, file: str) -> int | None:
        """Give the next number of a file, and keep everybody else from it until the commit. None for a new one."""
        row = self._connection.execute(_hold, {"machine": node, "name": file}).first()
        return None if row is None else int(row.next_offset)

    def begin(self, node: str, file: str, now: int) -> None:
        """Begin a file, at 0. Raises DuplicateError where somebody else just did."""
        self._connection.execute(_begin, {"node": node, "file": file, "next_offset": 0, "seen": now})

    def advance(self, node: str, file: str, next_offset: int, now: int) -> None:
        """Say which number comes next."""
        self._connection.execute(_advance, {"machine": node, "name": file, "following": next_offset, "now": now})

    def purge(self, before: int) -> int:
        """Forget files that nobody used since a time; gives how many."""
        return self._connection.execute(_purge, {"before": before}).rowcount
