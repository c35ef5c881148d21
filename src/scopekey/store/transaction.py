"""One transaction, and through it the repositories: each holds the statements of one kind of thing."""

from sqlalchemy import Connection

from scopekey.store.changes import Changes
from scopekey.store.documents import Documents, Known
from scopekey.store.entries import Entries
from scopekey.store.idempotency import Idempotency
from scopekey.store.journals import Journals
from scopekey.store.keys import Keys
from scopekey.store.log import Log
from scopekey.store.log_reader import LogReader
from scopekey.store.meta import Meta
from scopekey.store.organizations import Organizations
from scopekey.store.usage import Usage


class Transaction:
    """What one unit of work sees and changes. Made by `Store.writing` and `Store.reading`.

    Locks are taken only where it `writes`.
    """

    __slots__ = (
        "changes",
        "connection",
        "documents",
        "entries",
        "idempotency",
        "journals",
        "keys",
        "log",
        "log_reader",
        "meta",
        "organizations",
        "usage",
    )

    def __init__(self, connection: Connection, known: Known, *, writes: bool) -> None:
        self.connection: Connection = connection
        self.meta: Meta = Meta(connection)
        self.organizations: Organizations = Organizations(connection, writes=writes)
        self.keys: Keys = Keys(connection, writes=writes)
        self.documents: Documents = Documents(connection, known, writes=writes)
        self.changes: Changes = Changes(connection, self.documents)
        self.entries: Entries = Entries(connection)
        self.idempotency: Idempotency = Idempotency(connection)
        self.journals: Journals = Journals(connection)
        self.log: Log = Log(connection)
        self.usage: Usage = Usage(connection)
        self.log_reader: LogReader = LogReader(connection)
