"""Facts about the deployment as a whole: its feed, its pepper's id, its signing key's id."""

from sqlalchemy import Connection, bindparam, insert, select, update

from scopekey.store.tables import meta

FEED_ID = "feed_id"
"""The name under which the feed's id stands: new on `init` and on restore."""

_get = select(meta.c.value).where(meta.c.key == bindparam("name"))
_set = update(meta).where(meta.c.key == bindparam("name")).values(value=bindparam("text"))
_add = insert(meta).values(key=bindparam("name"), value=bindparam("text"))


class Meta:
    """Values by name."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> str | None:
        """Find a value."""
        return self._connection.execute(_get, {"name": name}).scalar()

    def set(self, name: str, value: str) -> None:
        """Keep a value, in place of the one there was. Raises DuplicateError where two are first at once."""
        given = {"name": name, "text": value}
        if self._connection.execute(_set, given).rowcount == 0:
            self._connection.execute(_add, given)
